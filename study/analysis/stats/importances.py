"""Which hyper-parameters mattered in a search, and how sure that is with so few trials."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import numpy as np
import optuna
import pandas as pd
from jaxtyping import Float
from optuna.distributions import BaseDistribution

from sea_core.errors import UserError

LEAST_TRIALS = 10
_TOP_TRIALS = 5  # PED-ANOVA compares the best trials with all; optuna advises at least five of them


class Importances(NamedTuple):
    """Importances that sum to 1, most important first.

    Attributes:
        names: hyper-parameters.
        importance: estimate from all trials.
        low, high: 2.5 % and 97.5 % quantiles over resampled trials.
        chance: what each would be if none mattered more than another, ``1 / len(names)``.
    """

    names: tuple[str, ...]
    importance: Float[np.ndarray, " params"]
    low: Float[np.ndarray, " params"]
    high: Float[np.ndarray, " params"]
    chance: float


def importances(
    params: pd.DataFrame,
    values: Float[np.ndarray, " trials"],
    *,
    distributions: Mapping[str, BaseDistribution],
    rng: np.random.Generator,
    method: Literal["ped-anova", "fanova"] = "ped-anova",
    resamples: int = 200,
) -> Importances:
    """Importances of a maximised value, with uncertainty from resampling trials.

    Args:
        params: one row per completed trial, one column per hyper-parameter; only those of ``distributions`` are read.
        values: the trials' values, higher is better.
        distributions: what was searched, as in ``FrozenTrial.distributions``.
        rng: resamples trials and seeds fANOVA's forest.
        method: PED-ANOVA (Watanabe et al. 2023), which asks what sets the best trials apart; or fANOVA (Hutter et al.
            2014), which splits the variance over the whole space and takes about half a second a resample.
        resamples: bootstrap resamples of trials.

    Raises:
        UserError: with fewer than 10 trials.
        ValueError: if shapes differ or a value is not finite.
    """
    if len(params) != len(values) or not np.isfinite(values).all():
        raise ValueError(
            f"importances need one finite value per trial, got {len(params)} trials and {len(values)} values"
        )
    if len(values) < LEAST_TRIALS:
        raise UserError(
            f"importances need at least {LEAST_TRIALS} completed trials, got {len(values)}; run more trials"
        )
    names = [name for name, searched in distributions.items() if not searched.single()]
    trials = [
        optuna.trial.create_trial(
            params={name: _plain(params[name].iloc[row]) for name in names},
            distributions={name: distributions[name] for name in names},
            value=float(values[row]),
        )
        for row in range(len(values))
    ]
    drawn = rng.integers(len(trials), size=(resamples, len(trials)))
    with _quiet_optuna():
        estimate = _evaluate(trials, names, method, rng)
        resampled = np.stack([_evaluate([trials[row] for row in rows], names, method, rng) for rows in drawn])
    low, high = np.quantile(resampled, [0.025, 0.975], axis=0)
    order = np.argsort(-estimate, kind="stable")
    ordered = tuple(names[index] for index in order)
    return Importances(ordered, estimate[order], low[order], high[order], 1 / len(names))


def _evaluate(
    trials: list[optuna.trial.FrozenTrial], names: list[str], method: str, rng: np.random.Generator
) -> Float[np.ndarray, " params"]:
    """Normalised importances of one set of trials; all equal where the trials do not differ."""
    if len({trial.value for trial in trials}) == 1:
        return np.full(len(names), 1 / len(names))
    study = optuna.create_study(direction="maximize")
    study.add_trials(trials)
    evaluator: optuna.importance.BaseImportanceEvaluator
    if method == "fanova":
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=int(rng.integers(2**31)))
    else:
        quantile = min(0.5, max(0.1, _TOP_TRIALS / len(trials)))
        evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=quantile)
    found = optuna.importance.get_param_importances(study, evaluator=evaluator, params=names)
    return np.array([found[name] for name in names])


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    """Hundreds of resampled studies need not announce themselves, nor warn that their best half are ties."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Target and region quantiles", category=UserWarning)
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)


def _plain(value: Any) -> Any:
    """A NumPy scalar as the Python value optuna stores."""
    return value.item() if isinstance(value, np.generic) else value
