"""Workers that die or report on themselves, for actors to be made of.

The environment variable ``SEA_TEST_FOLDER`` names a folder that they share with the test: they are other processes.
"""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from study.records.run import Run
from study.running.executors.base import Progress
from study.running.worker import TrialWorker


def shared_folder() -> Path:
    return Path(os.environ["SEA_TEST_FOLDER"])


class MortalWorker(TrialWorker):
    """Kills its own process with SIGKILL before an epoch for which a file ``<gnn_layers>-<epoch>`` lies in the folder.

    The file goes first, unless ``for ever`` is written in it. A file ``pid-<pid>`` says that a process has trained an
    epoch. Epochs are slow enough for the test to kill one in its middle, and each leaves a checkpoint.
    """

    def start(self, run: Run, checkpoint: bytes | None) -> Progress:
        return super().start(replace(run, checkpoint_seconds=0), checkpoint)

    def advance(self) -> Progress:
        training, run = self._current()
        if training.reports:
            (shared_folder() / f"pid-{os.getpid()}").touch()
        death = shared_folder() / f"{run.config.gnn_layers}-{len(training.reports)}"
        if death.exists():
            if death.read_text() != "for ever":
                death.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.1)
        return super().advance()


class RaisingWorker(TrialWorker):
    """Raises where no executor expects it."""

    def start(self, run: Run, checkpoint: bytes | None) -> Progress:
        raise RuntimeError("this worker does not work")

    def discard(self) -> Any:
        raise RuntimeError("nor does this")


class MemoryWorker(TrialWorker):
    """Says where the features lie: in which mapping of its process, and whether they can be written."""

    def start(self, run: Run, checkpoint: bytes | None) -> Progress:
        features = next(iter(self._dataset.features.values()))
        address, mapping = features.ctypes.data, "memory of its own"
        for line in Path("/proc/self/maps").read_text().splitlines():
            first, last = (int(number, 16) for number in line.split()[0].split("-"))
            if first <= address < last and "/" in line:
                mapping = line[line.index("/") :]
        note = f"{os.getpid()} {'writable' if features.flags.writeable else 'read-only'} {mapping}"
        return replace(super().start(run, checkpoint), note=note)
