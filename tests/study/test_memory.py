"""Memory: a config that needs too much is a failed trial, and many trials need no more than few."""

import gc
import json
import os
import resource
from pathlib import Path

import psutil
import pytest

from sea_core.config import Config
from study.records.study import load_study
from study.running.worker import TrialWorker, classify
from tests.conftest import random_dataset
from tests.study.small_searches import search
from tests.study.test_real_training import SMALL

MEGABYTE = 2**20


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] data. DefaultCPUAllocator: not enough memory: you tried"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    ],
)
def test_every_way_of_running_out_of_memory_is_recognised(error: Exception) -> None:
    failure = classify(error)
    assert (failure.kind, failure.retry) == ("out-of-memory", True)


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
@pytest.mark.slow
def test_a_config_too_large_for_the_memory_is_a_failed_trial_and_the_study_goes_on(
    tmp_path: Path, cache_folder: Path
) -> None:
    space = {"item_mlp_hidden": {"choices": [6, 40_000_000, 7]}}
    child = os.fork()
    if child == 0:  # a limit cannot be lifted again, so it is a child that gets it
        code = 1
        try:
            room = psutil.Process().memory_info().vms + 500 * MEGABYTE
            resource.setrlimit(resource.RLIMIT_AS, (room, room))
            dataset = random_dataset()
            worker = TrialWorker(dataset)
            search(tmp_path, None, sampler="grid", space=space, base=SMALL, dataset=dataset, worker=worker)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    trials = load_study(tmp_path / "tiny").trials
    # Memory may be there another time, so a grid's cell gets a second trial.
    assert [trial.state for trial in trials] == ["complete", "failed", "complete", "failed"]
    large = trials[1]
    assert large.failure is not None
    assert large.failure["kind"] == "out-of-memory"
    assert "memory" in large.failure["message"]
    assert large.record["trial"]["attempts"] == 3


@pytest.mark.slow
def test_two_hundred_trials_need_no_more_memory_and_files_than_fifty(tmp_path: Path, cache_folder: Path) -> None:
    dataset, process = random_dataset(), psutil.Process()
    base: Config = SMALL.override(epochs=2)
    space = {"temperature": {"low": 0.05, "high": 1.0, "log": True}, "split_ratio": {"low": 0.1, "high": 0.9}}
    measured: dict[int, tuple[int, int]] = {}
    worker = TrialWorker(dataset)
    for trials in (50, 250):  # the first fifty fill what is allocated once: compiled code, pools, modules
        search(tmp_path, trials, sampler="random", space=space, base=base, dataset=dataset, worker=worker)
        gc.collect()
        measured[trials] = (process.memory_info().rss, process.num_fds())
    (memory, files), (memory_after, files_after) = measured.values()
    grown = (memory_after - memory) / MEGABYTE
    print(json.dumps({"trials": 200, "rss_mb": memory / MEGABYTE, "grown_mb": grown, "files": [files, files_after]}))
    assert len(load_study(tmp_path / "tiny").trials) == 250
    # Trials are kept in memory by the storage's mirror. A leaked run or dataset would be far more.
    assert grown < 16, f"memory grew by {grown:.1f} MB over 200 trials"
    # The second search opens the storage anew beside the first one's connection.
    assert files_after <= files + 3
