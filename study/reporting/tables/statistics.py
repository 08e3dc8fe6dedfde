"""Every comparison with its interval, p-values, effect size, power and verdict: the rows behind every claim."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from study.analysis.comparisons import to_frame
from study.analysis.measurements import BASELINE_TITLES, imported_name, imported_notes
from study.analysis.metrics import metric_title
from study.analysis.results import Results
from study.analysis.stats.comparison import Comparison
from study.records.imported import reference_runs
from study.records.study import RunRecord, Study
from study.reporting.tables.registry import register_table
from study.reporting.tables.table import Cell, Number, Table

# Titles of ``evidence_cells``.
EVIDENCE = (
    "p",
    "Adjusted p",
    "d",
    "MDE",
    "Equiv. p",
    "Seeds",
    "Users",
    "Family",
    "Verdict",
)


@register_table("statistics", place=40)
def compute(results: Results) -> Table | None:
    """Every comparison there is; grey rows lie behind gates that stayed shut, or no verdict was asked of them."""
    parts_of_table = (
        results.arms,
        results.placebos,
        results.baselines,
        results.imported,
        results.tuning,
        results.path,
    )
    lines = [line for part in parts_of_table for line in part]
    if not lines:
        return None
    kinds = [number for number, part in enumerate(parts_of_table) for _ in part]
    frame = to_frame(lines)
    titles = {**BASELINE_TITLES, **results.titles}
    parts = [(line.study, line.mode, kind, line.family) for line, kind in zip(lines, kinds, strict=True)]
    notes = [*_notes(lines, titles, results), *verdict_notes(lines)]
    notes += [note for study in results.studies for note in imported_notes(study)]
    return Table(
        name="statistics",
        caption="All comparisons on test: paired difference with its 95 % interval for users and seeds like these, by "
        "itself; p by itself and adjusted for all verdicts of the study together; effect size d; the smallest "
        "difference that the row finds with 80 % power (MDE); the adjusted p of equivalence within "
        f"{_margins(lines)} of the reference; the family that shared the level. Grey: no verdict.",
        columns=["Comparison", "Metric", "Difference", "%", *EVIDENCE],
        rows=[_row(line, titles, results.prefix(line.study)) for line in lines],
        rules=[n for n in range(1, len(parts)) if parts[n] != parts[n - 1]],
        frame=frame,
        notes=notes,
        greys=[n for n, line in enumerate(lines) if line.verdict == "descriptive"],
        runs=[
            *(_arm_runs(results.named(line.study), line) for line in results.arms),
            *(_placebo_runs(results.named(line.study), line) for line in results.placebos),
            *(_baseline_runs(results.named(line.study), line) for line in results.baselines),
            *(_imported_runs(results.named(line.study), line) for line in results.imported),
            *(_rivals(results.named(line.study)) for line in results.tuning),
            *([] for _ in results.path),  # the table of the path has them
        ],
    )


def _row(line: Comparison, titles: Mapping[str, str], prefix: str) -> list[Cell]:
    mode = f" ({line.mode})" if line.mode else ""
    arm, reference = (titles.get(name, name) for name in (line.arm, line.reference))
    interval = None if math.isnan(line.low) else (line.low, line.high)
    return [
        f"{prefix}{arm} vs {reference}{mode}",
        metric_title(line.metric),
        Number(line.difference, interval=interval, signed=True),
        number_or_dash(100 * line.relative, decimals=2, signed=True),
        *evidence_cells(line),
    ]


def _arm_runs(study: Study, line: Comparison) -> list[RunRecord]:
    """Both sides of a comparison."""
    return [run for run in study.runs(mode=line.mode) if run.arm in (line.reference, line.arm)]


def _placebo_runs(study: Study, line: Comparison) -> list[RunRecord]:
    return [*study.runs(mode="frozen", arm=line.reference), *(run for run in study.placebos if run.arm == line.arm)]


def _baseline_runs(study: Study, line: Comparison) -> list[RunRecord]:
    return [*study.winner, *(run for run in study.baselines if run.baseline == line.reference)]


def _imported_runs(study: Study, line: Comparison) -> list[RunRecord]:
    return [*reference_runs(study), *(run for run in study.imported if imported_name(run) == line.arm)]


def _rivals(study: Study) -> list[RunRecord]:
    return [*study.winner, *study.default]


def _notes(lines: Sequence[Comparison], titles: Mapping[str, str], results: Results) -> list[str]:
    """What cannot be said of which rows, each once."""
    about: dict[str, list[str]] = {}
    for line in lines:
        if line.note:
            about.setdefault(line.note, []).append(str(_row(line, titles, results.prefix(line.study))[0]))
    return [f"{', '.join(dict.fromkeys(rows))}: {note}" for note, rows in sorted(about.items())]


def evidence_cells(line: Comparison) -> list[Cell]:
    """Both p, effect size, MDE, p of equivalence, seeds, users, family and verdict of a comparison."""
    return [
        p_text(line.p),
        p_text(line.p_adjusted),
        number_or_dash(line.effect_size, decimals=3, signed=True),
        number_or_dash(line.mde),
        p_text(line.p_equivalent),
        str(line.seeds),
        str(line.users),
        line.family or "–",
        verdict_text(line),
    ]


_EXPLAINED = {
    "non-inferior": "Non-inferior: costs less than the margin; whether it costs anything is open.",
    "user-limited": "User-limited: with these users no number of seeds would show that it costs less than the margin.",
    "descriptive": "Descriptive: in no family, or behind a gate that stayed closed; an estimate, no verdict.",
}


def verdict_text(line: Comparison) -> str:
    """The verdict, and whether a difference is within the margin all the same."""
    return f"{line.verdict}, within the margin" if line.within_margin and line.verdict != "equivalent" else line.verdict


def verdict_notes(lines: Sequence[Comparison]) -> list[str]:
    """What the less usual verdicts mean, of those that occur."""
    return [text for kind, text in _EXPLAINED.items() if any(line.verdict == kind for line in lines)]


def _margins(lines: Sequence[Comparison]) -> str:
    """The margins as shares of the reference."""
    shares = {f"{100 * line.margin / abs(line.reference_mean):.3g} %" for line in lines if line.reference_mean}
    return " or ".join(sorted(shares))


def p_text(p: float) -> str:
    """``< .001``, ``.023`` or a dash where there is no p-value."""
    if math.isnan(p):
        return "–"
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def number_or_dash(value: float, *, decimals: int = 4, signed: bool = False) -> Cell:
    """A dash where there is no number."""
    return "–" if math.isnan(value) else Number(value, decimals=decimals, signed=signed)
