"""What runs where a trial trains: one run at a time, by epochs. It knows no study, no storage and no test split."""

from __future__ import annotations

import time
import traceback
import warnings
from collections.abc import Callable, Sequence

import torch

from sea_core.data.dataset import Dataset
from sea_core.data.modalities import only_modalities
from sea_core.errors import DivergedError, UserError
from sea_core.evaluation.full_ranking import NonFiniteScoresError
from sea_core.plugins import Plugin, load_plugin
from sea_core.run_folder import RunFiles, run_files
from sea_core.training.checkpoint import CheckpointError, from_bytes, to_bytes
from sea_core.training.run import TrainingRun
from study.records.run import Run
from study.running.diagnose import diagnostic_files
from study.running.executors.base import Failure, Paused, Progress

_OUT_OF_MEMORY_WORDS = ("out of memory", "not enough memory", "can't allocate memory", "bad alloc")


class TrialWorker:
    """Holds a dataset and at most one run. Failures are returned, never raised: every executor sees them alike."""

    def __init__(
        self, dataset: Dataset, *, device: str = "cpu", threads: int | None = None, plugins: Sequence[Plugin] = ()
    ) -> None:
        """Take a dataset.

        Args:
            dataset: shared by all runs.
            device: where they train.
            threads: processor threads a run may use; None leaves torch's own choice.
            plugins: to load first, where this is another process than the driver's.
        """
        for plugin in plugins:
            load_plugin(plugin)
        self._dataset, self._device = dataset, device
        # Ray shares arrays read-only. Nothing writes them, but torch warns all the same.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        if threads is not None:
            torch.set_num_threads(threads)
        self._training: TrainingRun | None = None
        self._run: Run | None = None
        self._last_checkpoint = 0.0

    def start(self, run: Run, checkpoint: bytes | None) -> Progress:
        """Build a run, or continue one from a checkpoint; an unusable checkpoint is noted and the run starts anew."""
        return self._guarded(lambda: self._start(run, checkpoint))

    def advance(self) -> Progress:
        """Train one epoch."""
        return self._guarded(self._advance)

    def collect(self) -> RunFiles | Failure:
        """The run folder as bytes; the run is let go."""
        try:
            return self._files()
        except Exception as error:
            return classify(error)
        finally:
            self.discard()

    def pause(self) -> Paused | Failure:
        """The run folder as bytes and the run's state; the run is let go."""
        try:
            return Paused(self._files(), to_bytes(self._current()[0]))
        except Exception as error:
            return classify(error)
        finally:
            self.discard()

    def park(self) -> bytes | None:
        """The run's state, None if there is no run; the run is let go."""
        state = None if self._training is None else to_bytes(self._training)
        self.discard()
        return state

    def discard(self) -> None:
        """Let the run go."""
        self._training = self._run = None

    def _start(self, run: Run, checkpoint: bytes | None) -> Progress:
        self.discard()
        dataset = only_modalities(self._dataset.for_seed(run.seed), run.config)
        training, note = self._build(run, dataset), None
        if checkpoint is not None:
            try:
                from_bytes(training, checkpoint)
            except CheckpointError as error:
                note = f"starting anew: {error}"
                training = self._build(run, dataset)
        self._training, self._run = training, run
        self._last_checkpoint = time.monotonic()
        return Progress(reports=tuple(training.reports), finished=training.finished, note=note)

    def _advance(self) -> Progress:
        training, run = self._current()
        report = training.advance()
        checkpoint = None
        if not training.finished and time.monotonic() - self._last_checkpoint >= run.checkpoint_seconds:
            checkpoint = to_bytes(training)
            self._last_checkpoint = time.monotonic()
        return Progress(reports=(report,), finished=training.finished, checkpoint=checkpoint)

    def _build(self, run: Run, dataset: Dataset) -> TrainingRun:
        return TrainingRun(run.config, dataset, seed=run.seed, device=self._device, keep_best_weights=run.keeps_parts)

    def _files(self) -> RunFiles:
        training, run = self._current()
        files = run_files(training, keep_embeddings=run.opens_test)
        return {**files, **diagnostic_files(training)} if run.keeps_parts else files

    def _current(self) -> tuple[TrainingRun, Run]:
        assert self._training is not None, "no run was started"
        assert self._run is not None
        return self._training, self._run

    def _guarded(self, work: Callable[[], Progress]) -> Progress:
        try:
            return work()
        except Exception as error:
            self.discard()
            return Progress(failure=classify(error))


def classify(error: Exception) -> Failure:
    """Turn what a run raised into a failure of one of the recorded kinds."""
    detail = "".join(traceback.format_exception(error))
    message = f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]
    if isinstance(error, DivergedError | NonFiniteScoresError):
        return Failure("diverged", str(error), detail)
    if isinstance(error, UserError):
        return Failure("error", str(error), detail)
    text = str(error).lower()
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(words in text for words in _OUT_OF_MEMORY_WORDS):
        return Failure("out-of-memory", message, detail, retry=True)
    return Failure("error", message, detail, retry=True)
