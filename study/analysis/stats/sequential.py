"""Looking more than once: how small a p-value must be at each look, so that all looks together err as often as one.

A contrast is looked at after 10, 20, 40 seeds. Its estimates at these looks are correlated: the users are the same,
and later seeds are added to earlier ones. Under the null hypothesis the standardised estimates have the canonical joint
distribution: normal with correlation ``sqrt(I_j / I_k)``, where ``I`` is the information, one over the variance.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy import special, stats

FIRST_LOOK = 10  # seeds; from there on twice as many each time

_NODES = 256  # of the Gauss-Legendre rule that carries the density from look to look
_FAR = -9.0  # no mass below this z-value
# Two looks whose estimates correlate more are treated as if they correlated this much, which is on the safe side: the
# rule could not follow a narrower transition.
_MOST_INFORMATION_RATIO = 0.998
_GRID = np.concatenate([np.geomspace(1e-12, 0.1, 67), np.linspace(0.12, 0.998, 32)])


def planned_looks(most_seeds: int) -> tuple[int, ...]:
    """Numbers of seeds at which is looked: 10, 20, 40, ... and ``most_seeds`` at the end.

    Raises:
        ValueError: with fewer than 2 seeds.
    """
    if most_seeds < 2:
        raise ValueError(f"a design needs at least 2 seeds, got {most_seeds}")
    looks = [FIRST_LOOK]
    while looks[-1] * 2 <= most_seeds:
        looks.append(looks[-1] * 2)
    return (*[look for look in looks if look < most_seeds], most_seeds)


def spent(alpha: float, fraction: float) -> float:
    """Error spent up to ``fraction`` of the planned seeds: ``alpha ln(1 + (e - 1) fraction)``.

    Source: Lan and DeMets (1983), the spending function that resembles Pocock's boundaries.

    Raises:
        ValueError: if ``fraction`` is not in 0..1.
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction must be in 0..1, got {fraction}")
    return alpha * math.log1p((math.e - 1) * fraction)


def nominal_levels(
    alpha: Float[np.ndarray, " levels"], fractions: Sequence[float], information: Sequence[float]
) -> Float[np.ndarray, "levels looks"]:
    """One-sided level at each look, so that all looks together reject a true null with probability ``alpha``.

    Args:
        alpha: one-sided levels of the whole procedure, in 0..1.
        fractions: of the planned seeds at each look, rising, the last at most 1: what the spending reads.
        information: one over the variance of the estimate at each look, not falling, in any unit.

    Source: Armitage, McPherson and Rowe (1969) for the recursion; Jennison and Turnbull (2000), chapters 7 and 19.

    Raises:
        ValueError: levels outside 0..1, or looks that do not rise.
    """
    if (alpha <= 0).any() or (alpha >= 1).any():
        raise ValueError(f"levels must lie between 0 and 1, got {alpha}")
    if len(fractions) != len(information) or not len(fractions):
        raise ValueError(f"each look needs a fraction and its information, got {fractions} and {information}")
    if (np.diff(fractions) <= 0).any() or (np.diff(information) < 0).any() or min(information) <= 0:
        raise ValueError(f"looks must rise, got fractions {fractions} and information {information}")
    if fractions[-1] > 1:
        raise ValueError(f"the last look is at most the whole, got fractions {fractions}")
    spending = np.array([alpha * spent(1.0, fraction) for fraction in fractions])
    increments = np.diff(spending, axis=0, prepend=0.0)
    critical = stats.norm.isf(increments[0])
    levels = [increments[0]]
    node, weight = special.roots_legendre(_NODES)
    place, mass = _nodes_below(critical, node, weight)
    density = mass * stats.norm.pdf(place)
    for look in range(1, len(fractions)):
        ratio = min(information[look - 1] / information[look], _MOST_INFORMATION_RATIO)
        correlation, spread = math.sqrt(ratio), math.sqrt(1 - ratio)
        critical = _crossing(density, correlation * place, spread, increments[look])
        levels.append(stats.norm.sf(critical))
        if look + 1 < len(fractions):
            following, mass = _nodes_below(critical, node, weight)
            step = (following[:, :, None] - correlation * place[:, None, :]) / spread
            density = mass * np.einsum("lij,lj->li", np.exp(-(step**2) / 2), density) / (spread * math.sqrt(2 * np.pi))
            place = following
    return np.stack(levels, axis=1)


def sequential_p(p: Sequence[float], fractions: Sequence[float], information: Sequence[float]) -> float:
    """The smallest one-sided level at which one of the looks so far rejects; NaN if a look has no p-value.

    It is a p-value of the whole procedure, so it may enter an alpha graph as a single look's p-value does.

    Args:
        p: one-sided p-value at each look so far.
        fractions, information: of these looks, as in ``nominal_levels``.

    Source: Liu and Anderson (2008); in a graph, Maurer and Bretz (2013).
    """
    if any(math.isnan(value) for value in p):
        return math.nan
    if len(p) == 1 and fractions[0] == 1:
        return float(p[0])
    levels = _level_table(tuple(fractions), _ratios(information))
    p_at_looks = [_inverse(value, levels[:, look]) for look, value in enumerate(p)]
    return min(p_at_looks)


def level_at_look(alpha: float, fractions: Sequence[float], information: Sequence[float]) -> float:
    """One-sided nominal level of the last look so far, for an interval that holds at every look (0 if alpha is 0)."""
    if alpha <= 0:
        return 0.0
    if len(fractions) == 1 and fractions[0] == 1:
        return alpha
    levels = _level_table(tuple(fractions), _ratios(information))[:, -1]
    return float(np.exp(np.interp(math.log(max(alpha, _GRID[0])), np.log(_GRID), np.log(levels)))) * min(
        1.0, alpha / _GRID[0]
    )


def user_limited(user_variance: float, margin: float, *, alpha: float, power: float = 0.8) -> bool:
    """Whether no number of seeds could show a true difference of zero to lie within the margin.

    ``(z(1 - alpha) + z(power)) sqrt(user_variance) > margin``: with infinitely many seeds the users' part of the
    variance is all that is left, and it alone is too large.

    Args:
        user_variance: the users' part of the mean's variance.
        margin: largest difference that does not matter, in units of the metric.
        alpha: one-sided level of the contrast; with 0 nothing can ever be shown.
        power: probability with which the margin should be kept.
    """
    if alpha <= 0:
        return True
    return float(stats.norm.isf(alpha) + stats.norm.ppf(power)) * math.sqrt(user_variance) > margin


def _nodes_below(
    critical: Float[np.ndarray, " levels"], node: Float[np.ndarray, " nodes"], weight: Float[np.ndarray, " nodes"]
) -> tuple[Float[np.ndarray, "levels nodes"], Float[np.ndarray, "levels nodes"]]:
    """Places and weights of the rule between ``_FAR`` and each critical value."""
    half = (critical[:, None] - _FAR) / 2
    return _FAR + half * (node[None, :] + 1), half * weight[None, :]


def _crossing(
    density: Float[np.ndarray, "levels nodes"],
    centre: Float[np.ndarray, "levels nodes"],
    spread: float,
    increment: Float[np.ndarray, " levels"],
) -> Float[np.ndarray, " levels"]:
    """Critical values that the next look crosses with probability ``increment``, by bisection."""
    low, high = np.full(len(increment), _FAR), np.full(len(increment), 10.0)
    for _ in range(60):
        middle = (low + high) / 2
        crossed = (density * special.ndtr((centre - middle[:, None]) / spread)).sum(axis=1)
        too_many = crossed > increment
        low, high = np.where(too_many, middle, low), np.where(too_many, high, middle)
    return (low + high) / 2


def _ratios(information: Sequence[float]) -> tuple[float, ...]:
    """Information of each look in that of the next, rounded down to 0.01 (the safe side), so that tables are shared."""
    pairs = itertools.pairwise(information)
    return tuple(max(math.floor(100 * before / after) / 100, 0.01) for before, after in pairs)


@lru_cache(maxsize=4096)
def _level_table(fractions: tuple[float, ...], ratios: tuple[float, ...]) -> Float[np.ndarray, "grid looks"]:
    """Nominal levels of every level of the grid."""
    information = np.cumprod([1.0, *(1 / ratio for ratio in ratios)])
    levels = [
        nominal_levels(_GRID[block], fractions, list(information)) for block in np.array_split(range(len(_GRID)), 8)
    ]
    table = np.concatenate(levels)
    table.flags.writeable = False  # one answer is shared by all callers
    return table


def _inverse(p: float, levels: Float[np.ndarray, " grid"]) -> float:
    """The level of the whole procedure whose nominal level is ``p``."""
    if p >= levels[-1]:
        return 1.0
    if p <= levels[0]:
        return p * float(_GRID[0] / levels[0])
    return float(np.exp(np.interp(math.log(p), np.log(levels), np.log(_GRID))))
