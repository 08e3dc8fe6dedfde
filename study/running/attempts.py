"""How often a run was tried, kept beside its checkpoint so that it outlives the driver."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from study.running.executors.base import Failure

MAX_ATTEMPTS = 3  # of a run whose worker failed in a way that may not repeat
MAX_STARTS = 5  # of a run that gets no further than before: it takes its process down with it


@dataclass
class Attempts:
    """Starts and failures of one run.

    A driver's death is no attempt, but a run that kills the driver with it must not do so for ever: hence the starts.

    Attributes:
        path: of the file.
        starts_without_epoch: starts since the run last got further than ever before.
        failures: of workers, with their kind and message.
        furthest: the last epoch that any attempt finished.
    """

    path: Path
    starts_without_epoch: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)
    furthest: int = -1

    @classmethod
    def read(cls, path: Path) -> Attempts:
        """What an earlier driver kept; nothing if it kept nothing readable."""
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            starts, failures = int(stored["starts_without_epoch"]), list(stored["failures"])
            return cls(path, starts, failures, int(stored.get("furthest", -1)))
        except (OSError, ValueError, KeyError, TypeError):
            return cls(path)

    @property
    def count(self) -> int:
        """How often the run was tried, if it goes well this time."""
        return len(self.failures) + 1

    @property
    def exhausted(self) -> Failure | None:
        """Why the run must not be started again, if so."""
        if self.starts_without_epoch < MAX_STARTS:
            return None
        last = f"; the last failure was: {self.failures[-1]['message']}" if self.failures else ""
        return Failure("lost", f"started {MAX_STARTS} times without getting further{last}")

    def begin(self) -> None:
        """Count a start, before it happens."""
        self.starts_without_epoch += 1
        self._write()

    def epoch_finished(self, epoch: int) -> None:
        """Forget earlier starts if the run gets further than they did; epochs that are repeated do not count."""
        if epoch > self.furthest:
            self.furthest = epoch
            if self.starts_without_epoch:
                self.starts_without_epoch = 0
                self._write()

    def may_retry(self, failure: Failure) -> bool:
        """Count a failure; whether the run deserves another start."""
        self.failures.append({"kind": failure.kind, "message": failure.message})
        self._write()
        others = sum(each["kind"] != "lost" for each in self.failures)
        return failure.kind == "lost" or (failure.retry and others < MAX_ATTEMPTS)

    def _write(self) -> None:
        """Replace the file; not flushed to disk, because a start that a power cut makes us forget costs nothing."""
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        content = {
            "starts_without_epoch": self.starts_without_epoch,
            "failures": self.failures,
            "furthest": self.furthest,
        }
        temporary.write_text(json.dumps(content), encoding="utf-8")
        temporary.replace(self.path)
