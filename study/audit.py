"""Program: is every config field alive, and does every cache key cover its inputs? ``python study/audit.py``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from sea_core.errors import run_program
from sea_core.options import Parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 if all is alive and covered, 1 if something is not; it is named, with what to write."""
    parser = Parser(
        prog="audit.py",
        description="Change every config field, one at a time, train on a tiny built-in dataset and see whether what "
        "the field claims to change did change: loss, gradient, prediction, stopping epoch or record. Then change "
        "every input of everything that is cached and see whether the cache key changes. Dead fields and keys that "
        "cover too little are named. Nothing is written.",
    )
    parser.add_argument(
        "--only", nargs="+", metavar="FIELD", help="audit these config fields alone, no caches (default: everything)"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print faults and the last line (default: a table)")
    options = parser.parse_args(arguments)
    # Torch takes a second to import, which --help and mistyped options need not wait for.
    import torch

    from study.verification.auditing.cache_keys import audit_caches
    from study.verification.auditing.knobs import audit_knobs
    from study.verification.auditing.report import problems, table

    torch.set_num_threads(1)  # the runs are too small to share
    began, show = time.monotonic(), _progress()
    knobs = audit_knobs(only=options.only, progress=show)
    caches = [] if options.only else audit_caches(progress=show)
    show("")
    if not options.quiet:
        print("\n".join(table([*knobs, *caches])))
    faults = problems([*knobs, *caches])
    for fault in faults:
        print(f"fault: {fault}")
    print(
        f"{len(knobs)} config fields and {len(caches)} cache inputs, {len(faults)} faults, "
        f"{time.monotonic() - began:.1f} s"
    )
    return 1 if faults else 0


def _progress() -> Callable[[str], None]:
    """One line that is written over, on a terminal only."""
    if not sys.stderr.isatty():
        return lambda subject: None
    return lambda subject: print(f"\r\x1b[2K{subject}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(run_program(main))
