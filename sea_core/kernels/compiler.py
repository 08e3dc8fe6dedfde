"""Numba, with its cache in the project's cache folder.

The cache holds machine code, so it deserves the trust of Python's own ``__pycache__`` and no more: keep it private.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import codegen, config

from sea_core.cache import cache_root

# Sums may be reordered, which vector instructions need. NaN keeps its meaning, and divisions and roots stay exact:
# with all of "fast math" they become approximations whose errors lean to one side and add up.
_OPTIONS: dict[str, Any] = {"fastmath": {"reassoc", "contract", "nsz"}, "error_model": "numpy", "nogil": True}


def sources_hash(folder: Path) -> str:
    """Over the kernels' sources: numba notices a change of a function's own file, but not of what that file imports."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))).hexdigest()[:16]


_FOLDER = cache_root() / "kernels" / sources_hash(Path(__file__).parent)


def _use_widest_vectors() -> None:
    """Let the compiler use 512-bit vectors where the processor has them: LLVM's default for many is half of that.

    The setting is Numba's, for the whole process; one made by the user (``NUMBA_CPU_FEATURES``) stands.
    """
    features = codegen.get_host_cpu_features()  # type: ignore[no-untyped-call]
    if config.CPU_FEATURES is None and "+avx512f" in features.split(","):  # type: ignore[attr-defined]
        config.CPU_FEATURES = f"{features},-prefer-256-bit"  # type: ignore[attr-defined]


_use_widest_vectors()


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function on its first call; later processes find the machine code in the cache folder."""
    config.CACHE_DIR = str(_FOLDER)  # type: ignore[attr-defined]
    try:
        dispatcher = numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # the cache folder cannot be written: compile again in every process
        return numba.njit(**_OPTIONS)(function)
    dispatcher._cache = _ForgivingCache(dispatcher._cache)
    return dispatcher


class _ForgivingCache:
    """Numba's cache of one function, of which a damaged or unwritable file costs a compilation and nothing else."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache

    def load_overload(self, *arguments: Any) -> Any:
        """What was compiled before, or None."""
        try:
            return self._cache.load_overload(*arguments)
        except Exception:  # a damaged file can fail in whatever reads it first
            with contextlib.suppress(OSError):
                self._cache.flush()
            return None

    def save_overload(self, *arguments: Any) -> None:
        """Keep what was compiled, if there is room."""
        with contextlib.suppress(OSError):
            self._cache.save_overload(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)


def part_of_compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that only compiled ones call; LLVM copies its code into each of them, always.

    Left to choose, LLVM may call it, and then which code is called depends on how the caller came into the process. The
    process that compiles has another copy of this function than one that finds the caller in the cache folder. Sums are
    ordered otherwise in it, so the same run would get other bits the first time than ever after.
    """
    return numba.njit(forceinline=True, **_OPTIONS)(function)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """A building block of compiled functions, compiled anew for the constants of each place that uses it."""
    return numba.njit(inline="always", **_OPTIONS)(function)
