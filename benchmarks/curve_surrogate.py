"""Learning curves of configurations that were never trained, learned from those on file, with the noise of a seed.

A curve is its level (the smoothed best value) times its shape (the smoothed curve over the level), both predicted by
extremely randomised trees from the parameters, each on the scale it is searched on. Noise has the two parts that real
curves have: what differs between the seeds of a configuration (whole smoothed curves, from the replicates), and what
jumps from epoch to epoch (from runs of near configurations). How far this is to be trusted is ``cross_validate``'s
answer.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from scipy.stats import spearmanr
from sklearn.ensemble import ExtraTreesRegressor

from sea_core.errors import UserError
from study.searching.space import Space

METRIC = "recall@20"
_TREES = 100
_NEAR = 8  # configurations whose jumps a new one may have
_PLATEAU = 10  # last epochs whose mean a curve keeps after its end
CHECKED_EPOCHS = (5, 10, 20, 40)


class Quality(NamedTuple):
    """Cross-validated rank correlations (Spearman) between predicted and measured runs of unseen configurations.

    Attributes:
        best: of the best value of a whole run.
        at_epoch: of the smoothed value after so many epochs.
        epochs: of the number of epochs until early stopping.
        error: median absolute error of the best value, relative.
        between_seeds: standard deviation of the best value between seeds of a configuration, relative; the error that
            no surrogate can avoid. NaN if no configuration is on several.
    """

    best: float
    at_epoch: dict[int, float]
    epochs: float
    error: float
    between_seeds: float


class CurveSurrogate:
    """See the module. A function of (parameters, seed, world): equal arguments give equal curves."""

    def __init__(
        self,
        curves: pd.DataFrame,
        space: Space,
        *,
        most_epochs: int,
        metric: str = METRIC,
        seeds: Sequence[pd.DataFrame] = (),
    ) -> None:
        """Learn from a table of curves (``curve_table.read_curves``).

        Args:
            curves: rows of runs; those that diverged are left out.
            space: its parameters are what curves are predicted from.
            most_epochs: length of a predicted curve.
            metric: the validation metric.
            seeds: tables of other data, for the noise of seeds if this one has no configuration on several.

        Raises:
            UserError: fewer than ten runs, or no configuration on two seeds.
        """
        self.space, self.most_epochs = space, most_epochs
        runs = _runs(curves, metric, most_epochs)
        if len(runs) < 10:
            raise UserError(f"a surrogate needs at least 10 runs, the table has {len(runs)}; let make_curves.py go on")
        self._points = np.array([self.coordinates(run.row) for run in runs])
        self._knots = _knots(most_epochs)
        self._jumps = [run.jumps for run in runs]
        self._seed_curves = _seed_curves(runs, self._knots)
        if not len(self._seed_curves):
            elsewhere = [_seed_curves(_runs(table, metric, most_epochs), self._knots) for table in seeds]
            self._seed_curves = np.concatenate([self._seed_curves, *elsewhere])
        if not len(self._seed_curves):
            raise UserError("a surrogate needs configurations on several seeds; let make_curves.py go on")
        levels = np.array([run.level for run in runs])
        shapes = np.array([run.smooth[self._knots] / run.level for run in runs])
        weights = _equal_weights([run.configuration for run in runs])
        self._level = _forest(1).fit(self._points, levels, sample_weight=weights)
        self._shape = _forest(2).fit(self._points, shapes, sample_weight=weights)
        self._means: dict[bytes, np.ndarray] = {}

    def coordinates(self, parameters: Mapping[str, Any]) -> Float[np.ndarray, " parameters"]:
        """Where parameters lie in the unit cube: the inverse of ``curve_plan.at_share``, in the middle of a step."""
        return np.array([_share(distribution, parameters[name]) for name, distribution in self.space.items()])

    def mean_curve(self, parameters: Mapping[str, Any]) -> Float[np.ndarray, " epochs"]:
        """The smoothed validation curve without the noise of a seed, over ``most_epochs`` epochs."""
        point = self.coordinates(parameters)
        key = point.tobytes()
        if key not in self._means:
            level, shape = _predict(self._level, point), _predict(self._shape, point)
            self._means[key] = level[0] * np.interp(np.arange(self.most_epochs), self._knots, shape)
        return self._means[key]

    def curve(self, parameters: Mapping[str, Any], *, seed: int, world: int) -> Float[np.ndarray, " epochs"]:
        """The validation curve of one run, as if it were never stopped.

        Args:
            parameters: of the configuration.
            seed: of the run.
            world: repeats of a simulation differ by it: in each, every run has its own luck.
        """
        mean, point = self.mean_curve(parameters), self.coordinates(parameters)
        rng = np.random.default_rng(_number(point, seed, world))
        differs = self._seed_curves[rng.integers(len(self._seed_curves))] * rng.choice([-1.0, 1.0])
        near = np.argsort(np.abs(self._points - point).mean(axis=1), kind="stable")[:_NEAR]
        jumps = _continued(self._jumps[rng.choice(near)], self.most_epochs, rng)
        by_epoch = np.interp(np.arange(self.most_epochs), self._knots, differs)
        return np.clip(mean * (1 + by_epoch) * (1 + jumps), 0.0, 1.0)


def cross_validate(
    curves: pd.DataFrame,
    space: Space,
    *,
    most_epochs: int,
    stopping_step: int,
    folds: int = 10,
    metric: str = METRIC,
    seeds: Sequence[pd.DataFrame] = (),
) -> Quality:
    """How well the surrogate ranks configurations it has not seen; folds hold out whole configurations.

    More than six parameters: those of the surrogate, passed on, and its folds.

    Args:
        curves: the table.
        space, most_epochs, metric, seeds: as for the surrogate.
        stopping_step: early stopping of a run.
        folds: how many.
    """
    table = curves[curves["end"] != "diverged"]
    fold = table["configuration"] % folds
    measured, predicted = [], []
    for index in range(folds):
        unseen = _runs(table[fold == index], metric, most_epochs)
        if not unseen:
            continue
        surrogate = CurveSurrogate(table[fold != index], space, most_epochs=most_epochs, metric=metric, seeds=seeds)
        for run in unseen:
            mean = surrogate.mean_curve(run.row)
            drawn = surrogate.curve(run.row, seed=run.seed, world=0)
            predicted.append([mean.max(), *mean[list(CHECKED_EPOCHS)], epochs_run(drawn, stopping_step)])
            measured.append([run.best, *run.smooth[list(CHECKED_EPOCHS)], run.epochs])
    predictions, wanted = np.array(predicted), np.array(measured)
    ranks = [
        float(spearmanr(predictions[:, column], wanted[:, column]).statistic) for column in range(predictions.shape[1])
    ]
    return Quality(
        best=ranks[0],
        at_epoch=dict(zip(CHECKED_EPOCHS, ranks[1:-1], strict=True)),
        epochs=ranks[-1],
        error=float(np.median(np.abs(predictions[:, 0] / wanted[:, 0] - 1))),
        between_seeds=_spread_between_seeds(table, metric),
    )


def epochs_run(curve: Float[np.ndarray, " epochs"], stopping_step: int) -> int:
    """How many epochs of a curve are run before early stopping, as ``TrainingRun.finished`` decides."""
    best = np.maximum.accumulate(curve)
    improved = np.concatenate([[True], curve[1:] > best[:-1]])
    last_best = np.maximum.accumulate(np.where(improved, np.arange(len(curve)), 0))
    stale = np.arange(len(curve)) - last_best > stopping_step
    return int(np.argmax(stale)) + 1 if stale.any() else len(curve)


class _Run:
    """One measured run: smoothed curve, continued after its end, and what jumps around it."""

    def __init__(self, rows: pd.DataFrame, metric: str, most_epochs: int) -> None:
        self.row = {str(name): value for name, value in rows.iloc[0].items()}
        self.configuration, self.seed = int(self.row["configuration"]), int(self.row["seed"])
        values = rows.sort_values("epoch")[metric].to_numpy()[:most_epochs]
        smooth = _smooth(values)
        self.epochs, self.best, self.level = len(values), float(values.max()), float(smooth.max())
        self.jumps = values / np.maximum(smooth, 1e-12) - 1
        last = np.full(most_epochs - len(values), smooth[-_PLATEAU:].mean())
        self.smooth = np.concatenate([smooth, last])


def _runs(curves: pd.DataFrame, metric: str, most_epochs: int) -> list[_Run]:
    """The runs of a table by configuration and seed, without those that diverged."""
    finished = curves[curves["end"] != "diverged"]
    return [_Run(rows, metric, most_epochs) for _, rows in finished.groupby(["configuration", "seed"], sort=True)]


def _smooth(values: Float[np.ndarray, " epochs"]) -> Float[np.ndarray, " epochs"]:
    """A centred mean whose window grows with the epoch: a curve rises steeply at first."""
    totals = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    half = np.minimum(np.minimum(at // 6, 5), len(values) - 1 - at)
    return (totals[at + half + 1] - totals[at - half]) / (2 * half + 1)


def _knots(most_epochs: int) -> np.ndarray:
    """Epochs at which curves are predicted, closer together where curves bend."""
    return np.unique(np.round(np.geomspace(1, most_epochs, 28)).astype(int) - 1)


def _seed_curves(runs: Sequence[_Run], knots: np.ndarray) -> np.ndarray:
    """``(replicates, knots)``: smoothed curve of a seed over the mean of its configuration's seeds, less 1."""
    deviations = []
    for _, group in itertools.groupby(runs, key=lambda run: run.configuration):
        curves = np.array([run.smooth[knots] for run in group])
        if len(curves) > 1:
            # The mean holds a share of each seed, so deviations from it are too small by this factor.
            scale = np.sqrt(len(curves) / (len(curves) - 1))
            deviations.append(scale * (curves / np.maximum(curves.mean(axis=0), 1e-12) - 1))
    return np.concatenate(deviations) if deviations else np.empty((0, len(knots)))


def _continued(jumps: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """Jumps of a run; after its end, blocks of its second half at random."""
    pieces = [jumps[:length]]
    half = jumps[len(jumps) // 2 :]
    while sum(map(len, pieces)) < length:
        start = int(rng.integers(len(half)))
        pieces.append(half[start : start + 10])
    return np.concatenate(pieces)[:length]


def _forest(seed: int) -> ExtraTreesRegressor:
    return ExtraTreesRegressor(_TREES, max_features=0.7, random_state=seed, n_jobs=1)


def _predict(forest: ExtraTreesRegressor, point: np.ndarray) -> np.ndarray:
    """``forest.predict`` of one point without its checks, which take most of its time."""
    row = point[None].astype(np.float32)
    return np.mean([tree.tree_.predict(row).ravel() for tree in forest.estimators_], axis=0)


def _equal_weights(configurations: Sequence[int]) -> np.ndarray:
    """A configuration on three seeds counts as much as one on a single seed."""
    counts = pd.Series(configurations).value_counts()
    return np.array([1 / counts[each] for each in configurations])


def _spread_between_seeds(curves: pd.DataFrame, metric: str) -> float:
    best = curves.groupby(["configuration", "seed"])[metric].max().groupby("configuration")
    several = best.count() > 1
    if not several.any():
        return float("nan")
    return float(np.sqrt(((best.std() / best.mean())[several] ** 2).mean()))


def _share(distribution: Any, value: Any) -> float:
    if isinstance(distribution, CategoricalDistribution):
        # Choices of the shipped spaces are ordered numbers, so nearness means something.
        return (distribution.choices.index(value) + 0.5) / len(distribution.choices)
    if isinstance(distribution, IntDistribution):
        return float((value - distribution.low + 0.5) / (distribution.high - distribution.low + 1))
    assert isinstance(distribution, FloatDistribution)
    low, high = distribution.low, distribution.high
    return float(np.log(value / low) / np.log(high / low) if distribution.log else (value - low) / (high - low))


def _number(point: np.ndarray, seed: int, world: int) -> int:
    digest = hashlib.sha256(point.tobytes() + f"/{seed}/{world}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
