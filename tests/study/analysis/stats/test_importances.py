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
    ("method", "resamples"), [("ped-anova", 30), pytest.param("fanova", 3, marks=pytest.mark.slow)]
)
def test_the_parameter_that_matters_comes_first(method: str, resamples: int) -> None:
    params, values = searched(60)
    rng = np.random.default_rng(1)
    found = importances(params, values, distributions=DISTRIBUTIONS, rng=rng, method=method, resamples=resamples)  # type: ignore[arg-type]
    assert found.names[0] == "temperature"
    assert found.low[0] > found.chance == pytest.approx(1 / 3)
    assert found.importance.sum() == pytest.approx(1.0)
    assert "fixed" not in found.names


def test_few_trials_are_less_certain_than_many() -> None:
    def spread(trials: int) -> float:
        params, values = searched(trials)
        rng = np.random.default_rng(1)
        found = importances(params, values, distributions=DISTRIBUTIONS, rng=rng, resamples=15)
        return float(found.high[0] - found.low[0])

    assert spread(12) > 2 * spread(200)


def test_the_same_generator_gives_the_same_importances() -> None:
    params, values = searched(15)
    first, second = (
        importances(params, values, distributions=DISTRIBUTIONS, rng=np.random.default_rng(2), resamples=5)
        for _ in range(2)
    )
    assert first.low.tolist() == second.low.tolist()


def test_where_no_trial_differs_all_are_alike() -> None:
    params, values = searched(12)
    found = importances(
        params, np.zeros_like(values), distributions=DISTRIBUTIONS, rng=np.random.default_rng(3), resamples=3
    )
    assert found.importance.tolist() == found.low.tolist() == [found.chance] * 3


def test_optuna_stays_quiet_and_keeps_its_own_verbosity(caplog: pytest.LogCaptureFixture) -> None:
    optuna.logging.set_verbosity(optuna.logging.INFO)
    params, values = searched(12)
    with caplog.at_level(logging.INFO):
        importances(params, values, distributions=DISTRIBUTIONS, rng=np.random.default_rng(3), resamples=2)
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
