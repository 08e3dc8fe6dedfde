"""``--listener tensorboard[:FOLDER]``: curves for TensorBoard, by default in the study's folder ``tensorboard``.

Look at them with ``tensorboard --logdir results/<study>/tensorboard``. Needs the extra ``tensorboard``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sea_core.errors import UserError
from study.listeners.registry import register_listener
from study.listeners.tracker import TrackedRun, Tracker
from study.running.events import StudyBegun


@register_listener("tensorboard")
class TensorBoard(Tracker[Any]):
    """A folder of event files for every run; losses, validation metrics and results are scalars, the config a text."""

    def __init__(self, argument: str = "") -> None:
        """Take the folder; empty for the study's own.

        Raises:
            UserError: TensorBoard is not installed.
        """
        super().__init__()
        try:
            from torch.utils.tensorboard import SummaryWriter  # an optional extra, and it takes a second
        except ImportError:
            raise UserError("--listener tensorboard needs TensorBoard: pip install 'sea-study[tensorboard]'") from None
        self._make_writer, self._folder = SummaryWriter, argument

    def begin_study(self, study: StudyBegun) -> None:
        """See ``Tracker``."""

    def begin_run(self, run: TrackedRun) -> tuple[Any, int]:
        """See ``Tracker``. What a killed process had not written yet is not known: a continued run is written anew."""
        folder = Path(self._folder) / run.study.name if self._folder else run.study.folder / "tensorboard"
        target = folder / run.key
        for former in target.glob("events.out.tfevents.*"):
            former.unlink()
        writer: Any = self._make_writer(str(target))
        lines = [f"- {name}: {value}" for name, value in run.facts.items()]
        writer.add_text("config", "\n".join([f"{run.study.name}, {run.name}", "", *lines]))
        return writer, 0

    def log(self, handle: Any, epoch: int, numbers: Mapping[str, float]) -> None:
        """See ``Tracker``."""
        for name, value in numbers.items():
            handle.add_scalar(name, value, epoch)

    def conclude(self, handle: Any, results: Mapping[str, float], notes: Mapping[str, str]) -> None:
        """See ``Tracker``."""
        for name, value in results.items():
            handle.add_scalar(f"result/{name}", value, 0)
        for name, text in notes.items():
            handle.add_text(name, text)

    def end_run(self, handle: Any, how: str) -> None:
        """See ``Tracker``."""
        handle.close()
