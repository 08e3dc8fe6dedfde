"""Studies on real Ray actors, each a process, some of which die."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray

from sea_core.errors import UserError
from study.records.run import Run
from study.records.study import load_study
from study.running.executors.make import make_executor
from study.running.executors.ray_core import RayExecutor
from study.running.resources import Resources
from study.running.worker import TrialWorker
from study.searching.promotion import Promotion
from tests.conftest import random_dataset
from tests.study.running.executors.workers import MemoryWorker, MortalWorker, RaisingWorker
from tests.study.small_searches import outcome, search
from tests.study.test_real_training import SMALL, SPACE, without_clock

pytestmark = pytest.mark.slow

SETTINGS: dict[str, Any] = {"space": SPACE, "base": SMALL, "sampler": "random", "pruner": "none"}
LAYERS: dict[str, Any] = {**SETTINGS, "space": {"gnn_layers": {"low": 1, "high": 3}}, "sampler": "grid"}


@pytest.fixture(scope="module")
def local_ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Ray with two cores; the folder that tests share with its workers."""
    folder = tmp_path_factory.mktemp("shared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEA_CACHE", str(folder / "cache"))
        patch.setenv("SEA_TEST_FOLDER", str(folder))
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        yield folder
        ray.shutdown()


@pytest.fixture
def shared(local_ray: Path) -> Path:
    for file in local_ray.glob("*-*"):
        file.unlink()
    return local_ray


def on_ray(root: Path, trials: int | None, worker: type = TrialWorker, **settings: Any) -> Any:
    executor = RayExecutor(random_dataset(), workers=2, threads=1, worker=worker)
    try:
        return search(root, trials, executor=executor, **settings)
    finally:
        executor.close()


def records(root: Path) -> list[dict[str, Any]]:
    """All of every record that may not depend on where and how often a trial was started."""
    records = []
    for trial in load_study(root / "tiny").trials:
        record = without_clock(trial)
        records.append({**record, "trial": {**record["trial"], "attempts": 1}})  # type: ignore[dict-item]
    return records


def logs(root: Path) -> str:
    return "".join(path.read_text() for path in sorted(root.glob("tiny/trials/*/log.txt")))


def test_two_actors_leave_the_records_and_weights_of_one_process(tmp_path: Path, shared: Path) -> None:
    serial = search(tmp_path / "serial", 4, worker=TrialWorker(random_dataset(), threads=1), **SETTINGS)
    assert outcome(on_ray(tmp_path / "ray", 4, **SETTINGS)) == outcome(serial)
    assert records(tmp_path / "ray") == records(tmp_path / "serial")
    assert len({record["weights_hash"] for record in records(tmp_path / "ray")}) == 4


def test_workers_killed_in_the_middle_of_epochs_change_nothing(tmp_path: Path, shared: Path) -> None:
    settings = {**SETTINGS, "base": SMALL.override(epochs=10)}
    serial = search(tmp_path / "serial", 6, worker=TrialWorker(random_dataset(), threads=1), **settings)
    killed: list[str] = []
    over = threading.Event()

    def kill() -> None:
        randomness = random.Random(0)
        while len(killed) < 5 and not over.wait(randomness.uniform(0.05, 0.6)):
            living = [file for file in sorted(shared.glob("pid-*")) if file.name not in killed]
            if living:
                killed.append(randomness.choice(living).name)
                os.kill(int(killed[-1].removeprefix("pid-")), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    store = on_ray(tmp_path / "ray", 6, MortalWorker, **settings)
    over.set()
    killer.join()
    assert len(killed) >= 3, "the study was quicker than the killer: a weak test"
    assert outcome(store) == outcome(serial)
    assert records(tmp_path / "ray") == records(tmp_path / "serial")
    assert "lost: " in logs(tmp_path / "ray")
    assert "continued from a checkpoint" in logs(tmp_path / "ray")


def test_trials_that_pause_and_change_workers_some_of_them_killed_are_those_that_ran_straight(
    tmp_path: Path, shared: Path
) -> None:
    """Who is promoted depends on the order of arrival; what a trial is at an epoch does not."""
    settings = {**SETTINGS, "base": SMALL.override(epochs=8)}
    search(tmp_path / "straight", 9, worker=TrialWorker(random_dataset(), threads=1), **settings)
    (shared / "2-1").write_text("once")
    promoted = {**settings, "pruner": "promote", "promotion": Promotion(rungs=(2, 4), factor=2, points=1)}
    on_ray(tmp_path / "ray", 5, MortalWorker, **promoted)
    on_ray(tmp_path / "ray", 9, MortalWorker, **promoted)
    whole = {record["trial"]["number"]: record for record in records(tmp_path / "straight")}
    epochs = []
    for trial, record in zip(load_study(tmp_path / "ray/tiny").trials, records(tmp_path / "ray"), strict=True):
        epochs.append(record["epochs"])
        if trial.state == "complete":
            assert record == whole[trial.number]
        assert trial.history is not None
        straight = load_study(tmp_path / "straight/tiny").trials[trial.number or 0].history
        assert straight is not None
        curves = [history["recall@20"][: len(trial.history)].tolist() for history in (trial.history, straight)]
        assert curves[0] == curves[1]
    assert set(epochs) == {2, 4, 8}
    assert not list((tmp_path / "ray").rglob("checkpoint.safetensors"))


def test_a_trial_that_always_kills_its_worker_is_lost_and_the_others_complete(tmp_path: Path, shared: Path) -> None:
    (shared / "2-1").write_text("for ever")  # it finishes its first epoch every time
    (shared / "3-2").write_text("once")
    on_ray(tmp_path, 3, MortalWorker, **LAYERS)
    first, poisoned, last = load_study(tmp_path / "tiny").trials
    assert [trial.state for trial in (first, poisoned, last)] == ["complete", "failed", "complete"]
    assert poisoned.failure is not None
    assert poisoned.failure["kind"] == "lost"
    assert poisoned.failure["message"].startswith("started 5 times without getting further")
    attempts = [trial.record["trial"]["attempts"] for trial in (first, poisoned, last)]
    assert attempts[0] == 1
    assert 5 <= attempts[1] <= 6, "one start got further than those before: it finished the first epoch"
    assert attempts[2] == 2


def test_a_worker_that_raises_fails_its_trials_and_ends_the_study(tmp_path: Path, shared: Path) -> None:
    on_ray(tmp_path, 2, RaisingWorker, **SETTINGS)
    for trial in load_study(tmp_path / "tiny").trials:
        assert trial.failure is not None
        assert trial.failure["kind"] == "error"
        assert "this worker does not work" in trial.failure["message"]
        assert trial.record["trial"]["attempts"] == 3


def test_the_data_travel_once_to_a_node_and_cannot_be_written(shared: Path) -> None:
    dataset = random_dataset(items=200, dims={"image": 500, "text": 10})
    executor = RayExecutor(dataset, workers=2, threads=1, worker=MemoryWorker)
    for key in ("a", "b"):
        executor.start(key, Run(SMALL, 3), None)
    notes = [str(executor.next()[1].note).split(maxsplit=2) for _ in range(2)]
    executor.close()
    (pid, access, mapping), (other_pid, *other) = notes
    assert pid != other_pid
    assert other == [access, mapping], "both see one piece of memory"
    assert access == "read-only"
    assert mapping != "memory of its own"


def test_more_threads_than_cores_are_one_clear_error(shared: Path) -> None:
    with pytest.raises(UserError, match=r"2 workers with 2 CPUs each.*room for 1; use fewer --workers or --threads"):
        RayExecutor(random_dataset(), workers=2, threads=2)
    cores = len(os.sched_getaffinity(0))
    with pytest.raises(UserError, match=f"{cores + 1} workers x 1 threads are more than the {cores} cores"):
        Resources(workers=cores + 1).check()


@pytest.mark.timing
def test_an_address_without_a_cluster_is_one_clear_error_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(
        UserError, match=r"no Ray cluster at 127\.0\.0\.1:9: .*refused; start one with: ray start --head"
    ):
        make_executor(random_dataset(), Resources(ray_address="127.0.0.1:9"))
    assert time.monotonic() - began < 30
