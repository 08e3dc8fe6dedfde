"""The power line of a dry run, checked against simulated ablations of the design that it describes."""

from pathlib import Path

import numpy as np
import pytest

from sea_core.evaluation.user_metrics import UserMetrics
from sea_core.run_folder import VALIDATION, write_user_metrics
from study.analysis.stats.crossed import crossed_effect
from study.analysis.stats.power import minimum_detectable_effect
from study.planning.power_preview import power_line, preview_power
from study.records.folder import StudyFolder
from study.records.study import load_study
from tests.study.results import write_arms, write_result, write_search

USERS, USER_SD, SEED_SD = 400, 0.05, 0.004


def draw(rng: np.random.Generator, seeds: int) -> np.ndarray:
    """Differences of two configs: users and seeds of known spread, and as much noise as users."""
    parts = rng.normal(0, USER_SD, USERS), rng.normal(0, SEED_SD, (seeds, 1)), rng.normal(0, USER_SD, (seeds, USERS))
    return np.asarray(parts[0] + parts[1] + parts[2])


def write_finalists(root: Path, seeds: int) -> Path:
    folder = StudyFolder(write_search(root))
    difference = draw(np.random.default_rng(5), seeds)
    for number, values in ((0, np.zeros_like(difference)), (1, difference)):
        for seed in range(seeds):
            path = folder.finalist(number, seed + 1)
            write_result(path, 0.1, seed=seed + 1, trial={"number": number})
            write_user_metrics(path / VALIDATION, UserMetrics(np.arange(USERS), {"recall@20": values[seed]}))
    return folder.root


def test_the_promised_difference_is_found_with_about_the_promised_power(tmp_path: Path) -> None:
    preview = preview_power(load_study(write_finalists(tmp_path, seeds=12)), seeds=5, comparisons=1)
    assert preview is not None
    assert preview.pilot == "finalists 0 and 1 on validation"
    rng = np.random.default_rng(1)
    power = np.mean([crossed_effect(draw(rng, 5) + preview.effect).p < 0.05 for _ in range(80)])
    assert 0.6 < power < 0.95  # the pilot's variances are estimates


def test_arms_that_ran_already_serve_as_the_pilot_of_more_seeds(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0, "no-club": 0.0}, seeds=3)
    difference = draw(np.random.default_rng(5), 3)
    for arm, values in (("full", np.zeros_like(difference)), ("no-club", difference)):
        for seed in (1, 2, 3):
            path = StudyFolder(root).ablation("frozen", arm, seed) / VALIDATION
            write_user_metrics(path, UserMetrics(np.arange(USERS), {"recall@20": values[seed - 1]}))
    preview = preview_power(load_study(root), seeds=5, comparisons=1)
    assert preview is not None
    expected = minimum_detectable_effect(crossed_effect(difference).components, seeds=5, users=USERS)
    assert (preview.effect, preview.pilot) == (pytest.approx(expected), "arms full and no-club on validation")
    message = power_line(load_study(root), seeds=5, users=1, comparisons=1)
    assert message.startswith(f"power: 5 seeds find a difference of {expected:.4f} in recall@20")


def test_without_a_pilot_the_effect_size_that_users_alone_allow_is_said() -> None:
    message = power_line(None, seeds=5, users=400, comparisons=1)
    assert "If seeds changed nothing, 5 seeds and 400 users would find an effect size d of 0.14" in message  # 2.8 / 20
    assert power_line(None, seeds=1, users=400, comparisons=1).startswith("power: one seed gives no interval")


@pytest.mark.parametrize("seeds", [1, 3])
def test_without_a_pair_of_finalists_or_with_one_seed_nothing_is_promised(tmp_path: Path, seeds: int) -> None:
    root = write_finalists(tmp_path / "a", seeds=3) if seeds == 1 else write_search(tmp_path / "b")
    assert preview_power(load_study(root), seeds=seeds, comparisons=4) is None
