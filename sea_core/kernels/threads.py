"""Compiled functions in PyTorch's own threads, so that there are never more of them than PyTorch was given.

PyTorch's OpenMP threads go on spinning for milliseconds after an operation, to be there for the next. Threads of our
own would compete with them for the same cores; borrowing PyTorch's costs some microseconds and no competition.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import torch
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array
from threadpoolctl import threadpool_info

from sea_core.kernels.compiler import part_of_compiled


def run_team(function: Callable[[int, int], None], most: int) -> None:
    """Call ``function(member, size)`` for each of ``size`` members, at the same time in as many threads.

    ``size`` is PyTorch's thread count, or ``most`` if that is less. ``function`` must release the interpreter lock for
    the threads to help. Members may wait for each other (``wait_for_team``). Errors are raised here.
    """
    wanted = min(torch.get_num_threads(), most)
    openmp = _openmp() if wanted > 1 else None
    if openmp is None:
        function(0, 1)
        return
    errors: list[BaseException] = []

    def join(_: int | None) -> None:
        try:
            function(openmp.member(), openmp.size())
        except BaseException as error:  # a callback from C has nobody to raise to
            errors.append(error)

    openmp.parallel(_CALLBACK(join), None, wanted, 0)
    if errors:
        raise errors[0]


@contextlib.contextmanager
def a_core_for_each() -> Iterator[None]:
    """Keep each of PyTorch's threads on a core of its own, where it has as many as this process may use cores.

    All threads wait for the slowest, often. With a busy program beside them, however low its priority, the system moves
    them about, and for milliseconds two share a core while the program has the other. On a core of its own a thread
    gives up no more than the program's priority asks for. With fewer threads than cores they are left to the system,
    which knows where other programs' threads are. The caller is free again afterwards; no bit of a result changes.
    """
    before = os.sched_getaffinity(0)
    cores = sorted(before)
    if len(cores) == 1 or torch.get_num_threads() != len(cores) or _openmp() is None:
        yield
        return

    def settle(member: int, _: int) -> None:
        with contextlib.suppress(OSError):  # a core may have been taken from the process meanwhile
            os.sched_setaffinity(0, {cores[member]})

    run_team(settle, len(cores))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, before)


@part_of_compiled
def wait_for_team(arrivals, size, times):  # type: ignore[no-untyped-def]
    """Wait until all ``size`` members have called this for the ``times``-th time; ``arrivals`` is one int64, first 0.

    Members spin, so what lies between two calls should be short and the same for all. Who has spun for long goes to
    sleep for a moment: on a machine that others use too, its core may be what the missing member waits for.
    """
    _add(arrivals, 1)
    spins = 0
    while _add(arrivals, 0) < size * times:
        spins += 1
        if spins > PATIENCE:
            _sleep(10)


def _add_signature(typing_context: Any, array: Any, value: Any) -> Any:
    """Add to an array's first number as one indivisible, ordered operation, and return what it was before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = make_array(signature.args[0])(context, builder, arguments[0]).data  # type: ignore[no-untyped-call]
        number = context.cast(builder, arguments[1], signature.args[1], types.int64)
        return builder.atomic_rmw("add", data, number, "seq_cst")

    return types.int64(array, value), generate


_add: Any = intrinsic(_add_signature)


class _OpenMP(NamedTuple):
    """GNU OpenMP's entry points, in the library that PyTorch has loaded."""

    parallel: Callable[..., None]  # (function, its argument, threads, flags)
    member: Callable[[], int]
    size: Callable[[], int]


PATIENCE = 20_000  # turns of the loop, some 150 microseconds: going to sleep and waking takes another 60
_sleep: Any = types.ExternalFunction("usleep", types.int32(types.uint32))  # microseconds; POSIX, as GNU OpenMP is


_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


@cache
def _openmp() -> _OpenMP | None:
    """The runtime; None where there is another, and all work is done in the caller's thread."""
    loaded = [library["filepath"] for library in threadpool_info() if library["user_api"] == "openmp"]
    for path in loaded:
        if "torch" in path:
            try:
                library = ctypes.CDLL(path)
                return _OpenMP(library.GOMP_parallel, library.omp_get_thread_num, library.omp_get_num_threads)
            except (OSError, AttributeError):
                continue
    return None


def _give_up_threads() -> None:
    _openmp.cache_clear()
    globals()["_openmp"] = lambda: None


# A forked child inherits OpenMP's memory but none of its threads, and would wait for them for ever.
os.register_at_fork(after_in_child=_give_up_threads)
