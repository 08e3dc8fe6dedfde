"""Importances of hyper-parameters."""

from __future__ import annotations

import logging

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from sea_core.errors import UserError
from study.analysis.stats.importances import importances

DISTRIBUTIONS = {
    "temperature": FloatDistribution(0.05, 1.0, log=True),
    "knn_k": CategoricalDistribution([5, 10, 20]),
    "gnn_layers": IntDistribution(1, 4),
    "fixed": IntDistribution(3, 3),
}


def searched(trials: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """A random search in which only the temperature matters."""
    rng = np.random.default_rng(seed)
    params = pd.DataFrame(
        {
            "temperature": 0.05 * 20 ** rng.random(trials),
            "knn_k": rng.choice([5, 10, 20], trials),
            "gnn_layers": rng.integers(1, 5, trials),
            "fixed": 3,
        }
    )
    values = -np.square(np.log(params["temperature"].to_numpy() / 0.2)) + 0.05 * rng.standard_normal(trials)
    return params, values


@pytest.mark.parametrize(
    ("method", "permutations"), [("ped-anova", 39), pytest.param("fanova", 19, marks=pytest.mark.slow)]
)
def test_the_parameter_that_matters_comes_first(method: str, permutations: int) -> None:
    params, values = searched(60)
    rng = np.random.default_rng(1)
    importance = importances(
        params, values, distributions=DISTRIBUTIONS, rng=rng, method=method, permutations=permutations
    )  # type: ignore[arg-type]
    assert importance.names[0] == "temperature"
    assert importance.importance[0] > importance.chance[0]
    assert importance.p[0] == 1 / (1 + permutations)
    assert importance.importance.sum() == pytest.approx(1.0)
    assert "fixed" not in importance.names


@pytest.mark.slow
def test_parameters_that_do_not_matter_are_found_as_often_as_chance_allows() -> None:
    flagged = []
    for seed in range(40):
        params, _ = searched(30, seed)
        values = np.random.default_rng(1000 + seed).standard_normal(30)
        rng = np.random.default_rng(seed)
        importance = importances(params, values, distributions=DISTRIBUTIONS, rng=rng, permutations=19)
        flagged.append(bool((importance.p_holm <= 0.15).any()))
    assert np.mean(flagged) < 0.15 + 3 * np.sqrt(0.15 * 0.85 / 40)


def test_the_same_generator_gives_the_same_importances() -> None:
    params, values = searched(15)
    first, second = (
        importances(params, values, distributions=DISTRIBUTIONS, rng=np.random.default_rng(2), permutations=5)
        for _ in range(2)
    )
    assert first.chance.tolist() == second.chance.tolist()


def test_where_no_trial_differs_all_are_alike_and_nothing_is_shown() -> None:
    params, values = searched(12)
    importance = importances(
        params, np.zeros_like(values), distributions=DISTRIBUTIONS, rng=np.random.default_rng(3), permutations=3
    )
    assert importance.importance.tolist() == importance.chance.tolist() == [1 / 3] * 3
    assert importance.p.tolist() == [1.0] * 3


def test_optuna_stays_quiet_and_keeps_its_own_verbosity(caplog: pytest.LogCaptureFixture) -> None:
    optuna.logging.set_verbosity(optuna.logging.INFO)
    params, values = searched(12)
    with caplog.at_level(logging.INFO):
        importances(params, values, distributions=DISTRIBUTIONS, rng=np.random.default_rng(3), permutations=2)
    assert caplog.records == []
    assert optuna.logging.get_verbosity() == optuna.logging.INFO


def test_too_few_trials_are_refused() -> None:
    params, values = searched(9)
    with pytest.raises(UserError, match="at least 10 completed trials, got 9"):
        importances(params, values, distributions=DISTRIBUTIONS, rng=np.random.default_rng(0))


def test_a_value_that_is_not_finite_is_refused() -> None:
    params, values = searched(12)
    values[3] = np.nan
    with pytest.raises(ValueError, match="one finite value per trial"):
        importances(params, values, distributions=DISTRIBUTIONS, rng=np.random.default_rng(0))
