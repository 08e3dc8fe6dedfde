"""The one call that tables use."""

from __future__ import annotations

import math
import time

import numpy as np
import pandas as pd
import pytest

from sea_core.errors import UserError
from study.analysis.stats.compare import compare_arms, compare_factorial
from study.analysis.stats.comparison import Comparison
from study.analysis.stats.crossed import crossed_effect, standardised_difference

Values = dict[str, dict[str, np.ndarray]]


def arms(shifts: dict[str, float], *, seeds: int = 6, users: int = 400, seed_sd: float = 0.0005) -> Values:
    """Arms that differ from a common base by a shift, noise per user and seed, and an effect of the seed."""
    rng = np.random.default_rng(0)
    base = 0.2 + 0.1 * rng.random((1, users))
    values: Values = {}
    for arm, shift in shifts.items():
        noise = 0.02 * rng.standard_normal((seeds, users)) + seed_sd * rng.standard_normal((seeds, 1))
        values[arm] = {"recall@20": base + shift + noise, "ndcg@20": base + shift - noise}
    return values


def compared(values: Values, **options: float) -> dict[tuple[str, str], Comparison]:
    rows = compare_arms(values, reference="full", rng=np.random.default_rng(1), resamples=200, **options)  # type: ignore[arg-type]
    return {(row.arm, row.metric): row for row in rows}


def test_arms_planted_better_worse_and_equal_are_called_so() -> None:
    rows = compared(arms({"full": 0.0, "up": 0.02, "down": -0.02, "same": 0.0}))
    verdicts = {arm: rows[arm, "recall@20"].verdict for arm in ("up", "down", "same")}
    assert verdicts == {"up": "better", "down": "worse", "same": "equivalent"}


def test_a_row_holds_the_crossed_effect_and_its_context() -> None:
    values = arms({"full": 0.0, "up": 0.02})
    row = compared(values)["up", "ndcg@20"]
    full, up = values["full"]["ndcg@20"], values["up"]["ndcg@20"]
    effect = crossed_effect(up - full)
    # An arm alone has nobody to borrow variance from.
    assert (row.difference, row.low, row.high, row.p) == pytest.approx((effect.mean, effect.low, effect.high, effect.p))
    assert row.p_unmoderated == row.p
    assert row.effect_size == pytest.approx(standardised_difference(full, up))
    assert row.relative == pytest.approx(up.mean() / full.mean() - 1)
    assert row.arm_mean == pytest.approx(up.mean())
    assert row.margin == pytest.approx(0.02 * full.mean())
    assert (row.users, row.seeds) == (400, 6)
    assert row.bootstrap_low < row.difference < row.bootstrap_high


def test_arms_borrow_variance_from_each_other_and_the_csv_keeps_their_own_p() -> None:
    rows = compared(arms({"full": 0.0, "a": 0.001, "b": 0.002, "c": 0.003}, seeds=3, seed_sd=0.01))
    for metric in ("recall@20", "ndcg@20"):
        mine = [rows[arm, metric] for arm in ("a", "b", "c")]
        assert {row.df for row in mine} == {3}  # 2 of their own, rounded down from 3.6
        assert all(row.p != row.p_unmoderated for row in mine)
        # The row's components give its standard error: interval and power share one variance.
        for row in mine:
            variance = row.sd_user**2 / row.users + row.sd_seed**2 / 3 + row.sd_residual**2 / (3 * row.users)
            assert variance == pytest.approx(row.standard_error**2)


def test_the_first_metric_is_asked_before_the_others() -> None:
    values = arms({"full": 0.0, "a": -0.004})
    values["a"]["ndcg@20"] = values["full"]["ndcg@20"] + 0.05 * np.random.default_rng(5).random((6, 400))
    rows = compared(values, margin=0.005)
    assert rows["a", "recall@20"].family == "recall@20"
    assert rows["a", "ndcg@20"].family == "ndcg@20"
    assert rows["a", "recall@20"].p_adjusted <= rows["a", "ndcg@20"].p_adjusted


def test_behind_a_closed_gate_nothing_is_decided() -> None:
    noise = np.random.default_rng(4).standard_normal((3, 1)) * 0.05
    values = arms({"full": 0.0, "a": 0.0}, seeds=3)
    values["a"]["recall@20"] = values["full"]["recall@20"] + noise  # nobody can say anything of it
    values["a"]["ndcg@20"] = values["full"]["ndcg@20"] + 0.1 + 0.001 * np.random.default_rng(5).random((3, 400))
    rows = compared(values)
    assert rows["a", "recall@20"].verdict == "undecided"
    behind = rows["a", "ndcg@20"]
    assert (behind.verdict, behind.gate) == ("descriptive", "closed")
    assert behind.p < 0.001
    assert behind.p_adjusted > 0.05


def test_a_loss_within_the_margin_is_non_inferior_and_says_so() -> None:
    row = compared(arms({"full": 0.0, "a": -0.001}, seed_sd=0.0005))["a", "recall@20"]
    assert row.margin == pytest.approx(0.005, rel=0.02)
    assert row.verdict in ("non-inferior", "worse", "equivalent")
    assert row.sim_low >= -row.margin


def test_one_seed_says_what_cannot_be_said() -> None:
    row = compared(arms({"full": 0.0, "up": 0.02}, seeds=1))["up", "recall@20"]
    assert row.difference == pytest.approx(0.02, abs=0.005)
    assert all(math.isnan(v) for v in (row.low, row.p, row.p_adjusted, row.mde, row.bootstrap_low, row.p_equivalent))
    assert row.verdict == "undecided"
    assert row.note.startswith("one seed: how much another seed would change is unknown")


def test_an_arm_that_changes_nothing_is_named_as_such() -> None:
    values = arms({"full": 0.0, "up": 0.02})
    values["twin"] = {metric: array.copy() for metric, array in values["full"].items()}
    row = compared(values)["twin", "recall@20"]
    assert (row.difference, row.p, row.verdict) == (0.0, 1.0, "equivalent")
    assert row.note == "the two arms gave the same value for every user and seed"


def test_a_reference_that_never_hits_has_no_relative_difference() -> None:
    values = {"full": {"recall@1": np.zeros((3, 20))}, "a": {"recall@1": np.zeros((3, 20))}}
    row = compared(values)["a", "recall@1"]
    assert math.isnan(row.relative)
    assert math.isnan(row.p_equivalent)


def test_the_order_of_users_does_not_matter() -> None:
    values = arms({"full": 0.0, "a": 0.002})
    order = np.random.default_rng(3).permutation(400)
    shuffled = {arm: {metric: array[:, order] for metric, array in m.items()} for arm, m in values.items()}
    for first, second in zip(compared(values).values(), compared(shuffled).values(), strict=True):
        assert second.p_adjusted == pytest.approx(first.p_adjusted)
        assert second.mde == pytest.approx(first.mde)


def test_rows_make_a_table() -> None:
    frame = pd.DataFrame(compared(arms({"full": 0.0, "a": 0.002, "b": 0.0})).values())
    assert list(frame["metric"]) == ["recall@20", "ndcg@20", "recall@20", "ndcg@20"]
    assert list(frame.columns[:5]) == ["study", "mode", "dataset", "metric", "arm"]


def test_factorial_rows_find_a_planted_interaction() -> None:
    values = arms({"full": 0.03, "no-club": 0.0, "no-solosim": 0.0, "no-both": 0.0, "other": 0.5})
    rows = compare_factorial(values, rng=np.random.default_rng(1), resamples=100)
    by_arm = {row.arm: row for row in rows if row.metric == "recall@20"}
    assert list(by_arm) == ["club", "solosim", "club x solosim"]
    assert by_arm["club x solosim"].difference == pytest.approx(0.03, abs=0.004)
    assert by_arm["club"].difference == pytest.approx(0.015, abs=0.003)
    assert by_arm["club x solosim"].verdict == "better"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.pop("full"), "unknown reference arm 'full'; did you mean"),
        (lambda v: v["a"].pop("ndcg@20"), "arm 'a' has the metrics recall@20, but 'full' has recall@20, ndcg@20"),
        (
            lambda v: v["a"].update({"ndcg@20": v["a"]["ndcg@20"][:2]}),
            "ndcg@20 of arm 'a' has 2 seeds x 400 users, but 'full' has 6 seeds x 400 users",
        ),
        (lambda v: v["a"]["ndcg@20"].__setitem__((0, 0), np.nan), "ndcg@20 of arm 'a' .* not finite"),
    ],
)
def test_arms_that_cannot_be_compared_are_refused(change: object, message: str) -> None:
    values = arms({"full": 0.0, "fulls": 0.0, "a": 0.0})
    change(values)  # type: ignore[operator]
    with pytest.raises(UserError, match=message):
        compared(values)


def test_a_factorial_with_an_arm_missing_is_refused() -> None:
    values = arms({"full": 0.0, "no-club": 0.0, "no-both": 0.0})
    with pytest.raises(UserError, match="missing: no-solosim"):
        compare_factorial(values, rng=np.random.default_rng(0))


@pytest.mark.timing
@pytest.mark.slow
def test_a_large_study_is_compared_within_a_minute() -> None:
    rng = np.random.default_rng(0)
    names = ("recall@10", "recall@20", "ndcg@10", "ndcg@20")
    values = {
        arm: {name: rng.random((5, 20_000)) for name in names} for arm in ("full", *(f"arm-{i}" for i in range(9)))
    }
    started = time.perf_counter()
    rows = compare_arms(values, reference="full", rng=rng)
    assert len(rows) == 36
    assert time.perf_counter() - started < 60
