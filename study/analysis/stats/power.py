"""Power of the crossed test, and the smallest difference a design can detect."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy import interpolate, optimize, stats

from study.analysis.stats.behrens_fisher import chi_square_nodes, half_width
from study.analysis.stats.crossed import Components


def detection_power(
    effect: float, components: Components, *, seeds: int, users: int, alpha: float = 0.05, df: int | None = None
) -> float:
    """Probability that the crossed test finds a true mean difference of ``effect`` at level ``alpha``.

    The mean is independent of the seeds' mean square, so the power is an average over that mean square's chi-square.

    Args:
        effect: true mean difference, in units of the metric.
        components: variance components, from a pilot or from the comparison itself.
        seeds, users: size of the design, at least 2 each.
        alpha: two-sided level.
        df: degrees of freedom of the seeds' variance, where it is moderated; ``seeds - 1`` if None.
    """
    widths, weight, error = _outcomes(components, seeds, users, alpha, df)
    return _power(effect, widths, weight, error)


def minimum_detectable_effect(
    components: Components,
    *,
    seeds: int,
    users: int,
    alpha: float = 0.05,
    power: float = 0.8,
    df: int | None = None,
) -> float:
    """Smallest true mean difference that is found with probability ``power``; NaN if the components are unknown.

    Before spending: components of a pilot's difference (two arms, two or three seeds) and the planned seeds and users.
    After: the comparison's own components say whether a non-significant row could have been anything else.

    Raises:
        ValueError: if the design has fewer than 2 seeds or 2 users.
    """
    if math.isnan(components.total):
        return math.nan
    widths, weight, error = _outcomes(components, seeds, users, alpha, df)
    if error == 0:
        return 0.0
    far = float(widths.max()) + 10 * error
    return float(optimize.brentq(lambda effect: _power(effect, widths, weight, error) - power, 0.0, far))


def _outcomes(
    components: Components, seeds: int, users: int, alpha: float, df: int | None
) -> tuple[Float[np.ndarray, " nodes"], Float[np.ndarray, " nodes"], float]:
    """Half-widths that the design may end up with, the probability of each, and the mean's true standard error."""
    if seeds < 2 or users < 2:
        raise ValueError(f"power needs at least 2 seeds and 2 users, got {seeds} and {users}")
    user_variance = components.user / users
    floor = components.residual / (seeds * users)
    seed_variance = components.seed / seeds + floor
    freedom = seeds - 1 if df is None else df
    value, weight = chi_square_nodes(freedom, nodes=400)
    drawn = np.maximum(seed_variance * value / freedom, floor)
    error = math.sqrt(user_variance + seed_variance)
    if error == 0:
        return np.zeros_like(weight), weight, error
    critical = _critical_values(freedom, users - 1, alpha)
    return critical(drawn / (user_variance + drawn)) * np.sqrt(user_variance + drawn), weight, error


@lru_cache
def _critical_values(df: int, user_df: int, alpha: float) -> interpolate.PchipInterpolator:
    """Half-widths in standard errors against the share of the variance that the seeds estimate.

    Hundreds of comparisons of one design share this curve; solving for each would take most of a table's time.
    """
    share = np.sin(np.linspace(0, np.pi / 2, 129)) ** 2  # dense where the curve bends, at both ends
    return interpolate.PchipInterpolator(share, half_width(1 - share, share, df=df, user_df=user_df, alpha=alpha))


def _power(
    effect: float, widths: Float[np.ndarray, " nodes"], weight: Float[np.ndarray, " nodes"], error: float
) -> float:
    if error == 0:
        return float(effect != 0)
    powers = stats.norm.sf((widths - effect) / error) + stats.norm.cdf((-widths - effect) / error)
    return float(powers @ weight)
