"""What each part of a study cost: processor time, and the energy that this is likely to be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from study.analysis.results import Results
from study.records.study import RunRecord, Study
from study.reporting.tables.budgets import parts
from study.reporting.tables.registry import register_table
from study.reporting.tables.table import Table

# What a busy core of a server draws with its share of the chip, as Green Algorithms assumes of a processor that it does
# not know (Lannelongue, Grealey and Inouye 2021). A choice, not a measurement: energy scales with it.
WATTS_PER_CORE = 12.0
TITLES = ["Runs", "Hours", "CPU hours", "Energy, Wh"]
COLUMNS = ["study", "dataset", "part", "runs", "seconds", "cpu_seconds", "bounded", "watt_hours"]


class Cost(NamedTuple):
    """Of some runs together.

    Attributes:
        runs: that were trained; duplicates and runs taken over cost nothing.
        seconds: of training and validation, by the clock on the wall.
        cpu_seconds: of all cores together.
        bounded: runs of earlier versions, which did not measure it: their seconds x threads stand in, an upper bound.
    """

    runs: int
    seconds: float
    cpu_seconds: float
    bounded: int

    @property
    def watt_hours(self) -> float:
        """Energy of the cores; memory, disks, graphics cards and cooling are not counted."""
        return self.cpu_seconds * WATTS_PER_CORE / 3600


@register_table("costs", place=125)
def compute(results: Results) -> Table | None:
    """Processor time and energy of everything that a study spent runs on, and of all of it together."""
    of_parts = [(study, part, runs, cost_of(runs)) for study in results.studies for part, runs in spent_on(study)]
    lines = [line for line in of_parts if line[3].runs]
    if not any(cost.cpu_seconds for *_, cost in lines):
        return None  # records of programs elsewhere
    together = cost_of([run for _, _, runs, _ in lines for run in runs])
    starts = [index for index in range(1, len(lines)) if lines[index][0] is not lines[index - 1][0]]
    shown = [(study.name, part, cost) for study, part, _, cost in lines] + [("all", "", together)]
    notes = [
        f"{together.bounded} of {together.runs} runs did not measure their processor time; seconds x threads stand in, "
        "an upper bound."
    ]
    return Table(
        name="costs",
        caption="Costs: runs that were trained, hours of training and validation by the clock, processor time of all "
        f"cores together, and its energy, estimated at {WATTS_PER_CORE:g} W for each busy core. Setting up, tables and "
        "figures are not counted, nor are memory, graphics cards and cooling. Nothing else depends on the clock.",
        columns=["Study", "Part", *TITLES],
        rows=[[study, part, *_cells(cost)] for study, part, cost in shown],
        rules=[*starts, len(lines)],
        frame=pd.DataFrame(
            [(study.name, study.dataset, part, *cost, cost.watt_hours) for study, part, _, cost in lines],
            columns=COLUMNS,
        ),
        notes=notes if together.bounded else [],
        runs=[*(runs for _, _, runs, _ in lines), []],
    )


def spent_on(study: Study) -> list[tuple[str, list[RunRecord]]]:
    """The parts of the ledger, and the runs that it leaves out."""
    known = [*parts(study)]
    counted = {run.folder for _, runs in known for run in runs}
    more = [("baselines", study.baselines), ("placebos", study.placebos), ("controls", study.controls)]
    left_out = [(part, [run for run in runs if run.folder not in counted]) for part, runs in more]
    return [*known, *((part, runs) for part, runs in left_out if runs)]


def cost_of(runs: Sequence[RunRecord]) -> Cost:
    """What some runs cost together, those left out that were copied."""
    paid = [run for run in runs if run.duplicate_of is None and "copied_from" not in run.record and run.seconds]
    bounded = [run for run in paid if "cpu_seconds" not in run.record]
    measured = sum(float(run.record["cpu_seconds"]) for run in paid if "cpu_seconds" in run.record)
    bound = sum(run.seconds * int(run.record.get("threads", 1)) for run in bounded)
    return Cost(
        sum(max(1, len(run.judged_on)) for run in paid),
        sum(run.seconds for run in paid),
        measured + bound,
        len(bounded),
    )


def _cells(cost: Cost) -> list[str]:
    return [str(cost.runs), f"{cost.seconds / 3600:.3f}", f"{cost.cpu_seconds / 3600:.3f}", f"{cost.watt_hours:.2f}"]
