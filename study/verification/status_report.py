"""How a study stands, read from its folder and storage without touching either."""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import optuna
import psutil
from optuna.trial import FrozenTrial, TrialState

from sea_core.errors import UserError
from sea_core.run_folder import RECORD
from study.records.durations import duration
from study.records.folder import StudyFolder
from study.records.spec import StudySpec, read_spec
from study.searching.storage import open_storage
from study.searching.storage_check import check_database, count_records, name_in_storage
from study.searching.trials import describe_trials


def status(root: Path, *, storage: str | None = None) -> list[str]:
    """Lines about a study.

    Args:
        root: its folder.
        storage: URL of its storage, if that is not ``study.db``.

    Raises:
        UserError: no study there.
    """
    folder = StudyFolder(root.resolve())
    spec = read_spec(folder)
    if spec is None:
        raise UserError(f"no study in {root}: expected {folder.identity.name} there")
    if storage is None and not folder.database.exists():
        raise UserError(f"{folder.database} is gone; restore it, or give the --storage the study was made with")
    url = storage or f"sqlite:///{folder.database}"
    check_database(folder, url)
    opened = open_storage(url)
    name = name_in_storage(folder, opened)
    try:
        trials = optuna.load_study(study_name=name, storage=opened).get_trials(deepcopy=False)
    except KeyError:
        raise UserError(f"the storage holds no study named '{name}'; give the --storage it was made with") from None
    if len(trials) < (count := count_records(folder)):
        raise UserError(
            f"the storage holds {len(trials)} trials, and {folder.trials} the records of {count}; restore "
            f"{folder.database.name}, or give the --storage the study was made with"
        )
    done = [trial for trial in trials if trial.state.is_finished()]
    unfinished = [trial for trial in trials if trial.state == TrialState.RUNNING]
    # What makes room for others has a record of what it has led to; what is being trained has none.
    paused = [trial for trial in unfinished if (folder.trial(trial.number) / RECORD).exists()]
    running = [trial for trial in unfinished if trial not in paused]
    lines = [f"{folder.name} on {spec.dataset}: {_driver(root)}"]
    if name != folder.name:
        lines.append(f"  renamed or copied from '{name}'; run_search.py --adopt goes on with it under its new name")
    lines.append(f"  {len(done)} trials done{': ' if done else ''}{describe_trials(trials)}")
    lines += [f"  trial {trial.number} {_progress(trial, spec)}" for trial in running]
    lines += [f"  {_paused(paused)}"] if paused else []
    for title, pattern in (
        ("finalist runs", "final/finalists/*/seed-*"),
        ("winner runs", "final/winner/seed-*"),
        ("control runs", "final/controls/*/seed-*"),
        ("runs of the base configuration", "final/default/seed-*"),
        ("ablation runs", "ablations/*/*/seed-*"),
    ):
        begun = list(folder.root.glob(pattern))
        if begun:
            finished = sum((path / RECORD).exists() for path in begun)
            lines.append(
                f"  {finished} {title} done{f', {len(begun) - finished} begun' if finished < len(begun) else ''}"
            )
    return lines


def _driver(root: Path) -> str:
    try:
        who = json.loads((root / "driver.json").read_text(encoding="utf-8"))
        here = who["host"] == socket.gethostname()
        if here and not psutil.pid_exists(who["pid"]):
            return "interrupted (its process is gone); the same command continues it"
        return f"driven by process {who['pid']} on {who['host']} since {who['since']}"
    except (OSError, ValueError, KeyError):
        return "nobody drives it now"


def _paused(trials: Sequence[FrozenTrial]) -> str:
    counts = Counter(len(trial.intermediate_values) for trial in trials)
    where = ", ".join(f"{count} after {epochs} epochs" for epochs, count in sorted(counts.items()))
    latest = {trial.number: trial.intermediate_values[trial.last_step or 0] for trial in trials}
    best = max(latest, key=lambda number: (latest[number], -number))
    return f"{len(trials)} paused: {where}; the best of them {latest[best]:.4f} (trial {best})"


def _progress(trial: FrozenTrial, spec: StudySpec) -> str:
    epochs = ""
    if trial.last_step is not None:
        seeds = spec.seeds_per_trial  # steps count epochs from 0, or seeds from 1
        done = f"epoch {trial.last_step + 1}/{spec.config.get('epochs', '?')}"
        epochs = done if seeds == 1 else f"{trial.last_step} of up to {seeds} seeds"
    latest = f", {trial.intermediate_values[trial.last_step]:.4f}" if trial.last_step is not None else "no epoch yet"
    since = (
        ""
        if trial.datetime_start is None
        else duration(max(0.0, (datetime.now() - trial.datetime_start).total_seconds()))
    )
    return f"{epochs}{latest}, for {since}"
