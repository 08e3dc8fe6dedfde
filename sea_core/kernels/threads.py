"""Compiled functions in as many threads as PyTorch uses, and never more."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch

_pool: ThreadPoolExecutor | None = None


def parts_of(work: int, *, least: int) -> int:
    """Into how many parts to cut some work: PyTorch's thread count, or fewer so that each gets at least ``least``."""
    return max(1, min(torch.get_num_threads(), work // least))


def run_parts(function: Callable[[int], None], parts: int) -> None:
    """Call ``function(part)`` for each part at the same time: the first part here, the others in threads.

    ``function`` must release the interpreter lock for the threads to help. Errors are raised here.
    """
    waiting = [_threads().submit(function, part) for part in range(1, parts)]
    function(0)
    for future in waiting:
        future.result()


def _threads() -> ThreadPoolExecutor:
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(max_workers=os.cpu_count(), thread_name_prefix="sea-kernel")
    return _pool


def _forget_threads() -> None:
    global _pool
    _pool = None


# A forked child inherits the pool but none of its threads, and would wait for them for ever.
os.register_at_fork(after_in_child=_forget_threads)
