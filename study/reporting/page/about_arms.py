"""What the arms say against the full model, in sentences: those that remove a part, and all others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from study.analysis.metrics import metric_title
from study.analysis.stats.comparison import Comparison
from study.reporting.page.claims import MINUS, ONE_SEARCH, by_one_search, claim, is_open
from study.reporting.page.question import PARTS, listed, quoted
from study.reporting.tables.statistics import p_text

MOST_NAMED = 4  # undecided arms in one sentence


def arm_sentences(lines: Sequence[Comparison], titles: Mapping[str, str], *, retuned: bool) -> list[str]:
    """What every arm of one mode changes, each with its interval."""
    parts = _in_order(lines)
    sentences = _about_parts(parts) + _about_others(_others(lines), titles)
    if retuned and sentences:
        searches = max(line.searches for line in lines)
        own = "a search" if searches == 1 else f"{searches} searches"
        sentences[0] = f"With every arm re-tuned by {own} of its own, " + sentences[0][0].lower() + sentences[0][1:]
    return sentences


def decided_elsewhere(
    spoken: Sequence[Comparison], lines: Sequence[Comparison], titles: Mapping[str, str]
) -> list[str]:
    """Differences that other metrics show and the one that is spoken of does not: they must not go unsaid.

    Args:
        spoken: comparisons by the metric that is spoken of.
        lines: those by other metrics.
        titles: of the arms.
    """
    spoken_verdicts = {(line.mode, line.arm, line.verdict) for line in spoken}
    elsewhere = [line for line in lines if line.verdict in ("better", "worse")]
    elsewhere = [line for line in elsewhere if (line.mode, line.arm, line.verdict) not in spoken_verdicts]
    if not elsewhere:
        return []
    several = len({line.mode for line in lines}) > 1
    modes = [f" ({line.mode})" if several else "" for line in elsewhere]
    named = [
        f"{quoted(titles.get(line.arm, line.arm))}{mode} is {line.verdict} by "
        f"{metric_title(line.metric)} ({difference_text(line)}{adjusted_text(line)})"
        for line, mode in zip(elsewhere[:MOST_NAMED], modes, strict=False)
    ]
    more = [f"{len(elsewhere) - MOST_NAMED} more in the tables"] if len(elsewhere) > MOST_NAMED else []
    return [f"By other metrics, {listed([*named, *more])}."]


def difference_text(line: Comparison) -> str:
    """``+0.0024 [−0.0203, +0.0251]`` with the simultaneous bounds, or without them where there are none."""
    text = signed(line.difference)
    known = math.isfinite(line.sim_low) and math.isfinite(line.sim_high)
    return f"{text} [{signed(line.sim_low)}, {signed(line.sim_high)}]" if known else text


def signed(value: float) -> str:
    """Four decimals with a sign; no minus zero."""
    text = f"{value:+.4f}"
    return "0.0000" if float(text) == 0 else text.replace("-", MINUS)


def adjusted_text(line: Comparison) -> str:
    """``, adjusted p = .004`` of what is better or worse, else nothing."""
    return f", adjusted p {relation(line.p_adjusted)}" if line.verdict in ("better", "worse") else ""


def _in_order(lines: Sequence[Comparison]) -> list[Comparison]:
    order = list(PARTS)
    return sorted((line for line in lines if line.arm in PARTS), key=lambda line: order.index(line.arm))


def _others(lines: Sequence[Comparison]) -> list[Comparison]:
    return [line for line in lines if line.arm not in PARTS]


def _about_parts(lines: Sequence[Comparison]) -> list[str]:
    """What removing CLUB, Solosim or both does: a sentence for each that is decided, one for all that are not."""
    sentences = [_decided_part(line) for line in lines if not is_open(line)]
    still_open = [line for line in lines if is_open(line)]
    if still_open:
        changes = [
            f"{PARTS[line.arm]} {'changes it ' * (n == 0)}by {difference_text(line)}{_kind_text(line)}"
            for n, line in enumerate(still_open)
        ]
        sentences.append(f"Removing {listed(changes)}: {_why_open(still_open)}.")
    return sentences


def _kind_text(line: Comparison) -> str:
    """The kind of an open verdict, where there is one to name and the sentence does not end with it."""
    return "" if math.isnan(line.p) or by_one_search(line) else f" ({claim(line)})"


def _decided_part(line: Comparison) -> str:
    name, plural = PARTS[line.arm], line.arm == "no-both"
    subject = "CLUB and Solosim together" if plural else name
    text = f"Removing {name} changes it by {difference_text(line)}{adjusted_text(line)}"
    if line.verdict not in ("better", "worse"):
        return f"{text}: {claim(line)}."
    helps = "help" if line.verdict == "worse" else "harm"
    return f"{text}: {claim(line)}, so {subject} {helps if plural else helps + 's'} here."


def _about_others(lines: Sequence[Comparison], titles: Mapping[str, str]) -> list[str]:
    """The same of arms that change something else, by their titles."""
    sentences = [
        f"{quoted(titles.get(line.arm, line.arm))} changes it by {difference_text(line)}{adjusted_text(line)}: "
        f"{claim(line)}."
        for line in lines
        if not is_open(line)
    ]
    still_open = [line for line in lines if is_open(line)]
    if still_open:
        sentences.append(f"{_changes(still_open, titles)}: {_why_open(still_open)}.")
    return sentences


def _changes(lines: Sequence[Comparison], titles: Mapping[str, str]) -> str:
    """Every line's difference; of many, which the tables have, the least and the greatest."""
    names = [quoted(titles.get(line.arm, line.arm)) for line in lines]
    if len(lines) <= MOST_NAMED:
        return listed(
            [
                f"{name} {'changes it ' * (n == 0)}by {difference_text(line)}"
                for n, (name, line) in enumerate(zip(names, lines, strict=True))
            ]
        )
    order = sorted(range(len(lines)), key=lambda n: lines[n].difference)
    ends = [f"{difference_text(lines[n])} ({names[n]})" for n in (order[0], order[-1])]
    return f"{len(lines)} other arms change it by {' to '.join(ends)}"


def _why_open(lines: Sequence[Comparison]) -> str:
    """Why these comparisons are not decided, and what would have been found."""
    if all(by_one_search(line) for line in lines):
        return f"no verdict, {ONE_SEARCH}"
    subject = "not decided" if len(lines) == 1 else "none of this is decided"
    if all(line.verdict == "descriptive" for line in lines):
        return f"{subject}, as {'it is' if len(lines) == 1 else 'they are'} descriptive (the gate before it is closed)"
    mdes = sorted(line.mde for line in lines if not math.isnan(line.mde))
    if not mdes:
        return f"{subject}, as one seed gives no interval"
    mde_range = " to ".join(dict.fromkeys(f"{mde:.4f}" for mde in (mdes[0], mdes[-1])))
    seeds = " to ".join(dict.fromkeys(str(count) for count in (min(_seeds(lines)), max(_seeds(lines)))))
    users = max(line.users for line in lines)
    return f"{subject}, as {seeds} seeds with {users} users reliably find only differences of {mde_range} or more"


def _seeds(lines: Sequence[Comparison]) -> list[int]:
    return [line.seeds for line in lines]


def relation(p: float) -> str:
    """``= .012`` or ``< .001``, to stand behind a p."""
    text = p_text(p)
    return text if text.startswith("<") else f"= {text}"
