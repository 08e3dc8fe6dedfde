"""Which of the winner's settings made the difference, in a sentence or two."""

from __future__ import annotations

from collections.abc import Sequence

from study.analysis.comparisons import WHOLE
from study.analysis.metrics import metric_title
from study.analysis.stats.comparison import Comparison
from study.reporting.page.about_arms import adjusted_text, difference_text
from study.reporting.page.claims import is_open
from study.reporting.page.question import listed

# Verdict -> what one change does, and several.
_KINDS = {
    "better": ("helps", "help"),
    "worse": ("harms", "harm"),
    "equivalent": ("makes no difference that matters", "make no difference that matters"),
    "non-inferior": ("costs less than what matters", "cost less than what matters"),
}


def path_sentences(lines: Sequence[Comparison]) -> list[str]:
    """What the path says.

    Args:
        lines: its steps by one metric, in their order; the whole path may be among them.
    """
    steps = [line for line in lines if line.arm != WHOLE]
    if not steps:
        return []
    first = max(steps, key=lambda line: line.difference)
    count = f"{len(steps)} change{'' if len(steps) == 1 else 's'}"
    sentences = [
        f"On the way from the base configuration to the winner ({count}, one at a time) the largest gain in test "
        f"{metric_title(first.metric)} is that of {_name(first)}: {difference_text(first)}{adjusted_text(first)}."
    ]
    verdicts = []
    for kind, (verb, plural) in _KINDS.items():
        mine = [_name(line) for line in steps if line.verdict == kind]
        verdicts += [f"{listed(mine)} {verb if len(mine) == 1 else plural}"] if mine else []
    if verdicts:
        sentences.append(f"Of the changes, {'; '.join(verdicts)}.")
    still_open = [line for line in steps if is_open(line)]
    if still_open:
        sentences.append(f"Not decided: {listed([_name(line) for line in still_open])}.")
    return sentences


def _name(line: Comparison) -> str:
    """The change without its place."""
    return line.arm.partition(": ")[2]
