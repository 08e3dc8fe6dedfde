"""Work in threads: as many as PyTorch may use, errors raised, forks survived."""

import os
import threading

import pytest
import torch

from sea_core.kernels.threads import parts_of, run_parts


@pytest.fixture
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize(("work", "parts"), [(0, 1), (7, 1), (8, 2), (1000, 3)])
def test_parts_follow_pytorchs_threads_and_small_work_stays_whole(work, parts):
    assert parts_of(work, least=4) == parts


def test_every_part_runs_once_and_they_run_at_the_same_time():
    meeting, seen = threading.Barrier(3, timeout=10), []

    def meet(part):
        meeting.wait()
        seen.append(part)

    run_parts(meet, 3)
    assert sorted(seen) == [0, 1, 2]


@pytest.mark.parametrize("broken", [0, 1])
def test_an_error_in_any_part_is_raised(broken):
    def fail(part):
        if part == broken:
            raise ArithmeticError("part failed")

    with pytest.raises(ArithmeticError, match="part failed"):
        run_parts(fail, 2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
def test_a_forked_child_starts_its_own_threads_instead_of_waiting_for_ever():
    run_parts(lambda part: None, 2)
    child = os.fork()
    if child == 0:
        done = []
        run_parts(done.append, 2)
        os._exit(0 if sorted(done) == [0, 1] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
