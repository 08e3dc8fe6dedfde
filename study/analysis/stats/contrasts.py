"""From the evidence on several contrasts to one verdict each: gates, looks and simultaneous bounds.

A contrast is the true mean difference ``delta`` of an arm to its reference. Four one-sided hypotheses are asked of it,
in two chains; the second of a chain is tested only when the first is rejected:

    lower chain:  delta <= -margin  (rejected: costs less than the margin),  then  delta <= 0  (rejected: better)
    upper chain:  delta >= +margin  (rejected: gains less than the margin),  then  delta >= 0  (rejected: worse)

Families of contrasts form an alpha graph. The first family holds the whole level, half of it on each side. What a
chain has no more use for goes to the other contrasts of its family, and when these are through, to the next family.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from study.analysis.stats.alpha_graph import AlphaGraph, Decisions, decide
from study.analysis.stats.behrens_fisher import half_width, tail_probability
from study.analysis.stats.sequential import level_at_look, sequential_p, user_limited

Kind = Literal["better", "worse", "non-inferior", "equivalent", "user-limited", "undecided", "descriptive"]
DECIDED: frozenset[Kind] = frozenset({"better", "worse", "non-inferior", "equivalent", "user-limited"})

# What a non-inferior contrast passes on at once; the rest tests whether it is better.
_PASSED_ON = 0.5
# Part of a level that leaves a family before its peers are through: nothing but a way out when they are.
_WAY_OUT = 1e-6
# A node with less of the level than this was not reached.
_NOTHING = 1e-4
_NODES = 4  # of a contrast: lower chain, then upper chain
_LOWER_FIRST, _LOWER_SECOND, _UPPER_FIRST, _UPPER_SECOND = range(_NODES)


class Evidence(NamedTuple):
    """What one look says about a contrast.

    Attributes:
        seeds: paired seeds.
        mean: difference of the arm to its reference; positive is better.
        user_variance, seed_variance: the users' and the seeds' part of its variance.
        df, user_df: degrees of freedom of ``seed_variance`` and ``user_variance``.
        margin: largest difference that does not matter, in units of the metric.
    """

    seeds: int
    mean: float
    user_variance: float
    seed_variance: float
    df: int
    user_df: int
    margin: float


class Verdict(NamedTuple):
    """What may be said about a contrast.

    Attributes:
        kind: ``worse`` and ``better`` (the difference is not zero), ``equivalent`` (within the margin),
            ``non-inferior`` (costs less than the margin), ``user-limited`` (no number of seeds would show it),
            ``undecided``, or ``descriptive`` (no level reached the contrast).
        within_margin: for ``worse`` and ``better``: whether the difference is also shown to be within the margin.
        low, high: bounds that hold for all contrasts of the graph together, with the probability of the graph's level;
            infinite where no level is left for them.
        p: smallest level of the whole graph at which better or worse could be said.
        p_margin: the same for non-inferior.
        p_equivalent: the same for equivalent.
        seeds: the look at which ``kind`` was first reached; the last look if undecided.
    """

    kind: Kind
    within_margin: bool
    low: float
    high: float
    p: float
    p_margin: float
    p_equivalent: float
    seeds: int


def gatekeeping_graph(families: Sequence[int]) -> AlphaGraph:
    """The graph of families of contrasts, each with four nodes in the order of the module's text.

    Args:
        families: number of contrasts in each family, in the order in which the level passes through them.

    Raises:
        ValueError: without a family, or with an empty one.
    """
    if not families or min(families) < 1:
        raise ValueError(f"each family needs a contrast, got {families}")
    contrasts = sum(families)
    weights = np.zeros(contrasts * _NODES)
    edges = np.zeros((contrasts * _NODES, contrasts * _NODES))
    start = 0
    for number, size in enumerate(families):
        own = np.arange(start, start + size)
        start += size
        following = np.arange(start, start + families[number + 1]) if number + 1 < len(families) else np.arange(0)
        if number == 0:
            for first in (_LOWER_FIRST, _UPPER_FIRST):
                weights[own * _NODES + first] = 1 / (2 * size)
        for contrast in own:
            peers = own[own != contrast]
            for first, second, passed_on in (
                (_LOWER_FIRST, _LOWER_SECOND, _PASSED_ON),
                (_UPPER_FIRST, _UPPER_SECOND, 0.0),
            ):
                out = _ways_out(peers, following, first, len(weights))
                passed = passed_on if out.any() else 0.0
                edges[contrast * _NODES + first] = passed * out
                edges[contrast * _NODES + first, contrast * _NODES + second] = 1 - passed
                edges[contrast * _NODES + second] = out
    return AlphaGraph(weights, edges)


def _ways_out(peers: np.ndarray, following: np.ndarray, first: int, nodes: int) -> np.ndarray:
    """Where a chain's level goes: to its peers' chains of the same side, then to both sides of the next family."""
    out = np.zeros(nodes)
    leaving = 1.0 if not len(peers) else _WAY_OUT if len(following) else 0.0
    if len(peers):
        out[peers * _NODES + first] = (1 - leaving) / len(peers)
    if len(following):
        for side in (_LOWER_FIRST, _UPPER_FIRST):
            out[following * _NODES + side] = leaving / (2 * len(following))
    return out


def judge(
    evidence: Sequence[Sequence[Evidence]], families: Sequence[int], *, most_seeds: int, alpha: float = 0.05
) -> list[Verdict]:
    """A verdict for each contrast.

    Args:
        evidence: per contrast the looks so far, first look first; an empty sequence if nothing is known.
        families: number of contrasts in each family; the contrasts come in this order.
        most_seeds: seeds at the last look of the design; with it the looks' share of the error is fixed. A contrast
            whose only look has at least as many seeds is tested once.
        alpha: level of all verdicts and bounds together.

    Source: Bretz et al. (2009) for the graph, Maurer and Bretz (2013) for its looks, Strassburger and Bretz (2008) and
    Guilbaud (2008) for the bounds.

    Raises:
        ValueError: the families do not add up to the contrasts.
    """
    if sum(families) != len(evidence):
        raise ValueError(f"families of {families} contrasts do not add up to {len(evidence)}")
    graph = gatekeeping_graph(families)
    looks = sorted({look.seeds for contrast in evidence for look in contrast})
    verdicts: list[Verdict] = []
    decisions = decide(graph, np.full(len(graph.weights), np.nan), alpha=alpha)
    for seeds in looks or [0]:
        known = [[look for look in contrast if look.seeds <= seeds] for contrast in evidence]
        decisions = decide(graph, _sequential_ps(known, most_seeds), alpha=alpha)
        latest = [_verdict(number, looked, decisions, alpha) for number, looked in enumerate(known)]
        # A kind keeps the look at which it was reached.
        verdicts = [
            verdict._replace(seeds=before.seeds) if before.kind == verdict.kind and before.kind in DECIDED else verdict
            for before, verdict in zip(verdicts or latest, latest, strict=True)
        ]
    bounds = [_bounds(number, looked, decisions, most_seeds) for number, looked in enumerate(evidence)]
    return [verdict._replace(low=low, high=high) for verdict, (low, high) in zip(verdicts, bounds, strict=True)]


def one_sided_p(evidence: Evidence, threshold: float, *, above: bool) -> float:
    """p-value of ``delta <= threshold`` if ``above`` is to be shown, else of ``delta >= threshold``."""
    distance = (evidence.mean - threshold) * (1 if above else -1)
    tail = tail_probability(
        abs(distance), evidence.user_variance, evidence.seed_variance, df=evidence.df, user_df=evidence.user_df
    )
    return float(tail) / 2 if distance > 0 else 1 - float(tail) / 2


def _sequential_ps(evidence: Sequence[Sequence[Evidence]], most_seeds: int) -> np.ndarray:
    """Sequential p-values of all nodes."""
    p_values = np.full(len(evidence) * _NODES, np.nan)
    for number, looks in enumerate(evidence):
        if not looks or any(math.isnan(look.user_variance + look.seed_variance) for look in looks):
            continue
        fractions, information = _timing(looks, most_seeds)
        for node, margins, above in (
            (_LOWER_FIRST, -1, True),
            (_LOWER_SECOND, 0, True),
            (_UPPER_FIRST, 1, False),
            (_UPPER_SECOND, 0, False),
        ):
            p = [one_sided_p(look, margins * look.margin, above=above) for look in looks]
            p_values[number * _NODES + node] = sequential_p(p, fractions, information)
    return p_values


def _timing(looks: Sequence[Evidence], most_seeds: int) -> tuple[list[float], list[float]]:
    """Share of the planned seeds, and information, at each look; information cannot fall when seeds are added."""
    fractions = [min(1.0, look.seeds / most_seeds) for look in looks]
    variances = [look.user_variance + look.seed_variance for look in looks]
    information = [1 / variance if variance > 0 else 1.0 for variance in variances]
    # The last look knows the variances best; earlier information follows from its two parts.
    last = looks[-1]
    if variances[-1] > 0:
        information = [1 / (last.user_variance + last.seed_variance * last.seeds / look.seeds) for look in looks]
    return fractions, information


def _verdict(number: int, looks: Sequence[Evidence], decisions: Decisions, alpha: float) -> Verdict:
    """Everything but the bounds, which only the last look needs."""
    nodes = slice(number * _NODES, (number + 1) * _NODES)
    rejected, local, adjusted = decisions.rejected[nodes], decisions.local[nodes], decisions.adjusted[nodes]
    nothing = Verdict("undecided", False, -math.inf, math.inf, math.nan, math.nan, math.nan, 0)
    if not looks:
        return nothing
    last = looks[-1]
    p = float(adjusted[_LOWER_SECOND] if last.mean > 0 else adjusted[_UPPER_SECOND])
    return nothing._replace(
        kind=_kind(last, rejected, local, alpha),
        within_margin=bool(rejected[_LOWER_FIRST] and rejected[_UPPER_FIRST]),
        p=p,
        p_margin=float(adjusted[_LOWER_FIRST]),
        p_equivalent=float(adjusted[[_LOWER_FIRST, _UPPER_FIRST]].max()),
        seeds=last.seeds,
    )


def _kind(last: Evidence, rejected: np.ndarray, local: np.ndarray, alpha: float) -> Kind:
    if math.isnan(last.user_variance + last.seed_variance):
        return "undecided"
    if rejected[_UPPER_SECOND]:
        return "worse"
    if rejected[_LOWER_SECOND]:
        return "better"
    if rejected[_LOWER_FIRST]:
        return "equivalent" if rejected[_UPPER_FIRST] else "non-inferior"
    if local[[_LOWER_FIRST, _UPPER_FIRST]].max() < _NOTHING * alpha:
        return "descriptive"
    if user_limited(last.user_variance, last.margin, alpha=float(local[_LOWER_FIRST])):
        return "user-limited"
    return "undecided"


def _bounds(number: int, looks: Sequence[Evidence], decisions: Decisions, most_seeds: int) -> tuple[float, float]:
    """Simultaneous bounds that say exactly what was rejected, and otherwise reach as far as the level left allows."""
    if not looks:
        return -math.inf, math.inf
    last, start = looks[-1], number * _NODES
    rejected = decisions.rejected[start : start + _NODES]

    def reach(node: int) -> float:
        return _reach(looks, float(decisions.local[start + node]), most_seeds)

    if rejected[_LOWER_SECOND]:
        low = 0.0
    elif rejected[_LOWER_FIRST]:
        low = max(-last.margin, last.mean - reach(_LOWER_SECOND))
    else:
        low = min(last.mean - reach(_LOWER_FIRST), -last.margin)
    if rejected[_UPPER_SECOND]:
        high = 0.0
    elif rejected[_UPPER_FIRST]:
        high = min(last.margin, last.mean + reach(_UPPER_SECOND))
    else:
        high = max(last.mean + reach(_UPPER_FIRST), last.margin)
    return low, high


def _reach(looks: Sequence[Evidence], level: float, most_seeds: int) -> float:
    """How far a one-sided bound at ``level`` of the whole design lies from the estimate of the last look."""
    last = looks[-1]
    nominal = level_at_look(level, *_timing(looks, most_seeds))
    if nominal <= 0 or math.isnan(last.user_variance + last.seed_variance):
        return math.inf
    if nominal >= 0.5:
        return 0.0
    return float(
        half_width(last.user_variance, last.seed_variance, df=last.df, user_df=last.user_df, alpha=2 * nominal)
    )
