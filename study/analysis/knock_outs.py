"""Does a modality matter at all? What the arms that take its content away say together.

A modality matters if every way of taking it away costs accuracy; it does not if one way is shown to cost less than the
margin. Both are claims about the cheapest way, so no claim is stronger than the verdict of one comparison.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from study.analysis.arm_changes import Changes, changes_of_arms
from study.analysis.stats.comparison import OPEN, Comparison
from study.records.arm_names import FULL
from study.records.study import Study

ALL = "all"  # the modality's name where every one of them is taken away
Answer = Literal["matters", "does not matter", "better left out", "not decided", "no verdict"]
# A modality's content goes with each of these; with its rows swapped for those of another it does not.
DESTROYS = ("zero", "mean", "noise", "permute", "random-features")


class KnockOut(NamedTuple):
    """What is known about one modality.

    Attributes:
        modality: its name, or ``ALL``.
        lines: comparisons of the arms without its content with the full model.
        cheapest: the one with the least loss, or the largest gain.
        answer: whether the modality matters.
    """

    modality: str
    lines: Sequence[Comparison]
    cheapest: Comparison
    answer: Answer


def knock_outs(study: Study, lines: Sequence[Comparison]) -> list[KnockOut]:
    """What frozen arms without its content say about each modality, in the order of the data; ``ALL`` comes last.

    Args:
        study: whose arms they are.
        lines: comparisons with the full model by one metric.
    """
    taken = taken_away(study)
    by_modality: dict[str, list[Comparison]] = {}
    for line in lines:
        if line.mode == "frozen" and line.arm in taken:
            by_modality.setdefault(taken[line.arm], []).append(line)
    order = [*_modalities(study), *by_modality]
    names = sorted(by_modality, key=lambda name: (name == ALL, order.index(name)))
    return [_judge(name, by_modality[name]) for name in names]


def taken_away(study: Study) -> dict[str, str]:
    """Arm -> the one modality whose content it takes away, or ``ALL``; other arms are left out."""
    everything = _modalities(study)
    taken = {arm: _of_changes(changes, everything) for arm, changes in changes_of_arms(study).items()}
    return {arm: modality for arm, modality in taken.items() if modality is not None}


def _of_changes(changes: Changes, everything: Sequence[str]) -> str | None:
    if changes.keys() == {"feature_transform"}:
        wanted: Mapping[str, str] = changes["feature_transform"] or {}
        destroyed = [name for name, how in wanted.items() if how.partition(":")[0] in DESTROYS]
        if len(destroyed) < len(wanted) or not destroyed:
            return None
        whole = ALL in destroyed or (len(destroyed) > 1 and set(destroyed) == set(everything))
        return ALL if whole else _only(destroyed)
    if changes.keys() == {"modalities"} and changes["modalities"]:
        return _only([name for name in everything if name not in changes["modalities"]])
    return None


def _only(names: Sequence[str]) -> str | None:
    return names[0] if len(names) == 1 else None


def _modalities(study: Study) -> list[str]:
    """All that the full model reads: those its config names, else those of the data."""
    full = next((run.config for run in study.ablations if run.arm == FULL), None)
    if full is not None and full.modalities is not None:
        return list(full.modalities)
    try:
        return list(json.loads(study.folder.provenance.read_text(encoding="utf-8"))["feature_hashes"])
    except (OSError, ValueError, KeyError, TypeError):
        return []  # of an older study nobody knows; arms that name a modality can still be read


def _judge(modality: str, lines: Sequence[Comparison]) -> KnockOut:
    cheapest = max(lines, key=lambda line: line.difference)
    verdicts = [line.verdict for line in lines]
    spared = [line for line in lines if line.verdict in ("better", "equivalent", "non-inferior")]
    if spared:
        cheapest = max(spared, key=lambda line: line.difference)
        harms = all(line.verdict == "better" for line in lines)
        return KnockOut(modality, lines, cheapest, "better left out" if harms else "does not matter")
    if all(verdict == "worse" for verdict in verdicts):
        return KnockOut(modality, lines, cheapest, "matters")
    none_asked = all(verdict == "descriptive" for verdict in verdicts)
    if not none_asked:
        cheapest = max((line for line in lines if line.verdict in OPEN), key=lambda line: line.difference)
    return KnockOut(modality, lines, cheapest, "no verdict" if none_asked else "not decided")
