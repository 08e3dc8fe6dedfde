"""What the driver may expect of every executor, with real training."""

import json
from collections.abc import Callable, Iterator

import pytest

from sea_core.data.dataset import Dataset
from sea_core.run_folder import RunFiles
from study.records.run import Run
from study.running.executors.base import Executor, Failure, Progress
from study.running.executors.in_process import InProcessExecutor
from study.running.worker import TrialWorker
from tests.conftest import random_dataset
from tests.study.test_real_training import SMALL

MakeExecutor = Callable[[Dataset], Executor]


def in_process(dataset: Dataset) -> Executor:
    return InProcessExecutor(TrialWorker(dataset, threads=1))


def ray_actors(dataset: Dataset) -> Executor:
    from study.running.executors.ray_core import RayExecutor

    return RayExecutor(dataset, workers=2, threads=1)


@pytest.fixture(scope="module", params=["in process", pytest.param("ray", marks=pytest.mark.slow)])
def executor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEA_CACHE", str(tmp_path_factory.mktemp("cache")))
        made = (in_process if request.param == "in process" else ray_actors)(random_dataset())
        yield made
        made.close()


def train(executor: Executor, key: str, run: Run, checkpoint: bytes | None = None) -> tuple[RunFiles, list[bytes]]:
    """A run to its end: its files, and the checkpoints it gave."""
    executor.start(key, run, checkpoint)
    checkpoints = []
    while True:
        message, progress = executor.next()
        assert message == key
        assert progress.failure is None
        if progress.checkpoint is not None:
            checkpoints.append(progress.checkpoint)
        if progress.finished:
            files = executor.collect(key)
            assert not isinstance(files, Failure)
            return files, checkpoints
        executor.advance(key)


def weights(files: RunFiles) -> tuple[str, int, dict[str, float]]:
    record = json.loads(files["record.json"])
    return record["weights_hash"], record["epochs"], record["validation"]


def test_a_start_trains_nothing_and_every_advance_one_epoch(executor: Executor) -> None:
    executor.start("a", Run(SMALL, 3), None)
    assert executor.next() == ("a", Progress())
    for epoch in range(SMALL.epochs):
        executor.advance("a")
        key, progress = executor.next()
        assert key == "a"
        assert [report.epoch for report in progress.reports] == [epoch]
        assert progress.finished == (epoch == SMALL.epochs - 1)
    files = executor.collect("a")
    assert not isinstance(files, Failure)
    assert {"record.json", "history.csv", "validation.parquet"} <= set(files)
    assert all(isinstance(content, bytes) for content in files.values())


def test_a_run_ends_equal_wherever_and_however_often_it_was_put_aside(executor: Executor) -> None:
    expected, checkpoints = train(in_process(random_dataset()), "x", Run(SMALL, 3, checkpoint_seconds=0))
    assert weights(train(executor, "a", Run(SMALL, 3))[0]) == weights(expected)
    assert weights(train(executor, "a", Run(SMALL, 3), checkpoints[1])[0]) == weights(expected)
    executor.start("a", Run(SMALL, 3), None)
    executor.next()
    executor.advance("a")
    executor.next()
    parked = executor.park("a")
    assert parked is not None
    assert weights(train(executor, "a", Run(SMALL, 3), parked)[0]) == weights(expected)


def test_a_paused_run_leaves_its_record_so_far_and_ends_as_if_it_had_gone_on(executor: Executor) -> None:
    expected, _ = train(in_process(random_dataset()), "x", Run(SMALL, 3))
    executor.start("a", Run(SMALL, 3), None)
    for _ in range(2):
        executor.next()
        executor.advance("a")
    executor.next()
    paused = executor.pause("a")
    assert not isinstance(paused, Failure)
    assert len(paused.files["history.csv"].decode().splitlines()) == 3
    assert json.loads(paused.files["record.json"])["epochs"] == 2
    assert weights(train(executor, "b", Run(SMALL, 4))[0]) != weights(expected), "its slot is free"
    ended, _ = train(executor, "a", Run(SMALL, 3), paused.state)
    assert weights(ended) == weights(expected)
    assert ended["validation.parquet"] == expected["validation.parquet"]
    executor.start("a", Run(SMALL, 3), paused.state)
    executor.next()
    again = executor.pause("a")
    assert not isinstance(again, Failure)
    assert again.files["validation.parquet"] == paused.files["validation.parquet"]


def test_a_broken_checkpoint_is_noted_and_a_failed_run_frees_its_slot(executor: Executor) -> None:
    executor.start("a", Run(SMALL, 3), b"no checkpoint")
    note = executor.next()[1].note
    assert note is not None
    assert note.startswith("starting anew: ")
    executor.discard("a")
    for config, kind in ((SMALL.override(learning_rate=1e30), "diverged"), (SMALL.override(knn_k=1000), "error")):
        executor.start("b", Run(config, 3), None)
        failure = None
        for _ in range(SMALL.epochs + 1):
            failure = executor.next()[1].failure
            if failure is not None:
                break
            executor.advance("b")
        assert failure is not None
        assert failure.kind == kind
        executor.discard("b")
    assert weights(train(executor, "c", Run(SMALL, 3))[0])[1] == SMALL.epochs
