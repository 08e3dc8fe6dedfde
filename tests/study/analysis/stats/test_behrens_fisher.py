"""The reference distribution of a mean whose variance is partly known and partly estimated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from study.analysis.stats.behrens_fisher import half_width, tail_probability
from study.analysis.stats.crossed import Components
from study.analysis.stats.power import detection_power

MANY = 10**6
SHARES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)


def fiducial_reference(distance: float, user_variance: float, seed_variance: float, df: int, inverse_df: int) -> float:
    """Plain quadrature of P(|normal| > distance) over the unknown variance."""

    def integrand(value: float) -> float:
        deviation = np.sqrt(user_variance + seed_variance * df / value)
        return float(2 * stats.norm.sf(distance / deviation) * stats.chi2.pdf(value, inverse_df))

    return float(integrate.quad(integrand, 0, np.inf, limit=500, epsabs=1e-12)[0])


@pytest.mark.parametrize("df", [1, 2, 4, 9])
@pytest.mark.parametrize("distance", [0.5, 2.0, 10.0])
def test_it_is_students_t_where_everything_is_estimated(df: int, distance: float) -> None:
    p = float(tail_probability(distance, 0.0, 1.0, df=df, user_df=MANY))
    assert p == pytest.approx(2 * stats.t.sf(distance, df), rel=1e-6)
    assert float(half_width(0.0, 1.0, df=df, user_df=MANY, alpha=p)) == pytest.approx(distance, rel=1e-6)


def test_it_is_students_t_over_users_where_nothing_is_estimated() -> None:
    p = tail_probability(np.array([0.0, 1.0, 3.0]), 1.0, 0.0, df=2, user_df=19)
    assert p == pytest.approx(2 * stats.t.sf([0.0, 1.0, 3.0], 19), rel=1e-9)


@pytest.mark.parametrize("df", [1, 2, 4])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_it_mixes_two_fiducial_tails_as_stated(df: int, share: float) -> None:
    fiducial = fiducial_reference(2.5, 1 - share, share, df, df)
    lighter = fiducial_reference(2.5, 1 - share, share, df, df + 2)
    expected = max(fiducial - (1 - share) ** 1.5 * (fiducial - lighter), fiducial / 2)
    actual = float(tail_probability(2.5, 1 - share, share, df=df, user_df=MANY))
    assert actual == pytest.approx(expected, rel=1e-5)


@settings(deadline=None, max_examples=15)
@given(st.floats(0, 1), st.integers(1, 9), st.sampled_from([0.2, 0.05, 1e-3, 1e-6]), st.floats(1e-8, 1e8))
def test_the_half_width_is_the_distance_whose_p_is_alpha(share: float, df: int, alpha: float, unit: float) -> None:
    parts = ((1 - share) * unit**2, share * unit**2)
    width = half_width(*parts, df=df, user_df=500, alpha=alpha)
    assert float(tail_probability(width, *parts, df=df, user_df=500)) == pytest.approx(alpha, rel=1e-5)


@settings(deadline=None, max_examples=15)
@given(st.floats(0.01, 0.99), st.integers(1, 9))
def test_p_falls_as_the_distance_grows(share: float, df: int) -> None:
    p = tail_probability(np.linspace(0, 30, 200), 1 - share, share, df=df, user_df=500)
    assert p[0] == pytest.approx(1.0)
    assert np.all(np.diff(p) <= 0)


def size(seeds: int, share: float, alpha: float) -> float:
    components = Components(user=(1 - share) * MANY, seed=share * seeds, residual=0.0)
    return detection_power(0.0, components, seeds=seeds, users=MANY, alpha=alpha)


@pytest.mark.parametrize(("seeds", "low", "high"), [(3, 0.043, 0.057), (5, 0.046, 0.0505), (10, 0.048, 0.0505)])
def test_true_nulls_are_rejected_close_to_five_percent_whatever_the_seeds_share(
    seeds: int, low: float, high: float
) -> None:
    sizes = [size(seeds, share, 0.05) for share in SHARES]
    assert low <= min(sizes) <= max(sizes) <= high


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("alpha", [1e-2, 1e-4])
def test_far_in_the_tail_no_more_than_twice_the_level_is_rejected(seeds: int, alpha: float) -> None:
    assert max(size(seeds, share, alpha) for share in SHARES) <= 2 * alpha
