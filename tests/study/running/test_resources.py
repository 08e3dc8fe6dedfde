"""What --workers auto comes to: a function of the data and the machine, never of its load."""

import pytest
import torch

from sea_core.errors import UserError
from study.running import resources
from study.running.executors.make import make_executor
from study.running.resources import Resources, run_bytes, say_workers
from tests.conftest import random_dataset


@pytest.fixture
def machine(monkeypatch):
    def of(cores, memory):
        monkeypatch.setattr(resources, "cores", lambda: cores)
        monkeypatch.setattr(resources, "_memory", lambda: memory)

    return of


@pytest.mark.parametrize(
    ("cores", "runs_in_memory", "given", "workers", "threads"),
    [
        (8, 100, {}, 8, 1),  # one thread each
        (8, 2.6, {}, 2, 4),  # memory for two: each has half of the cores
        (8, 0.5, {}, 1, 8),  # not even for one: it is tried
        (8, 100, {"threads": 3}, 2, 3),  # 3 x 3 would be more than there are
        (2, 100, {"threads": 4}, 1, 4),
        (8, 100, {"device": "cuda"}, 1, None),
        (8, 100, {"workers": 3}, 3, None),  # a number stays
    ],
)
def test_auto_fills_cores_and_memory_and_no_more(machine, monkeypatch, cores, runs_in_memory, given, workers, threads):
    monkeypatch.setattr(resources, "threads_that_pay", lambda dataset: None)  # as if the data were large
    dataset = random_dataset()
    machine(cores, int(runs_in_memory * run_bytes(dataset) / 0.8) + 1)
    settled = Resources(**{"workers": "auto", **given}).settled(dataset)
    assert (settled.workers, settled.threads) == (workers, threads)


@pytest.mark.parametrize(
    ("given", "workers", "threads"),
    [
        ({}, 1, 1),  # of eight cores
        ({"workers": 3}, 3, 1),
        ({"workers": "auto"}, 8, 1),
        ({"threads": 2}, 1, 2),  # what is asked for stands
        ({"device": "cuda"}, 1, None),
        ({"ray_address": "cluster"}, 1, None),  # whose nodes have cores of their own
    ],
)
def test_small_data_get_one_thread_where_none_are_asked_for(machine, given, workers, threads):
    machine(8, 10**12)
    settled = Resources(**given).settled(random_dataset())
    assert (settled.workers, settled.threads) == (workers, threads)


def test_memory_for_fewer_workers_gives_small_data_no_more_threads(machine):
    dataset = random_dataset()
    machine(8, int(2.6 * run_bytes(dataset) / 0.8) + 1)
    settled = Resources(workers="auto").settled(dataset)
    assert (settled.workers, settled.threads) == (2, 1)


def test_an_executor_of_one_worker_trains_small_data_on_one_thread(machine):
    machine(8, 10**12)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        make_executor(random_dataset(), Resources()).close()
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_an_executor_says_what_auto_came_to(machine):
    dataset, notes = random_dataset(), []
    machine(1, 10**12)
    make_executor(dataset, Resources(workers="auto"), emit=lambda note: notes.append(str(note))).close()
    assert notes == ["--workers auto: 1 worker of 1 thread each"]


def test_several_threads_and_workers_are_named():
    assert say_workers(Resources(workers=2, threads=3)) == "2 workers of 3 threads each"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"workers": "many"}, "--workers must be a number or auto, got 'many'"),
        ({"workers": 0}, "--workers must be at least 1, got 0"),
        ({"workers": "auto", "ray_address": "auto"}, "--workers auto counts the cores of this machine"),
    ],
)
def test_what_cannot_be_is_refused(given, message):
    with pytest.raises(UserError, match=message):
        Resources(**given)
