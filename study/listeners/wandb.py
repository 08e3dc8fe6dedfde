"""``--listener wandb[:PROJECT]``: runs for Weights & Biases, kept offline in the study's folder ``wandb``.

Nothing is sent: ``wandb sync results/<study>/wandb/offline-run-*`` does so when you want it, and WANDB_MODE=online
sends runs as they go. Needs the extra ``wandb``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sea_core.errors import UserError
from study.listeners.registry import register_listener
from study.listeners.tracker import TrackedRun, Tracker
from study.running.events import StudyBegun

_EXIT_CODES = {"complete": 0, "pruned": 0, "failed": 1, "put aside": 255}


@register_listener("wandb")
class WeightsAndBiases(Tracker[Any]):
    """One W&B run for every run, grouped by study."""

    def __init__(self, argument: str = "") -> None:
        """Take the project's name; empty for ``sea-study``.

        Raises:
            UserError: the library is not installed.
        """
        super().__init__()
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # nobody asked the user
        try:
            import wandb  # an optional extra, and it takes a second
        except ImportError:
            raise UserError("--listener wandb needs Weights & Biases: pip install 'sea-study[wandb]'") from None
        self._wandb: Any = wandb
        self._project, self._mode = argument or "sea-study", os.environ.get("WANDB_MODE", "offline")

    def begin_study(self, study: StudyBegun) -> None:
        """See ``Tracker``."""
        study.folder.mkdir(parents=True, exist_ok=True)

    def begin_run(self, run: TrackedRun) -> tuple[Any, int]:
        """See ``Tracker``. Offline, a continued run is written anew, under the identifier that W&B knows it by."""
        number = hashlib.sha256(f"{run.study.name}/{run.key}".encode()).hexdigest()[:16]
        if self._mode == "offline":
            for former in (run.study.folder / "wandb").glob(f"offline-run-*-{number}"):
                shutil.rmtree(former)
        quietly = {"silent": True, "console": "off", "x_disable_stats": True, "disable_git": True, "disable_code": True}
        made = self._wandb.init(
            project=self._project,
            group=run.study.name,
            name=run.name,
            id=number,
            config=dict(run.facts),
            dir=str(run.study.folder),
            mode=self._mode,
            resume=None if self._mode == "offline" else "allow",
            reinit="create_new",  # several runs may be open
            settings=self._wandb.Settings(**quietly),
        )
        return made, int(made.step)

    def log(self, handle: Any, epoch: int, numbers: Mapping[str, float]) -> None:
        """See ``Tracker``."""
        handle.log(dict(numbers), step=epoch)

    def conclude(self, handle: Any, results: Mapping[str, float], notes: Mapping[str, str]) -> None:
        """See ``Tracker``."""
        handle.summary.update({f"result/{name}": value for name, value in results.items()} | dict(notes))

    def end_run(self, handle: Any, how: str) -> None:
        """See ``Tracker``."""
        handle.finish(exit_code=_EXIT_CODES[how])

    def keep_table(self, study: StudyBegun, path: Path) -> None:
        """See ``Tracker``: a table is a file of the study's folder; W&B's own are for tables that are logged."""

    def close(self) -> None:
        """See ``Listener``; W&B's own process ends too."""
        super().close()
        self._wandb.teardown()
