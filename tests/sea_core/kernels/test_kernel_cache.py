"""The compiled kernels' cache may be damaged or out of room; results do not depend on it."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from sea_core.kernels.compiler import _ForgivingCache

WORK = """
import sys, resource
import sea_core.kernels.compiler as compiler
def add(a, b): return a + b
add = compiler.compiled(add)
if len(sys.argv) > 2: resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
print(add(2, 3), add(2.5, 3))
"""


class BrokenCache:
    """As numba's behaves on a damaged index and on a full disk."""

    def __init__(self) -> None:
        self.flushed = 0

    def load_overload(self, *arguments: object) -> None:
        raise EOFError("Ran out of input")

    def save_overload(self, *arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def flush(self) -> None:
        self.flushed += 1


def test_a_damaged_entry_is_thrown_away_and_a_full_disk_ignored() -> None:
    broken = BrokenCache()
    cache = _ForgivingCache(broken)
    assert cache.load_overload("signature", "target") is None
    assert broken.flushed == 1
    cache.save_overload("signature", "code")


@pytest.mark.slow
def test_damaged_machine_code_is_compiled_again_by_the_real_numba(tmp_path: Path) -> None:
    program = tmp_path / "work.py"
    program.write_text(WORK)

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, str(program), str(tmp_path), *arguments],
            env={"SEA_CACHE": str(tmp_path / "cache"), "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    expected = "5 5.5\n"
    assert run("full disk") == expected
    assert run() == expected
    for pattern in ("*.nbi", "*.nbc"):
        files = list((tmp_path / "cache").rglob(pattern))
        assert files
        for file in files:
            file.write_bytes(file.read_bytes()[:20])
        assert run() == expected
        assert all(file.stat().st_size > 20 for file in files), "the cache is whole again"
