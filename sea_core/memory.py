"""How the allocator keeps what training frees at every step and takes again at the next."""

from __future__ import annotations

import ctypes
from functools import cache

# glibc's names (malloc.h).
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


@cache
def keep_freed_memory() -> bool:
    """Ask glibc to keep freed blocks for the process instead of returning them to the system.

    A step allocates and frees some dozen blocks of 1 to 100 MB. By default each comes from the system page by page,
    which costs more than what is computed on it: 14,500 page faults a step at Amazon Baby's size.

    Returns:
        Whether the allocator listens: other C libraries keep their own ways.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # not glibc
        return False
    return bool(mallopt(_M_MMAP_MAX, 0) and mallopt(_M_TRIM_THRESHOLD, -1))
