"""The simplest methods, for every table: one file each, and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sea_core.baselines.item_knn import item_knn_scorer
from sea_core.baselines.popularity import popularity_scorer
from sea_core.data.dataset import Dataset
from sea_core.evaluation.full_ranking import Scorer


class Baseline(NamedTuple):
    """A method that needs the training matrix and nothing else; call it with a dataset to get a scorer.

    Attributes:
        build: takes the training matrix and the parameters.
        parameters: what a receipt or a record should name beside the baseline.
    """

    build: Callable[..., Scorer]
    parameters: Mapping[str, Any]

    def __call__(self, dataset: Dataset) -> Scorer:
        """Fit to the dataset's training interactions."""
        return self.build(dataset.train_matrix, **self.parameters)


BASELINES: dict[str, Baseline] = {
    "popularity": Baseline(popularity_scorer, {}),
    # A compromise over validation splits: dense data like less shrink (lfm2k: 0), sparse data more (Sports: 100).
    "item-knn": Baseline(item_knn_scorer, {"neighbours": 100, "shrink": 20.0}),
}
