"""The scorer of a finished run, from what it left."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.evaluation.full_ranking import Scorer, embedding_scorer
from sea_core.models.protocol import UntrainedModel
from sea_core.models.registry import find_model


def recorded_scorer(config: Config, dataset: Dataset, embeddings: Mapping[str, Tensor] | None) -> Scorer:
    """Scores as the run had them at its best epoch, on the CPU.

    Args:
        config: the run's.
        dataset: what it was trained on.
        embeddings: ``user`` and ``item``; None of a model that is not trained, which is computed again.

    Raises:
        ValueError: a trained run without embeddings.
    """
    if embeddings is not None:
        return embedding_scorer(embeddings["user"], embeddings["item"])
    kind = find_model(config.model)
    if not issubclass(kind, UntrainedModel):
        raise ValueError(f"the run of {config.model} kept no embeddings")
    inputs = kind.prepare(config, dataset, device="cpu")
    model = kind.build(config, dataset, inputs, seed=0)
    assert isinstance(model, UntrainedModel)
    return model.scorer(inputs)
