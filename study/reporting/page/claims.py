"""What a verdict says, in words: each kind has its own sentence, and every bound in it is simultaneous."""

from __future__ import annotations

import math

from study.analysis.stats.comparison import OPEN, Comparison

MINUS = "−"
ONE_SEARCH = "as one search an arm compares two configurations, not two arms"


def claim(line: Comparison) -> str:
    """What is shown about an arm against its reference; bounds are rounded outwards, so that they stay true."""
    margin = margin_text(line)
    if line.verdict == "worse":
        return f"worse{_reach(line, -line.sim_low, margin)}"
    if line.verdict == "better":
        return f"better{_reach(line, line.sim_high, margin)}"
    if line.verdict == "equivalent":
        return f"equivalent, it makes no difference within {margin} ({between(line)})"
    if line.verdict == "non-inferior":
        return f"non-inferior, it costs less than {margin} ({between(line)})"
    if line.verdict == "user-limited":
        return f"user-limited, with these users no number of seeds would show that it costs less than {margin}"
    if line.verdict == "descriptive":
        return "descriptive, no verdict was asked for or the gate before it stayed closed"
    if math.isnan(line.p):
        return "undecided, as one seed gives no interval"
    return f"undecided after {line.look} seeds ({between(line)})"


def between(line: Comparison) -> str:
    """``between −1.3 % and +0.8 %``, the simultaneous bounds relative to the reference; ``unbounded`` where none is."""
    low, high = _share(line, line.sim_low), _share(line, line.sim_high)
    if math.isinf(low) and math.isinf(high):
        return "unbounded"
    if math.isinf(low):
        return f"at most {_signed(high, up=True)}"
    if math.isinf(high):
        return f"at least {_signed(low, up=False)}"
    return f"between {_signed(low, up=False)} and {_signed(high, up=True)}"


def margin_text(line: Comparison) -> str:
    """The margin as a share of the reference, ``2 %``."""
    return f"{100 * _share(line, line.margin):.3g} %"


def is_open(line: Comparison) -> bool:
    """Whether the verdict says nothing about the difference."""
    return line.verdict in OPEN


def by_one_search(line: Comparison) -> bool:
    """Whether a re-tuned arm rests on one search, so that two configurations are compared and not two arms."""
    return line.mode == "retuned" and line.searches == 1


def _reach(line: Comparison, farthest: float, margin: str) -> str:
    """How much worse or better at most."""
    share = _share(line, farthest)
    if line.within_margin:
        return f", but by less than {margin}"
    return "" if math.isinf(share) else f" by at most {_outwards(share, up=True):.1f} %"


def _share(line: Comparison, value: float) -> float:
    return value / abs(line.reference_mean) if line.reference_mean else math.inf


def _outwards(share: float, *, up: bool) -> float:
    """Percent with one decimal, away from the middle."""
    tenths = 1000 * share
    return (math.ceil(tenths - 1e-9) if up else math.floor(tenths + 1e-9)) / 10


def _signed(share: float, *, up: bool) -> str:
    percent = _outwards(share, up=up)
    return "0 %" if percent == 0 else f"{percent:+.1f} %".replace("-", MINUS)
