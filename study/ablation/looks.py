"""Seeds until decided: look at 10, 20, 40 seeds, and train no arm further whose verdict is in.

What is decided follows from the records alone, so a call that goes on after a kill takes the same looks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

from sea_core.run_folder import RECORD, read_run_folder
from study.ablation.arms import Arm
from study.ablation.plan import Plan
from study.analysis.comparisons import compare_study
from study.analysis.stats.comparison import Comparison
from study.analysis.stats.contrasts import DECIDED
from study.records.arm_names import FULL
from study.records.durations import duration
from study.records.folder import StudyFolder
from study.records.question import Question
from study.records.study import load_study
from study.running.events import Emit, Note


class Looking(NamedTuple):
    """What a sequence of looks needs.

    Attributes:
        folder: of the study.
        question: with seeds and looks.
        arms: with ``full`` among them.
        plan: the runs of some arms on some seeds.
        train: trains what a plan lacks.
    """

    folder: StudyFolder
    question: Question
    arms: Sequence[Arm]
    plan: Callable[[Sequence[Arm], Sequence[int]], Plan]
    train: Callable[[Plan], None]


def run_looks(looking: Looking, *, emit: Emit) -> list[Comparison]:
    """Train and look until every arm is decided or the seeds are used up; what is known of each arm at the end.

    Before each look it says what that will cost, after it what is decided.
    """
    question = looking.question
    left = list(looking.arms)
    rows: list[Comparison] = []
    for look in question.looks:
        plan = looking.plan(left, question.seeds[:look])
        emit(Note(_announcement(looking.folder, plan, look, len(left) - 1)))
        looking.train(plan)
        rows = verdicts(looking.folder, question)
        emit(Note(_outcome(rows, look)))
        decided = {row.arm for row in rows if row.verdict in DECIDED}
        left = [arm for arm in left if arm.name == FULL or arm.name not in decided]
        if len(left) == 1:
            break
    return rows


def verdicts(folder: StudyFolder, question: Question) -> list[Comparison]:
    """The frozen arms by the primary metric, as far as their looks go."""
    compared = compare_study(load_study(folder.root), [question.metric])
    return [row for row in compared.arms if row.mode == "frozen"]


def _announcement(folder: StudyFolder, plan: Plan, look: int, arms: int) -> str:
    missing = len(plan.missing)
    text = f"look at {look} seeds: {arms} arm{'' if arms == 1 else 's'} and full, {missing} runs to train"
    paths = (path.parent for path in folder.root.glob(f"ablations/*/*/seed-*/{RECORD}"))
    known = [float(seconds) for path in paths if (seconds := read_run_folder(path).record.get("seconds"))]
    if not missing or not known:
        return text
    return f"{text}, about {duration(missing * median(known))} one after the other, as finished runs here took"


def _outcome(rows: Sequence[Comparison], look: int) -> str:
    outcomes = [f"{row.arm} {row.verdict}" + (f" (since {row.look} seeds)" if row.look < look else "") for row in rows]
    return f"after {look} seeds: {', '.join(outcomes)}"
