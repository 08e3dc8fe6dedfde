"""The result of a study in one small file, and the table of its trials; both from the records on disk."""

from __future__ import annotations

import csv
import io
import json
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sea_core.errors import UserError
from sea_core.files import write_atomically, write_json
from study.records.folder import StudyFolder
from study.records.study import RunRecord, Study

SCHEMA_VERSION = 1


def write_trials_table(study: Study, out: Path | None = None) -> None:
    """Write number, state, value and parameters of every trial. Nothing in it depends on the clock.

    Args:
        study: as read back from its folder.
        out: None = ``tables/trials.csv`` of the study.
    """
    path = study.folder.tables / "trials.csv" if out is None else out
    names = list(study.space)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["number", "state", "value", *names])
    for trial in study.trials:
        writer.writerow([trial.number, trial.state, _cell(trial.value), *(_cell(trial.params.get(n)) for n in names)])
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.getvalue().encode())


def write_summary(study: Study, *, seconds: float, expected: float | None = None) -> dict[str, Any]:
    """Write ``summary.json``.

    Args:
        study: as read back from its folder.
        seconds: wall time of this invocation; earlier ones are added.
        expected: what ``seconds`` was estimated to be, if this is the only invocation; None keeps an earlier one's.
    """
    earlier = _earlier(study.folder)
    states = Counter(trial.state for trial in study.trials)
    best = study.best_trial
    summary = {
        "schema_version": SCHEMA_VERSION,
        "dataset": study.dataset,
        "study": study.name,
        "trials": {state: states[state] for state in ("complete", "pruned", "failed")},
        "best": None if best is None else _best(best),
        "final": _final(study.winner),
        "default": _final(study.default),
        "baselines": _baselines(study),
        "seconds": seconds + earlier.get("seconds", 0.0),
    }
    summary["estimate"] = (
        {"seconds": expected, "error": seconds / expected - 1}
        if expected
        # What was estimated then says nothing of a study that has been searched on since.
        else earlier.get("estimate")
        if earlier.get("trials") == summary["trials"]
        else None
    )
    write_json(study.folder.summary, summary)
    return summary


def _best(trial: RunRecord) -> dict[str, Any]:
    return {
        "number": trial.number,
        "params": trial.params,
        "config": trial.record["config"],
        "validation": trial.record["validation"],
    }


def _final(winner: Sequence[RunRecord]) -> dict[str, Any] | None:
    """A reported result: test metrics over fresh seeds, of the config the finalists selected, or of the default."""
    runs = [run for run in winner if run.test is not None]
    if not runs:
        return None
    means = [_means(run) for run in runs]
    return {
        "number": runs[0].number,
        "config": runs[0].record["config"],
        "seeds": [run.seed for run in runs],
        "test": {name: _mean_and_sd([each[name] for each in means]) for name in means[0]},
    }


def _baselines(study: Study) -> dict[str, dict[str, float]]:
    """Test metrics of each baseline, the mean over splits where there are several."""
    values: dict[str, list[dict[str, float]]] = {}
    for run in study.baselines:
        values.setdefault(str(run.baseline), []).append(_means(run))
    return {
        name: parts[0] if len(parts) == 1 else {m: statistics.fmean(part[m] for part in parts) for m in parts[0]}
        for name, parts in values.items()
    }


def _means(run: RunRecord) -> dict[str, float]:
    return {} if run.test is None else run.test.means()


def _mean_and_sd(values: Sequence[float]) -> Mapping[str, float | None]:
    return {"mean": statistics.fmean(values), "sd": statistics.stdev(values) if len(values) > 1 else None}


def _earlier(folder: StudyFolder) -> dict[str, Any]:
    """The summary of an earlier invocation, empty if there was none."""
    try:
        summary: dict[str, Any] = json.loads(folder.summary.read_text(encoding="utf-8"))
        float(summary["seconds"])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"cannot read {folder.summary}: {error}; delete it, it will be written anew") from None
    return summary


def _cell(value: Any) -> str:
    """Full precision; None is empty as a value and ``null`` as a parameter of a trial is written the same way."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
