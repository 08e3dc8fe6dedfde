"""Pooling over datasets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from study.analysis.stats.meta_analysis import hartung_knapp

# Thirteen trials of a vaccine (metafor's dat.bcg): tuberculosis yes and no with it, yes and no without.
BCG = np.array(
    [
        (4, 119, 11, 128),
        (6, 300, 29, 274),
        (3, 228, 11, 209),
        (62, 13536, 248, 12619),
        (33, 5036, 47, 5761),
        (180, 1361, 372, 1079),
        (8, 2537, 10, 619),
        (505, 87886, 499, 87892),
        (29, 7470, 45, 7232),
        (17, 1699, 65, 1600),
        (186, 50448, 141, 27197),
        (5, 2493, 3, 2338),
        (27, 16886, 29, 17825),
    ],
    dtype=float,
)


def log_risk_ratios(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    yes, no, yes_without, no_without = table.T
    effect = np.log(yes / (yes + no)) - np.log(yes_without / (yes_without + no_without))
    variance = 1 / yes - 1 / (yes + no) + 1 / yes_without - 1 / (yes_without + no_without)
    return effect, np.sqrt(variance)


def test_it_equals_metafor_on_the_vaccine_trials() -> None:
    # dat <- escalc(measure="RR", ai=tpos, bi=tneg, ci=cpos, di=cneg, data=dat.bcg)
    # rma(yi, vi, data=dat, test="knha"): estimate, interval, tau^2 (metafor 4; its README prints them rounded).
    pooled = hartung_knapp(*log_risk_ratios(BCG))
    assert pooled.mean == pytest.approx(-0.714532342158211, abs=1e-6)
    assert (pooled.low, pooled.high) == pytest.approx((-1.10844371368566, -0.320620970630764), abs=1e-6)
    assert pooled.tau**2 == pytest.approx(0.313243258137274, abs=1e-5)
    assert round(pooled.p, 4) == 0.0019
    # predict(res, transf=exp, digits=2): pi.lb 0.14, pi.ub 1.76.
    assert [round(math.exp(bound), 2) for bound in (pooled.next_low, pooled.next_high)] == [0.14, 1.76]


def test_equal_errors_without_heterogeneity_are_students_t_test() -> None:
    effects = np.array([0.1, 0.2, 0.15, 0.12, 0.18])
    pooled = hartung_knapp(effects, np.full(5, 1.0))
    assert pooled.tau == 0.0
    assert pooled.p == pytest.approx(stats.ttest_1samp(effects, 0).pvalue)
    assert (pooled.next_low, pooled.next_high) == (pooled.low, pooled.high)


def test_the_interval_covers_and_the_prediction_interval_covers_somewhat_less() -> None:
    rng = np.random.default_rng(0)
    covered = ahead = 0
    for _ in range(200):
        truth = 0.02 + 0.03 * rng.standard_normal(7)
        errors = rng.uniform(0.005, 0.03, 6)
        pooled = hartung_knapp(truth[:6] + errors * rng.standard_normal(6), errors)
        covered += pooled.low <= 0.02 <= pooled.high
        ahead += pooled.next_low <= truth[6] <= pooled.next_high
    assert covered / 200 > 0.9
    assert ahead / 200 > 0.8  # known of prediction intervals with few datasets; the docstring says so


def test_too_few_datasets_and_unknown_errors_are_refused() -> None:
    with pytest.raises(ValueError, match="needs 5 datasets"):
        hartung_knapp(np.zeros(4), np.ones(4))
    with pytest.raises(ValueError, match="errors positive"):
        hartung_knapp(np.zeros(5), np.zeros(5))
