"""Measurements in a process of their own: peak memory is a property of a whole process, start-up of a fresh one."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]


class Finished(NamedTuple):
    """What a child process cost and returned."""

    peak_gb: float
    wall_seconds: float
    result: Any


def run_child(function: str, arguments: Mapping[str, Any]) -> Finished:
    """Call ``module:function`` of this folder with keyword arguments in a fresh process.

    Arguments and result travel as JSON. The peak is the child's largest resident set, in 10^9 bytes.
    """
    command = [sys.executable, str(Path(__file__).resolve()), function, json.dumps(dict(arguments))]
    started = time.perf_counter()
    process = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own file
    seconds = time.perf_counter() - started
    if process.returncode != 0:
        raise RuntimeError(f"{function}({dict(arguments)}) failed:\n{process.stderr}")
    answer = json.loads(process.stdout.splitlines()[-1])
    return Finished(answer["peak_gb"], seconds, answer["result"])


@contextmanager
def child_that_repeats(function: str, arguments: Mapping[str, Any]) -> Iterator[Callable[[], None]]:
    """Let ``module:function`` make a function of no arguments in a fresh process; yield what calls it there and waits.

    For what must be timed beside other things but not share a process with them.
    """
    command = [sys.executable, str(Path(__file__).resolve()), function, json.dumps(dict(arguments)), "repeat"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdin is not None
        assert process.stdout is not None
        requests, answers = process.stdin, process.stdout

        def call() -> None:
            print(file=requests, flush=True)
            if not answers.readline():
                raise RuntimeError(f"{function}({dict(arguments)}) ended early")

        yield call
        requests.close()


def main() -> None:
    """The child's side."""
    import importlib

    sys.path.insert(0, str(ROOT))
    module, _, name = sys.argv[1].partition(":")
    result = getattr(importlib.import_module(f"benchmarks.{module}"), name)(**json.loads(sys.argv[2]))
    if sys.argv[3:] == ["repeat"]:
        for _ in sys.stdin:
            result()
            print("done", flush=True)
        return
    print(json.dumps({"peak_gb": _peak_bytes() / 1e9, "result": result}))


def _peak_bytes() -> int:
    """The largest resident set of this program.

    Where Linux tells it of the program, that is taken: ``getrusage`` tells it of the process, which was a copy of its
    parent before it became this program.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, others kilobytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main()
