"""Verdicts through gates and looks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from study.analysis.stats.alpha_graph import check_graph
from study.analysis.stats.contrasts import Evidence, gatekeeping_graph, judge, one_sided_p

LARGE = 10**7  # degrees of freedom at which everything is normal


def normal(mean: float, error: float = 1.0, *, seeds: int = 10, margin: float = 5.0, users: float = 0.5) -> Evidence:
    """A look whose estimate is normal with standard error ``error``; ``users`` is the users' share of the variance."""
    return Evidence(seeds, mean, users * error**2, (1 - users) * error**2, LARGE, LARGE, margin)


def once(*means: float, families: list[int] | None = None, margin: float = 5.0, error: float = 1.0) -> list[str]:
    evidence = [[normal(mean, error, margin=margin)] for mean in means]
    return [verdict.kind for verdict in judge(evidence, families or [len(means)], most_seeds=10)]


def test_the_graph_of_families_is_an_alpha_graph() -> None:
    for families in ([1], [3], [1, 1], [3, 6, 27], [3, 1, 2, 2]):
        graph = gatekeeping_graph(families)
        check_graph(graph)
        assert graph.weights.sum() == pytest.approx(1.0)
        assert np.count_nonzero(graph.weights) == 2 * families[0]
    with pytest.raises(ValueError, match="each family needs a contrast"):
        gatekeeping_graph([3, 0])


def test_one_sided_p_values_are_those_of_the_normal_distribution() -> None:
    look = normal(-1.0)
    assert one_sided_p(look, 0.0, above=False) == pytest.approx(stats.norm.cdf(-1.0), rel=1e-6)
    assert one_sided_p(look, 0.0, above=True) == pytest.approx(stats.norm.sf(-1.0), rel=1e-6)
    tiny = one_sided_p(normal(-9.0), 0.0, above=False)  # small ones are not lost beside 1
    assert tiny == pytest.approx(stats.norm.cdf(-9.0), rel=1e-3)


def test_the_kinds_of_a_single_contrast() -> None:
    assert once(-3.0) == ["worse"]  # 3 standard errors below 0, and within 5
    assert once(3.0) == ["better"]
    assert once(0.0) == ["equivalent"]  # 5 standard errors from either margin
    assert once(1.0, margin=2.9) == ["non-inferior"]  # 3.9 above the lower margin, 1.9 below the upper
    assert once(-1.0, margin=2.9) == ["undecided"]
    assert once(0.0, margin=1.0) == ["user-limited"]  # (1.96 + 0.84) sqrt(.5) > 1


def test_worse_may_still_be_within_the_margin() -> None:
    (near,) = judge([[normal(-2.5)]], [1], most_seeds=10)
    assert (near.kind, near.within_margin, near.high) == ("worse", True, 0.0)
    assert near.low == pytest.approx(-2.5 - 1.96, abs=0.001)  # inside the margin
    (far,) = judge([[normal(-6.0)]], [1], most_seeds=10)
    assert (far.kind, far.within_margin, far.high) == ("worse", False, 0.0)
    assert far.low == pytest.approx(-6.0 - 1.96, abs=0.001)


def test_three_contrasts_share_the_level_and_pass_it_on_when_they_are_through() -> None:
    # Two-sided level .05 / 3: critical value 2.394; with the two others worse, all of it: 1.960.
    assert once(-2.39, 0.0, 0.0, margin=0.5)[0] == "user-limited"
    assert once(-2.40, 0.0, 0.0, margin=0.5)[0] == "worse"
    assert once(-1.97, -9.0, -9.0, margin=0.5)[0] == "worse"
    assert once(-1.95, -9.0, -9.0, margin=0.5)[0] != "worse"


def test_a_family_behind_a_closed_gate_is_descriptive_however_large_its_effects() -> None:
    assert once(0.0, 9.0, families=[1, 1], margin=1.0) == ["user-limited", "descriptive"]
    assert once(-9.0, 9.0, families=[1, 1], margin=1.0) == ["worse", "better"]


def test_non_inferiority_opens_the_gate_with_half_a_side() -> None:
    # The lower side (half the level) is rejected and passes on half of its half: .05 / 4 two-sided over both sides.
    limit = stats.norm.isf(0.05 / 8)
    assert once(0.5, limit + 0.01, families=[1, 1], margin=2.4) == ["non-inferior", "better"]
    assert once(0.5, limit - 0.01, families=[1, 1], margin=2.4)[1] != "better"


def test_bounds_say_what_was_shown_and_no_more() -> None:
    same, open_, unknown = judge([[normal(0.0)], [normal(-1.0, margin=2.0)], []], [3], most_seeds=10)
    assert same.kind == "equivalent"
    # Its lower chain keeps half of its level, all of its upper one goes on: .05 / 12 and .05 / 6.
    assert same.low == pytest.approx(-stats.norm.isf(0.05 / 12), abs=0.001)
    assert same.high == pytest.approx(stats.norm.isf(0.05 / 6), abs=0.001)
    assert open_.kind == "user-limited"
    assert open_.low < -2.0
    assert open_.high >= 0.0
    assert (unknown.kind, unknown.low, unknown.high) == ("undecided", -math.inf, math.inf)


def test_a_difference_without_an_interval_is_undecided() -> None:
    look = Evidence(1, -0.1, math.nan, math.nan, 0, 100, 0.01)
    (verdict,) = judge([[look]], [1], most_seeds=1)
    assert verdict.kind == "undecided"
    assert math.isnan(verdict.p)


def test_arms_that_are_equal_to_the_last_bit_are_equivalent() -> None:
    (verdict,) = judge([[Evidence(10, 0.0, 0.0, 0.0, 9, 99, 0.01)]], [1], most_seeds=10)
    assert (verdict.kind, verdict.low, verdict.high) == ("equivalent", 0.0, 0.0)


def test_looks_make_each_look_harder_and_a_verdict_names_its_own() -> None:
    early = [normal(-2.2, seeds=10, margin=1.0)]
    assert judge([early], [1], most_seeds=10)[0].kind == "worse"
    assert judge([early], [1], most_seeds=40)[0].kind != "worse"
    late = [*early, normal(-3.5, seeds=20, margin=1.0)]
    (verdict,) = judge([late], [1], most_seeds=40)
    assert (verdict.kind, verdict.seeds) == ("worse", 20)
    (kept,) = judge([[*late, normal(-0.5, seeds=40, margin=1.0)]], [1], most_seeds=40)
    assert (kept.kind, kept.seeds) == ("worse", 20)  # what was rejected stays rejected


def test_a_stopped_contrast_gives_its_level_to_those_that_go_on() -> None:
    stopped = [normal(-9.0, seeds=10, margin=1.0)]
    going = [normal(-1.0, seeds=10, margin=1.0), normal(-2.3, seeds=20, margin=1.0)]
    alone = judge([going, [normal(0.0, seeds=10, margin=1.0)]], [2], most_seeds=20)
    helped = judge([going, stopped], [2], most_seeds=20)
    assert alone[0].kind != "worse"
    assert helped[0].kind == "worse"
    assert (helped[1].kind, helped[1].seeds) == ("worse", 10)


def test_families_and_contrasts_must_agree() -> None:
    with pytest.raises(ValueError, match="do not add up"):
        judge([[normal(0.0)]], [2], most_seeds=10)


@pytest.mark.slow
def test_no_claim_of_a_family_is_false_more_often_than_its_level() -> None:
    # True differences: 0, exactly the margin below, and a real loss; claims and bounds together err in 5 % at most.
    rng = np.random.default_rng(0)
    truth = np.array([0.0, -3.0, -9.0])
    wrong = 0
    for _ in range(600):
        drawn = truth + rng.standard_normal(3)
        verdicts = judge([[normal(mean, margin=3.0)] for mean in drawn], [3], most_seeds=10)
        bounds = any(not verdict.low <= true <= verdict.high for verdict, true in zip(verdicts, truth, strict=True))
        claims = verdicts[0].kind in ("worse", "better") or verdicts[1].kind in ("non-inferior", "equivalent", "better")
        wrong += bounds or claims
    assert wrong / 600 < 0.05 + 2 * math.sqrt(0.05 * 0.95 / 600)
