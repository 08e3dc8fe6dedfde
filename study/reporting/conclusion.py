"""What a study found, in a few lines for the terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study.analysis.convergence import trials_cut_off
from study.analysis.results import Results
from study.records.drawn import Shown
from study.records.durations import duration, exact_duration
from study.records.study import Study
from study.reporting.more_search import more_search_sentences

_WORTH_A_PERCENTAGE = 60.0  # seconds, of a study's estimate and time


def conclusion(results: Results, tables: Mapping[str, Shown]) -> list[str]:
    """Lines: trials, the selected config, its test result beside baselines and arms, and where everything lies.

    Args:
        results: of one study.
        tables: those to show, by name.
    """
    study = results.study
    summary: dict[str, Any] = json.loads(study.folder.summary.read_text(encoding="utf-8"))
    counts, best, final = summary["trials"], summary["best"], summary["final"]
    total = ", ".join(f"{count} {state}" for state, count in counts.items())
    lines = ["", f"{study.name}: {sum(counts.values())} trials ({total}) in {duration(summary['seconds'])}"]
    if (estimate := summary.get("estimate")) is not None:
        took = estimate["seconds"] * (1 + estimate["error"])
        spoken = f"estimated {exact_duration(estimate['seconds'])}, took {exact_duration(took)}"
        # Of a study of seconds, starting up is most of the time, and a percentage says nothing about the estimate.
        off = f" ({100 * estimate['error']:+.0f} %)" if min(took, estimate["seconds"]) >= _WORTH_A_PERCENTAGE else ""
        lines.append(f"{spoken}{off}, tables and figures not counted")
    if best is None:
        first = next((trial for trial in study.trials if trial.failure), None)
        why = f"; trial {first.number}: {first.failure['message']}" if first and first.failure else ""
        return [*lines, f"no trial is complete{why}", f"logs: {study.folder.trials}/<n>/log.txt"]
    metric = study.metric
    selected = final["number"] if final else best["number"]
    params = next(trial.params for trial in study.trials if trial.number == selected)
    lines.append(f"best of the search: trial {best['number']}, validation {metric} {best['validation'][metric]:.4f}")
    if final:
        lines += _selection(study, metric)
    lines += [f"note: {sentence}"] if (sentence := trials_cut_off(study)) is not None else []
    lines += more_search_sentences(study, results)
    lines += [f"config of trial {selected}:", *(f"  {name}: {_short(value)}" for name, value in params.items())]
    if final:
        for name in ("overall", "ablation"):
            lines += ["", tables[name].text] if name in tables else []
    return [*lines, "", f"everything lies in {study.folder.root}: {', '.join(_there(study.folder.root))}"]


def _there(root: Path) -> list[str]:
    """What a reader may want, of what was written."""
    places = [root / "report.html", root / "summary.json", root / "tables", root / "figures", root / "trials"]
    return [f"{place.name}{'/' * place.is_dir()}" for place in places if place.exists()]


def _selection(study: Study, metric: str) -> list[str]:
    selection = study.selection
    assert selection is not None  # there are final results
    shrinkage, tuning = selection.shrinkage, selection.tuning
    chosen = f"winner: trial {selection.winner}, {selection.rule.format(metric=metric)}"
    if shrinkage is None:
        return [chosen]
    bought = []
    if tuning is not None:
        word = "above" if tuning["difference"] > 0 else "not above"
        bought = [
            f"there the base configuration has {tuning['default_mean']:.4f}: tuning is {word} it, by "
            f"{tuning['difference']:+.4f} ({tuning['difference'] / tuning['default_mean']:+.1%})"
        ]
    return [
        chosen,
        f"on fresh seeds its validation {metric} is {shrinkage['fresh_mean']:.4f}, "
        f"{abs(shrinkage['difference']):.4f} {'below' if shrinkage['difference'] >= 0 else 'above'} the search's",
        *bought,
    ]


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
