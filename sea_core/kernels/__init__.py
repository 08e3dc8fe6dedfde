"""Compiled inner loops. Each has a plain PyTorch twin beside its caller, for wherever it cannot run."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from typing import Any


def load_kernel(name: str) -> Any | None:
    """A module of this package, imported when first needed because the compiler takes half a second to load.

    Returns:
        None on a platform where the kernels are not tested, where there is no Numba, or with ``SEA_KERNELS=0``.
    """
    if os.environ.get("SEA_KERNELS") == "0" or not is_tested_platform():
        return None
    try:
        return importlib.import_module(f"sea_core.kernels.{name}")
    except ImportError:
        return None


def is_tested_platform() -> bool:
    """Linux with glibc on x86-64. The kernels lean on GNU OpenMP, ordered atomics and vectors as they are there."""
    return sys.platform == "linux" and platform.machine() in ("x86_64", "AMD64") and platform.libc_ver()[0] == "glibc"
