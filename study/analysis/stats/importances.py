"""Which hyper-parameters mattered in a search, against what importances chance alone gives.

Importances of a search in which nothing matters are not zero, and they differ between parameters: they depend on how
the sampler spread each. So the trials' values are shuffled, and each parameter is held against its own shuffled
importances. (Ranges over resampled trials, as an earlier version had them, take a sampler's choices for independent
draws; they said nothing about chance.)
"""

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
from study.analysis.stats.family import holm

LEAST_TRIALS = 10
_TOP_TRIALS = 5  # PED-ANOVA compares the best trials with all; optuna advises at least five of them


class Importances(NamedTuple):
    """Importances that sum to 1, most important first.

    Attributes:
        names: hyper-parameters.
        importance: estimate from all trials.
        chance: 95 % quantile of the importance that the parameter has when the trials' values are shuffled.
        p: share of shuffles, the estimate counted among them, with at least this importance.
        p_holm: ``p`` corrected over the parameters (Holm).
    """

    names: tuple[str, ...]
    importance: Float[np.ndarray, " params"]
    chance: Float[np.ndarray, " params"]
    p: Float[np.ndarray, " params"]
    p_holm: Float[np.ndarray, " params"]


def importances(
    params: pd.DataFrame,
    values: Float[np.ndarray, " trials"],
    *,
    distributions: Mapping[str, BaseDistribution],
    rng: np.random.Generator,
    method: Literal["ped-anova", "fanova"] = "ped-anova",
    permutations: int = 199,
) -> Importances:
    """Importances of a maximised value, and whether shuffled values give as much.

    Args:
        params: one row per completed trial, one column per hyper-parameter; only those of ``distributions`` are read.
        values: the trials' values, higher is better.
        distributions: what was searched, as in ``FrozenTrial.distributions``.
        rng: shuffles the values and seeds fANOVA's forest.
        method: PED-ANOVA (Watanabe et al. 2023), which asks what sets the best trials apart; or fANOVA (Hutter et al.
            2014), which splits the variance over the whole space and takes about half a second a shuffle.
        permutations: shuffles; with 199 the smallest p-value is .005.

    Source: Altmann, Toloşi, Sander and Lengauer (2010) for the permutation null.

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
    plain = [{name: _plain(params[name].iloc[row]) for name in names} for row in range(len(values))]
    searched = {name: distributions[name] for name in names}
    with _quiet_optuna():
        estimate = _evaluate(_trials(plain, searched, values), names, method, rng)
        shuffled = np.stack(
            [
                _evaluate(_trials(plain, searched, rng.permutation(values)), names, method, rng)
                for _ in range(permutations)
            ]
        )
    # Estimates that are equal but for rounding count as reached.
    p = (1 + (shuffled >= estimate - 1e-12).sum(axis=0)) / (1 + permutations)
    order = np.argsort(-estimate, kind="stable")
    ordered = tuple(names[index] for index in order)
    chance = np.quantile(shuffled, 0.95, axis=0)
    return Importances(ordered, estimate[order], chance[order], p[order], holm(p)[order])


def _trials(
    params: list[dict[str, Any]], searched: dict[str, BaseDistribution], values: Float[np.ndarray, " trials"]
) -> list[optuna.trial.FrozenTrial]:
    return [
        optuna.trial.create_trial(params=given, distributions=searched, value=float(value))
        for given, value in zip(params, values, strict=True)
    ]


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
    importance_of = optuna.importance.get_param_importances(study, evaluator=evaluator, params=names)
    return np.array([importance_of[name] for name in names])


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    """Hundreds of shuffled studies need not announce themselves, nor warn that their best half are ties."""
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
