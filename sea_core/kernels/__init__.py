"""Compiled inner loops. Each has a plain PyTorch twin beside its caller, for wherever it cannot run."""

from __future__ import annotations

import importlib
from typing import Any


def load_kernel(name: str) -> Any | None:
    """A module of this package, imported when first needed because the compiler takes half a second to load.

    Returns:
        None where there is no Numba for this Python or platform.
    """
    try:
        return importlib.import_module(f"sea_core.kernels.{name}")
    except ImportError:
        return None
