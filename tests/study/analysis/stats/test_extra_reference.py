"""More seeds of the reference alone."""

from __future__ import annotations

import numpy as np
import pytest

from study.analysis.stats.behrens_fisher import half_width, tail_probability
from study.analysis.stats.contrasts import Evidence
from study.analysis.stats.evidence import gather_evidence
from study.analysis.stats.extra_reference import (
    add_reference_variance,
    joint_base,
    seeds_for_the_reference,
    share_reference,
)

USERS = 80


def draw(
    rng: np.random.Generator, correlation: float, *, arms: int = 3, seeds: int = 5, more: int = 5
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Arms that do not differ, the reference on their seeds, and on others; seeds matter more than chance."""
    taste = rng.standard_normal(USERS)
    common = np.sqrt(correlation) * rng.standard_normal(seeds)

    def runs(shift: np.ndarray) -> np.ndarray:
        return taste + shift[:, None] + rng.standard_normal((len(shift), USERS)) / 3

    own = [common + np.sqrt(1 - correlation) * rng.standard_normal(seeds) for _ in range(arms + 1)]
    scale = 0.12
    values = [runs(scale * shift) for shift in own]
    return values[1:], values[0], runs(scale * rng.standard_normal(more))


def evidence_with(arms: list[np.ndarray], base: np.ndarray, extra: np.ndarray) -> list[Evidence]:
    shared = share_reference(arms, [base] * len(arms), extra)
    joint = joint_base(base, extra, shared)
    return [
        add_reference_variance(e, shared) for e in gather_evidence([arm - joint for arm in arms], [1.0] * len(arms))
    ]


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.95])
@pytest.mark.slow
def test_true_nulls_are_rejected_at_their_level(correlation: float) -> None:
    rng = np.random.default_rng(1)
    p = [
        tail_probability(abs(e.mean), e.user_variance, e.seed_variance, df=e.df, user_df=e.user_df)
        for _ in range(700)
        for e in evidence_with(*draw(rng, correlation))
    ]
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.07


@pytest.mark.slow
def test_the_other_seeds_narrow_intervals_where_arms_on_one_seed_are_independent() -> None:
    rng = np.random.default_rng(2)
    ratios = []
    for _ in range(60):
        arms, base, extra = draw(rng, 0.0, more=10)
        plain = gather_evidence([arm - base for arm in arms], [1.0] * len(arms))
        widths = [
            np.mean(
                [half_width(e.user_variance, e.seed_variance, df=e.df, user_df=e.user_df, alpha=0.05) for e in each]
            )
            for each in (evidence_with(arms, base, extra), plain)
        ]
        ratios.append(widths[0] / widths[1])
    # Variances 1/5 + 1/15 against 2/5: the square root of 2/3.
    assert np.mean(ratios) == pytest.approx(np.sqrt(2 / 3), abs=0.06)


def test_clones_keep_their_pairing() -> None:
    arms, base, extra = draw(np.random.default_rng(3), 1.0)
    shared = share_reference(arms, [base] * 3, extra)
    assert shared.correlation > 0.8
    assert shared.weight > 0.9
    same = share_reference([base], [base], extra)
    assert (same.weight, same.variance) == (1.0, 0.0)
    assert np.array_equal(joint_base(base, extra, same), base)


def test_the_weight_is_the_best_one() -> None:
    correlation, seeds, more = 0.4, 5, 7
    weights = np.linspace(0, 1, 10_001)
    variance = (1 - 2 * weights * correlation + weights**2) / seeds + (1 - weights) ** 2 / more
    assert weights[variance.argmin()] == pytest.approx((correlation * more + seeds) / (more + seeds), abs=1e-4)


def test_the_reference_gets_the_square_root_of_the_number_of_arms_times_as_many() -> None:
    assert [seeds_for_the_reference(10, arms) for arms in (1, 3, 4, 9)] == [10, 17, 20, 30]


def test_what_cannot_be_shared_is_refused() -> None:
    one = np.zeros((3, 4))
    with pytest.raises(ValueError, match="at least 2 seeds of its own, got 1"):
        share_reference([one], [one], np.zeros((1, 4)))
    with pytest.raises(ValueError, match="needs the reference on its own seeds"):
        share_reference([one], [np.zeros((2, 4))], np.zeros((2, 4)))
