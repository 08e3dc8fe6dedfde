"""What a result depends on beside its config, seed and data: software and hardware."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch


@cache
def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    packages = ("torch", "numpy", "scipy", "numba", "pandas", "optuna", "sea-study")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


@cache
def machine() -> dict[str, Any]:
    """CPU type and count; a run is reproducible to the bit on an equal one."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cpu": _cpu_name(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
    }


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()
