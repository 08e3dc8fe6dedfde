"""Which of a dataset's modalities a config uses, and how it changes their features."""

from __future__ import annotations

from sea_core.config import Config
from sea_core.data.dataset import Dataset


def only_modalities(dataset: Dataset, config: Config) -> Dataset:
    """The dataset with the features the config names, in its order and transformed; all of them if it names none.

    Raises:
        UserError: the config names a modality the loaded data lack, or a transformation that does not apply.
    """
    return dataset.viewed(config.modalities, config.feature_transform)
