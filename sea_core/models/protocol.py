"""What training asks of a model. A model is one file with a class of this kind.

A model holds weights; what it reads but does not learn (graphs, features) is prepared once and handed in as ``inputs``.
It draws nothing but from named streams, so that two arms of one seed see equal draws wherever both draw.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.evaluation.full_ranking import Scorer
from sea_core.layers.separation import Heads


def keys(names: str) -> frozenset[str]:
    """Config keys, written with spaces between them."""
    return frozenset(names.split())


class Batch(NamedTuple):
    """Training pairs and their sampled negatives, matched by index."""

    user: Int[Tensor, " pairs"]
    positive: Int[Tensor, " pairs"]
    negative: Int[Tensor, " pairs"]


@runtime_checkable
class Embeddings(Protocol):
    """Users and items as vectors; a score is the dot product of two rows."""

    @property
    def user(self) -> Float[Tensor, "users dim"]:
        """``(U, D)``."""
        ...

    @property
    def item(self) -> Float[Tensor, "items dim"]:
        """``(I, D)``."""
        ...


class Encoded(NamedTuple):
    """Embeddings that are there already, as two tables."""

    user: Float[Tensor, "users dim"]
    item: Float[Tensor, "items dim"]


class Forward(NamedTuple):
    """One forward pass.

    Attributes:
        total: the loss to minimise, 0-d.
        terms: its unweighted terms, 0-d each, ``total`` among them.
        embeddings: of all users and items as this pass had them; None where they were not needed.
        heads: what the separation's heads read of the items; None without a separation.
    """

    total: Float[Tensor, ""]
    terms: Mapping[str, Float[Tensor, ""]]
    embeddings: Embeddings | None = None
    heads: Heads | None = None


@runtime_checkable
class Fitter(Protocol):
    """Something beside the model that is fitted once a step, between backward pass and update: CLUB's net."""

    def fit(self, forward: Forward) -> Mapping[str, Float[Tensor, ""]]:
        """Fit to a forward pass; returns terms to report."""
        ...

    def state(self) -> dict[str, Tensor]:
        """What a resumed run needs of it."""
        ...

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Continue from what ``state`` returned."""
        ...


class Model(nn.Module, ABC):
    """A recommender that a config can name. A class is either a ``TrainedModel`` or an ``UntrainedModel``.

    Attributes:
        name: the value of the config field ``model``.
        title: its row in tables.
        paper: authors, year and where to find it.
        reads: the config keys it reads beside those that its kind reads anyway (see ``registry.keys_read``).
        presets: name -> config keys and values; the first is the default.
        reads_features: whether it reads item features; if not, arms of features are refused.
        trains: whether it has weights to train.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str]
    reads: ClassVar[frozenset[str]]
    presets: ClassVar[Mapping[str, Mapping[str, Any]]]
    reads_features: ClassVar[bool] = False
    trains: ClassVar[bool]

    config: Config

    @classmethod
    @abstractmethod
    def prepare(cls, config: Config, dataset: Dataset, *, device: str | torch.device) -> Any:
        """The constants of a run, on its device: graphs, features. Runs on one dataset and config may share them.

        Raises:
            UserError: the data and the config do not fit each other.
        """

    @classmethod
    @abstractmethod
    def build(cls, config: Config, dataset: Dataset, inputs: Any, *, seed: int) -> Model:
        """The model at its initial weights, each from its own named stream of ``seed`` (``init/<name>``).

        Args:
            config: the choices.
            dataset: gives sizes.
            inputs: what ``prepare`` returned.
            seed: of the run.

        Raises:
            UserError: the data and the config do not fit each other.
        """


class TrainedModel(Model):
    """A model that is trained by gradient steps and scores by the dot product of embeddings."""

    trains: ClassVar[bool] = True

    @abstractmethod
    def encode(self, inputs: Any) -> Embeddings:
        """Embeddings of all users and items with the current weights, as evaluation wants them."""

    @abstractmethod
    def forward(self, inputs: Any, batch: Batch, draws: Any) -> Forward:
        """The losses of one batch; ``draws`` is what ``draws_of_epoch`` returned for it."""

    def draws_of_epoch(self, inputs: Any, *, seed: int, epoch: int) -> Callable[[Batch], Any]:
        """What is drawn for an epoch beside its batches: called with each batch in turn, it gives the step's draws.

        A function of (seed, epoch) alone, so that a resumed run draws what an undisturbed one draws.
        """
        return lambda batch: None

    def main_parameters(self) -> Iterable[tuple[str, nn.Parameter]]:
        """Names and parameters that the total loss trains."""
        return self.named_parameters()

    def fitter(self) -> Fitter | None:
        """What is fitted beside the model, if anything; asked for once a run."""
        return None

    def item_parts(self, inputs: Any, items: Int[Tensor, " chosen"]) -> dict[str, Float[Tensor, "chosen _"]]:
        """Generic and unique parts of some items (see ``layers/parts.py``); empty for models that do not separate."""
        return {}


class UntrainedModel(Model):
    """A model that is computed from the training interactions at once; its run has one epoch and no losses."""

    trains: ClassVar[bool] = False

    @classmethod
    def prepare(cls, config: Config, dataset: Dataset, *, device: str | torch.device) -> Any:
        """The binary ``(users, items)`` training matrix; a model that reads more says so itself."""
        return dataset.train_matrix

    @classmethod
    def build(cls, config: Config, dataset: Dataset, inputs: Any, *, seed: int) -> UntrainedModel:
        """Nothing to draw."""
        model = cls()
        model.config = config
        return model

    @abstractmethod
    def scorer(self, inputs: Any) -> Scorer:
        """Scores of all items for some users."""
