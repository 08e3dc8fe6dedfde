"""A resumable training run: one epoch at a time, validated after each, stopped early."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.errors import DivergedError
from sea_core.evaluation.full_ranking import FullRanking, Scorer, embedding_scorer
from sea_core.evaluation.user_metrics import UserMetrics
from sea_core.hashing import hash_tensors
from sea_core.kernels import load_kernel
from sea_core.models.protocol import Embeddings, Model, TrainedModel, UntrainedModel
from sea_core.models.registry import find_model
from sea_core.training.batches import EpochBatches
from sea_core.training.step import Stepper


class EpochReport(NamedTuple):
    """What an epoch showed.

    Attributes:
        epoch: from 0.
        losses: mean over the epoch's batches of each unweighted term, with ``clamped_<modality>``, the share of batches
            whose CLUB bound was negative.
        validation: mean of each metric.
        improved: whether the watched metric beat the best so far.
        seconds: wall time of training and validation.
        cpu_seconds: processor time of this process in them, all cores together.
    """

    epoch: int
    losses: Mapping[str, float]
    validation: Mapping[str, float]
    improved: bool
    seconds: float
    cpu_seconds: float = 0.0  # of checkpoints from before it was measured


class BestEpoch(NamedTuple):
    """The best epoch so far: per-user validation metrics and the embeddings they came from (on the CPU).

    A model that is not trained has no embeddings; ``TrainingRun.scorer`` serves both kinds.
    """

    epoch: int
    validation: UserMetrics
    user_embedding: Float[Tensor, "users dim"] | None
    item_embedding: Float[Tensor, "items dim"] | None


class TrainingRun:
    """Trains one (config, seed) on one dataset, whatever the model; one that needs no training is done after one epoch.

    Equal (config, seed, data, threads, torch build, CPU type) give equal reports and weights, to the bit, however often
    the run was stopped and resumed through ``state`` and ``load_state``.
    """

    def __init__(
        self,
        config: Config,
        dataset: Dataset,
        *,
        seed: int,
        device: str = "cpu",
        inputs: Any = None,
        validation: FullRanking | None = None,
        keep_best_weights: bool = False,
        negatives_seed: int | None = None,
    ) -> None:
        """Build the model at its initial weights.

        More than six parameters: three determine the run; the others only say where and with what at hand.

        Args:
            config, dataset, seed: what determines the run.
            device: where it trains.
            inputs, validation: what the model's ``prepare`` returned, and the ranking structure, shared by runs on one
                dataset; built if None.
            keep_best_weights: remember the weights of the best epoch, for ``best_parts``; as much memory again.
            negatives_seed: draws the negatives in place of ``seed``: copies of a run that differ in nothing else. It is
                no part of a checkpoint, so the caller's files must tell such copies apart.

        Raises:
            UserError: the data and the config do not fit each other.
        """
        self.config, self.dataset, self.seed, self.device = config, dataset, seed, device
        kind = find_model(config.model)
        self.inputs = kind.prepare(config, dataset, device=device) if inputs is None else inputs
        self.model: Model = kind.build(config, dataset, self.inputs, seed=seed).to(device)
        self.init_hashes = {name: hash_tensors({name: value}) for name, value in self.model.named_parameters()}
        self._training: _Training | None = None
        if isinstance(self.model, TrainedModel):
            self._training = _Training(self.model, dataset, seed, negatives_seed)
        self._validation = validation_ranking(config, dataset, device=device) if validation is None else validation
        self.reports: list[EpochReport] = []
        self._best: BestEpoch | None = None
        self._best_value = -np.inf
        self._keep_best_weights = keep_best_weights
        self._best_weights: dict[str, Tensor] = {}

    @property
    def finished(self) -> bool:
        """All epochs are run, or more than ``stopping_step`` epochs brought nothing better."""
        epochs = len(self.reports)
        if self._training is None:
            return epochs == 1
        stale = epochs - 1 - self._best.epoch if self._best is not None else 0
        return epochs >= self.config.epochs or stale > self.config.stopping_step

    @property
    def best(self) -> BestEpoch:
        """The best epoch so far; available after the first ``advance``."""
        if self._best is None:
            raise RuntimeError("no epoch has been run yet; call advance() first")
        return self._best

    def advance(self) -> EpochReport:
        """Train one epoch, validate, and remember the epoch if it is the best.

        Raises:
            DivergedError: a loss term or an embedding is not finite.
        """
        kernel = load_kernel("threads") if self.device == "cpu" else None
        with contextlib.nullcontext() if kernel is None else kernel.a_core_for_each():
            return self._advance()

    def _advance(self) -> EpochReport:
        started, cpu_started, epoch = time.perf_counter(), time.process_time(), len(self.reports)
        losses, embeddings = ({}, None) if self._training is None else self._train_epoch(self._training, epoch)
        scorer = self._untrained_scorer() if embeddings is None else embedding_scorer(*embeddings)
        validation = self._validation.evaluate(scorer)
        means = validation.means()
        value = means[self.config.valid_metric]
        if self._training is not None and self.config.stopping_decimals is not None:
            value = round(value, self.config.stopping_decimals)
        improved = value > self._best_value
        if improved:
            self._best_value = value
            user, item = (None, None) if embeddings is None else (each.cpu().clone() for each in embeddings)
            self._best = BestEpoch(epoch, validation, user, item)
            if self._keep_best_weights and self._training is not None:
                self._best_weights = {
                    name: value.detach().clone() for name, value in self._training.model.main_parameters()
                }
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        report = EpochReport(epoch, losses, means, improved, seconds, cpu_seconds)
        self.reports.append(report)
        return report

    def scorer(self) -> Scorer:
        """Scores as those of the best epoch, on the CPU."""
        user, item = self.best.user_embedding, self.best.item_embedding
        return self._untrained_scorer() if user is None or item is None else embedding_scorer(user, item)

    def best_parts(self, items: Int[np.ndarray, " chosen"]) -> dict[str, Float[Tensor, "chosen _"]] | None:
        """Generic and unique parts of some items at the end of the best epoch, on the CPU (see ``separated_parts``).

        None if its weights were not kept, by this run or by the one whose checkpoint it goes on from, or if the model
        does not separate.
        """
        if not self._best_weights or self._training is None:
            return None
        parameters = dict(self.model.named_parameters())
        now = {name: parameters[name].data for name in self._best_weights}
        try:
            for name, value in self._best_weights.items():
                parameters[name].data = value
            parts = self._training.model.item_parts(self.inputs, torch.from_numpy(items).to(self.device))
        finally:
            for name, value in now.items():
                parameters[name].data = value
        return {name: value.float().cpu() for name, value in parts.items()} or None

    def weights_hash(self) -> str:
        """Hash of all weights as they are now."""
        return hash_tensors(dict(self.model.named_parameters()))

    def draw_hashes(self) -> dict[str, str]:
        """Hashes of the first epoch's batches and negatives, equal in every arm that shares a seed and dataset."""
        if self._training is None:
            return {}
        batches = list(self._training.batches.of_epoch(0))
        pairs = torch.stack([torch.cat([b.user for b in batches]), torch.cat([b.positive for b in batches])])
        negatives = torch.cat([b.negative for b in batches])
        return {"batches": hash_tensors({"batches": pairs}), "negatives": hash_tensors({"negatives": negatives})}

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything a resumed run needs, as flat named tensors and JSON-ready values.

        The random streams are functions of (seed, epoch), so the epoch is all that is kept of them.
        """
        tensors = {f"model/{name}": value.detach() for name, value in self.model.state_dict().items()}
        if self._training is not None:
            stepper = self._training.stepper
            tensors |= {f"adam/{name}": value for name, value in stepper.optimiser.state().items()}
            if stepper.fitter is not None:
                tensors |= {f"club_fitter/{name}": value for name, value in stepper.fitter.state().items()}
        if self._best is not None:
            if self._best.user_embedding is not None and self._best.item_embedding is not None:
                tensors["best/user"], tensors["best/item"] = self._best.user_embedding, self._best.item_embedding
            tensors["best/users"] = torch.from_numpy(self._best.validation.users)
            tensors |= {f"best/{name}": torch.from_numpy(value) for name, value in self._best.validation.values.items()}
        tensors |= {f"best_weights/{name}": value for name, value in self._best_weights.items()}
        values = {
            "config": self.config.as_dict(),
            "seed": self.seed,
            "data_hash": self.dataset.data_hash,
            "init_hashes": self.init_hashes,
            "best_epoch": None if self._best is None else self._best.epoch,
            "best_value": None if self._best is None else self._best_value,
            "reports": [report._asdict() for report in self.reports],
        }
        return tensors, values

    def load_state(self, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
        """Continue from what ``state`` returned.

        Raises:
            ValueError: the state belongs to another config, seed or dataset.
        """
        theirs = {**values, "config": Config.from_record(values["config"], source="checkpoint").as_dict()}
        mine = {"config": self.config.as_dict(), "seed": self.seed, "data_hash": self.dataset.data_hash}
        for key, expected in mine.items():
            if theirs[key] != expected:
                raise ValueError(f"checkpoint has another {key}: expected {expected!r}, found {theirs[key]!r}")
        groups: dict[str, dict[str, Tensor]] = {
            "model": {},
            "adam": {},
            "club_fitter": {},
            "best": {},
            "best_weights": {},
        }
        for name, value in tensors.items():
            group, _, rest = name.partition("/")
            groups[group][rest] = value
        self.model.load_state_dict(groups["model"])
        if self._training is not None:
            self._training.stepper.optimiser.load_state(groups["adam"])
            if self._training.stepper.fitter is not None:
                self._training.stepper.fitter.load_state(groups["club_fitter"])
        self.reports = [EpochReport(**report) for report in values["reports"]]
        if values["best_epoch"] is not None:
            best = groups["best"]
            user, item, users = best.pop("user", None), best.pop("item", None), best.pop("users")
            # The file has its tensors in an order of its own; records have the metrics in that of the reports.
            names = self.reports[values["best_epoch"]].validation
            metrics = UserMetrics(users.numpy(), {name: best[name].numpy() for name in names})
            self._best = BestEpoch(values["best_epoch"], metrics, user, item)
            self._best_value = values["best_value"]
            self._best_weights = {n: value.to(self.device) for n, value in groups["best_weights"].items()}

    def _untrained_scorer(self) -> Scorer:
        assert isinstance(self.model, UntrainedModel)
        return self.model.scorer(self.inputs)

    def _train_epoch(self, training: _Training, epoch: int) -> tuple[dict[str, float], tuple[Tensor, Tensor]]:
        """Train on every batch; return mean losses and the embeddings to evaluate: ``(U, D)`` and ``(I, D)``."""
        losses, last = training.of_epoch(self.inputs, epoch)
        with torch.no_grad():
            if last is None or self.config.evaluation_embeddings != "last_batch":
                last = training.model.encode(self.inputs)
            user, item = last.user.detach(), last.item.detach()
        if not bool(torch.isfinite(user).all() & torch.isfinite(item).all()):
            raise DivergedError(epoch=epoch, batch=len(training.batches) - 1, term="embeddings")
        return losses, (user, item)


class _Training:
    """The half of a run that a model without training lacks: batches, draws and steps."""

    def __init__(self, model: TrainedModel, dataset: Dataset, seed: int, negatives_seed: int | None) -> None:
        self.model, self._seed = model, seed
        self.stepper = Stepper(model)
        self.batches = EpochBatches(
            dataset.train,
            users=dataset.users,
            items=dataset.items,
            batch_size=model.config.batch_size,
            seed=seed,
            device=next(model.parameters()).device,
            negatives_seed=negatives_seed,
        )

    def of_epoch(self, inputs: Any, epoch: int) -> tuple[dict[str, float], Embeddings | None]:
        """Train on every batch; return mean losses and the embeddings of the last forward, before its update."""
        self.stepper.begin_epoch(epoch)
        draws = self.model.draws_of_epoch(inputs, seed=self._seed, epoch=epoch)
        rows: list[Tensor] = []
        names: list[str] = []
        for batch in self.batches.of_epoch(epoch):
            forward, terms = self.stepper.step(inputs, batch, draws(batch))
            names = list(terms)
            rows.append(torch.stack(list(terms.values())))
        values = torch.stack(rows).double().cpu().numpy()  # (batches, terms): the epoch's only read-back of losses
        broken = np.argwhere(~np.isfinite(values))
        if len(broken) > 0:
            batch_index, term = broken[0]
            raise DivergedError(epoch=epoch, batch=int(batch_index), term=names[term])
        losses = dict(zip(names, values.mean(axis=0).tolist(), strict=True))
        for index, name in enumerate(names):
            if name.startswith("bound_"):
                losses[name.replace("bound_", "clamped_", 1)] = float((values[:, index] < 0).mean())
        return losses, forward.embeddings


def validation_ranking(config: Config, dataset: Dataset, *, device: str = "cpu") -> FullRanking:
    """The ranking structure of the validation split, at the config's ``ks``."""
    return FullRanking(dataset.train_matrix, dataset.valid, config.ks, device=device)
