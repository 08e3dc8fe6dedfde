"""What workers share: the memory of two Ray workers that train on one dataset, and how much of it both map.

The proportional set size (PSS) of a process counts a page that ``n`` processes map as a page over ``n``. Linux only.
What Ray's object store holds
(``store_...``) is mapped by both. The last line is one JSON object, in 10^9 bytes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil

from sea_core.config import Config
from sea_core.data.catalogue import load_dataset
from study.records.run import Run
from study.running.executors.make import make_executor
from study.running.resources import Resources, run_bytes

_WIDE = "synthetic:users=2000,items=7050,interactions=8,dims=4096/384"
_STORE = "/dev/shm/"  # noqa: S108 - where Ray maps its object store


def main() -> int:
    """Let each of two workers train an epoch, then read what they hold."""
    parser = argparse.ArgumentParser(prog="benchmarks/worker_memory.py", description=__doc__.splitlines()[0])
    parser.add_argument("-d", "--dataset", default=_WIDE, help="what to train on (default: %(default)s)")
    parser.add_argument("--data-root", type=Path, default=Path("data"), help="where named folders lie (default: data)")
    arguments = parser.parse_args()

    dataset = load_dataset(arguments.dataset, data_root=arguments.data_root)
    config = Config(epochs=2, stopping_step=2, club_steps=1)
    executor = make_executor(dataset, Resources(workers=2, threads=1))
    with tempfile.TemporaryDirectory() as folder:
        try:
            for index in range(2):
                executor.start(str(index), Run(config, index, Path(folder) / str(index), "trial", f"run {index}"), None)
            for _ in range(2):
                _, progress = executor.next()
                if progress.failure is not None:
                    raise RuntimeError(progress.failure)
            workers = [p for p in psutil.Process().children(recursive=True) if "TrialWorker" in " ".join(p.cmdline())]
            held = [worker.memory_full_info() for worker in workers]
            store = [m for worker in workers for m in worker.memory_maps() if m.path.startswith(_STORE)]
        finally:
            executor.close()
    features = sum(values.nbytes for values in dataset.features.values())
    numbers = {
        "workers": len(held),
        "features_gb": features / 1e9,
        "expected_gb": run_bytes(dataset) / 1e9,
        "rss_gb": sum(each.rss for each in held) / 1e9,
        "store_rss_gb": sum(each.rss for each in store) / 1e9,
        "store_pss_gb": sum(each.pss for each in store) / 1e9,
        "pss_gb": sum(each.pss for each in held) / 1e9,
        "private_gb": sum(each.uss for each in held) / 1e9,
    }
    print(json.dumps({name: round(value, 3) for name, value in numbers.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
