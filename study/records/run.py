"""A run: what to train, why, and where it lies. ``records/study.py`` reads what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.run_folder import TEST, read_run_folder
from sea_core.training.loop import CHECKPOINT_SECONDS

Purpose = Literal["trial", "finalist", "winner", "default", "baseline", "arm", "placebo", "candidate", "step"]
_TESTED: tuple[Purpose, ...] = ("winner", "default", "baseline", "arm", "placebo", "step")
_MANY: tuple[Purpose, ...] = ("trial", "candidate")


@dataclass(frozen=True)
class Run:
    """One (config, seed) to train. The same object is planned, driven, sent to a worker and looked up on disk.

    Attributes:
        config, seed: determine the run, with the data.
        folder: where its files go; the key of the run within a study.
        purpose: why it is trained. It decides what is kept and whether the test split is opened.
        label: what people read while it trains.
        extra: own keys of its ``record.json`` (``trial``, ``arm``, ``mode``, ...).
        checkpoint_seconds: the least time between two checkpoints.
    """

    config: Config
    seed: int
    folder: Path = Path()
    purpose: Purpose = "trial"
    label: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    checkpoint_seconds: float = CHECKPOINT_SECONDS

    @property
    def key(self) -> str:
        """Unique within a study."""
        return str(self.folder)

    @property
    def arm(self) -> str | None:
        """The ablation arm it belongs to."""
        return self.extra.get("arm")

    @property
    def mode(self) -> str | None:
        """``frozen`` or ``retuned``, of an arm's run."""
        return self.extra.get("mode")

    @property
    def opens_test(self) -> bool:
        """Evaluate it on the test split too, once, and keep its embeddings; never for what a search or choice sees."""
        return self.purpose in _TESTED

    @property
    def keeps_parts(self) -> bool:
        """Keep items' parts, and what separation did to them; not of trials and candidates, which are many."""
        return self.purpose not in _MANY

    def is_done(self, dataset: Dataset) -> bool:
        """Whether its record is there, whole and of these data. A failure by accident is tried again."""
        try:
            recorded = read_run_folder(self.folder)
        except UserError:
            return False
        same = not recorded.differences(self.config, seed=self.seed, data_hash=dataset.for_seed(self.seed).data_hash)
        failure = (recorded.record.get("trial") or {}).get("failure")
        if failure is not None:
            return same and failure["kind"] == "diverged"
        return same and (not self.opens_test or (self.folder / TEST).exists())
