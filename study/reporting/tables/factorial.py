"""The 2 x 2 factorial CLUB x Solosim: main effects and interaction, each with its interval."""

from __future__ import annotations

import math

from study.analysis.comparisons import FACTORIAL_ARMS, to_frame
from study.analysis.metrics import metric_title
from study.analysis.results import Results
from study.records.study import RunRecord
from study.reporting.tables.registry import register_table
from study.reporting.tables.statistics import EVIDENCE, evidence_cells, verdict_notes
from study.reporting.tables.table import Cell, Number, Table

EFFECTS = {"club": "CLUB", "solosim": "Solosim", "club x solosim": "CLUB × Solosim"}


@register_table("factorial", place=50)
def compute(results: Results) -> Table | None:
    """What each loss adds over the other on and off, and what they add beside each other. None without the arms."""
    lines = results.factors
    if not lines:
        return None
    rows: list[list[Cell]] = []
    runs: list[list[RunRecord]] = []
    for line in lines:
        interval = None if math.isnan(line.low) else (line.low, line.high)
        rows.append(
            [
                f"{results.prefix(line.study)}{EFFECTS[line.arm]} ({line.mode})",
                metric_title(line.metric),
                Number(line.difference, interval=interval, signed=True),
                *evidence_cells(line),
            ]
        )
        ablations = results.named(line.study).ablations
        runs.append([run for run in ablations if run.mode == line.mode and run.arm in FACTORIAL_ARMS])
    metrics = [line.metric for line in lines]
    return Table(
        name="factorial",
        caption="Factorial CLUB × Solosim on test: main effects (on minus off, averaged over the other) and "
        "interaction (what CLUB adds beside Solosim minus what it adds without), with 95 % intervals; p by "
        "itself and adjusted over the factorial, a graph of its own; effect size d, the smallest effect found with "
        "80 % power (MDE), adjusted p of equivalence within the margin, a share of the mean without both.",
        columns=["Effect", "Metric", "Estimate", *EVIDENCE],
        rows=rows,
        rules=[n for n in range(1, len(rows)) if metrics[n] != metrics[n - 1]],
        frame=to_frame(lines),
        notes=verdict_notes(lines),
        greys=[n for n, line in enumerate(lines) if line.verdict == "descriptive"],
        runs=runs,
    )
