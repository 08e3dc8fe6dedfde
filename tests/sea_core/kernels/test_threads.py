"""Work in PyTorch's threads: as many as it may use, errors raised, forks survived."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from sea_core.kernels import threads
from sea_core.kernels.threads import a_core_for_each, run_team, wait_for_team


@pytest.fixture(autouse=True)
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("most", "size"), [(1, 1), (2, 2), (3, 3), (100, 3)])
def test_a_team_is_as_large_as_pytorchs_threads_and_the_work_allow(most, size):
    seen = []
    run_team(lambda member, size: seen.append((member, size)), most)
    assert sorted(seen) == [(member, size) for member in range(size)]


def test_members_work_at_the_same_time():
    meeting = threading.Barrier(3, timeout=10)
    run_team(lambda member, size: meeting.wait() and None, 3)


def test_members_wait_for_each_other_at_every_step():
    arrivals, board, wrong = np.zeros(1, np.int64), np.zeros(3, np.int64), []

    def count(member, size):
        for step in range(1, 200):
            board[member] = step
            wait_for_team(arrivals, size, 2 * step - 1)
            if set(board.tolist()) != {step}:
                wrong.append((member, step))
            wait_for_team(arrivals, size, 2 * step)

    run_team(count, 3)
    assert wrong == []


@pytest.mark.parametrize("broken", [0, 1])
def test_an_error_of_any_member_is_raised(broken):
    def fail(member, size):
        if member == broken:
            raise ArithmeticError("member failed")

    with pytest.raises(ArithmeticError, match="member failed"):
        run_team(fail, 2)


def test_without_a_known_runtime_the_caller_works_alone(monkeypatch):
    monkeypatch.setattr(threads, "_openmp", lambda: None)
    seen = []
    run_team(lambda member, size: seen.append((member, size)), 3)
    assert seen == [(0, 1)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
def test_a_forked_child_works_alone_instead_of_waiting_for_ever():
    run_team(lambda member, size: None, 2)
    child = os.fork()
    if child == 0:
        seen = []
        run_team(lambda member, size: seen.append((member, size)), 2)
        os._exit(0 if seen == [(0, 1)] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.fixture
def places(monkeypatch):
    """What a machine of three cores was asked for: thread -> cores, as often as it asked."""
    asked = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 5, 7})
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, cores: asked.append((threading.get_ident(), cores)))
    return asked


def test_as_many_threads_as_cores_have_one_each_and_the_caller_is_freed_again(places):
    with a_core_for_each():
        assert sorted(min(cores) for _, cores in places) == [2, 5, 7]
        assert len({thread for thread, _ in places}) == 3
        assert (threading.get_ident(), {2}) in places
        places.clear()
    assert places == [(threading.get_ident(), {2, 5, 7})]


def test_fewer_threads_than_cores_are_left_to_the_system(places):
    torch.set_num_threads(2)
    with a_core_for_each():
        pass
    assert places == []


def test_the_caller_is_freed_when_an_epoch_fails(places):
    with pytest.raises(ArithmeticError), a_core_for_each():
        raise ArithmeticError
    assert places[-1] == (threading.get_ident(), {2, 5, 7})


def test_a_core_that_is_taken_away_does_not_end_training(monkeypatch, places):
    def refuse(_, cores):
        raise OSError("invalid argument")

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    with a_core_for_each():
        pass


@pytest.mark.parametrize("given", [{}, {"GOMP_SPINCOUNT": "7"}, {"OMP_WAIT_POLICY": "active"}])
def test_pytorchs_threads_sleep_soon_unless_the_user_says_how_they_wait(given):
    waiting = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    environment = {name: value for name, value in os.environ.items() if name not in waiting} | given
    show = f"import sea_core, os; print({{name: os.environ[name] for name in {waiting} if name in os.environ}})"
    answer = subprocess.run([sys.executable, "-c", show], env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == str(given or {"GOMP_SPINCOUNT": "20000"})
