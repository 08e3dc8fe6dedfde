"""A study whose truth is known, analysed from its records to its verdicts.

Three real effects (2, 4 and 8 % of the full model's recall), five nulls, and one interaction: CLUB and Solosim cost 4 %
and 2 % when removed, both together 8 %, which is 2 % more than the sum.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sea_core.evaluation.user_metrics import UserMetrics
from sea_core.run_folder import TEST, write_user_metrics
from study.analysis.comparisons import Comparisons, compare_study
from study.analysis.stats.comparison import Comparison
from study.records.folder import StudyFolder
from study.records.question import Question, fix_question
from study.records.study import load_study
from tests.study.results import write_result

SEEDS = tuple(range(1, 11))
USERS = 2000
LEVEL = 0.2
EFFECTS = {"no-club": -0.04, "no-solosim": -0.02, "no-both": -0.08}
NULLS = ("negative-l2", "orthogonal", "subtraction", "symmetric-infonce", "zero-club")
METRIC = "recall@20"
ASKED = Question(METRIC, tuple(EFFECTS), 0.02, 0.05, SEEDS, (10,), (*EFFECTS, *NULLS))


def write_truth(root: Path, *, margin: float = 0.02) -> Path:
    """Ten seeds of nine arms: users, seeds and their interaction vary as they do in real runs."""
    folder = StudyFolder(root)
    rng = np.random.default_rng(7)
    users = LEVEL * rng.gamma(2.0, 0.5, USERS)
    for arm, effect in {"full": 0.0, **EFFECTS, **dict.fromkeys(NULLS, 0.0)}.items():
        taste = np.zeros(USERS) if arm == "full" else 0.02 * rng.standard_normal(USERS)
        taste -= taste.mean()  # the truth is exact for these users
        for seed in SEEDS:
            shift = 0.0006 * rng.standard_normal()
            values = users + LEVEL * effect + taste + shift + 0.05 * rng.standard_normal(USERS)
            path = folder.ablation("frozen", arm, seed)
            write_result(path, LEVEL, seed=seed, arm=arm, mode="frozen", arm_title=arm)
            write_user_metrics(path / TEST, UserMetrics(np.arange(USERS), {METRIC: values}))
    fix_question(folder.question, replace(ASKED, margin=margin))
    return root


@pytest.fixture(scope="module")
def comparisons(tmp_path_factory: pytest.TempPathFactory) -> Comparisons:
    return compare_study(load_study(write_truth(tmp_path_factory.mktemp("truth") / "s")), [METRIC])


@pytest.fixture(scope="module")
def rows(comparisons: Comparisons) -> dict[str, Comparison]:
    return {row.arm: row for row in comparisons.arms}


def test_the_three_effects_are_found_and_their_size_is_within_bounds(rows: dict[str, Comparison]) -> None:
    for arm, effect in EFFECTS.items():
        row = rows[arm]
        assert (row.verdict, row.family, row.gate) == ("worse", "primary", "open")
        assert row.low <= effect * LEVEL <= row.high
        assert row.sim_low <= effect * LEVEL <= row.sim_high == 0.0
        assert row.p_adjusted < 0.05


def test_no_null_is_called_better_or_worse(rows: dict[str, Comparison]) -> None:
    for arm in NULLS:
        row = rows[arm]
        assert row.verdict not in ("better", "worse")
        assert row.family == "rivals"
        assert row.sim_low <= 0.0 <= row.sim_high
    # All primary contrasts are through, so the gate is open and the nulls are shown to cost less than the margin.
    assert all(rows[arm].gate == "open" for arm in NULLS)
    assert sum(rows[arm].verdict in ("non-inferior", "equivalent") for arm in NULLS) >= 4


def test_the_interaction_is_recovered(comparisons: Comparisons) -> None:
    factors = {row.arm: row for row in comparisons.factors}
    # full - no-club - no-solosim + no-both = 0 + 4 + 2 - 8 = -2 %; main effects (4 + 6) / 2 and (2 + 4) / 2.
    truth = {"club": 0.05, "solosim": 0.03, "club x solosim": -0.02}
    for name, effect in truth.items():
        assert factors[name].low <= effect * LEVEL <= factors[name].high
    assert factors["club"].verdict == factors["solosim"].verdict == "better"
    assert factors["club x solosim"].difference == pytest.approx(-0.02 * LEVEL, abs=0.002)


def test_variances_are_those_that_were_planted(rows: dict[str, Comparison]) -> None:
    sd_seed = np.sqrt(np.mean([row.sd_seed**2 for row in rows.values()]))
    assert sd_seed == pytest.approx(0.0006 * np.sqrt(2), rel=0.4)
    for row in rows.values():
        assert row.sd_user == pytest.approx(0.02, rel=0.1)
        assert row.sd_residual == pytest.approx(0.05 * np.sqrt(2), rel=0.05)
        assert row.df == 13  # nine of their own and four borrowed


def test_a_wide_margin_makes_the_small_loss_a_small_loss(tmp_path: Path) -> None:
    wide = compare_study(load_study(write_truth(tmp_path / "s", margin=0.06)), [METRIC])
    small = next(row for row in wide.arms if row.arm == "no-solosim")
    assert small.verdict == "worse"
    assert small.within_margin
    large = next(row for row in wide.arms if row.arm == "no-both")
    assert (large.verdict, large.within_margin) == ("worse", False)
