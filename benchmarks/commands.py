"""Programs of the project, called one after the other: what a long piece of evidence is made of."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sea_core.errors import INTERRUPTED

ROOT = Path(__file__).resolve().parents[1]


def call_in_turn(planned: Sequence[Sequence[str]], *, plan_only: bool = False) -> int:
    """Print each command with its number and run it in the project's folder; the first that fails ends it.

    Args:
        planned: program and arguments each, ``["study/run_search.py", "-d", "lfm2k"]``.
        plan_only: print, run none.

    Returns:
        The exit code of the one that failed, else 0.
    """
    for number, command in enumerate(planned, start=1):
        print(f"{number}/{len(planned)} {' '.join(command)}", flush=True)
        if plan_only:
            continue
        whole = [sys.executable, *command]
        code = subprocess.run(whole, cwd=ROOT, check=False).returncode  # noqa: S603 - our own programs
        if code:
            return code if code > 0 else INTERRUPTED
    return 0
