"""Time and peak memory of ``data prepare amazon`` on generated reviews: 20 million by default, in 2014's layout.

    python benchmarks/prepare_scale.py --reviews 20000000 --folder FOLDER

The generated files stay in the folder and are used again; docs/data.md has the figures.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.compute as pc

ROOT = Path(__file__).resolve().parents[1]
_CHUNK = 500_000
_WORDS = 20_000


def main() -> int:
    """Generate what is missing, prepare once, and print a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reviews", type=int, default=20_000_000)
    parser.add_argument("--folder", type=Path, help="where the generated files are kept (default: a temporary one)")
    parser.add_argument("--dims", type=int, default=256)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        raw = folder / f"amazon-{arguments.reviews}"
        generate(raw, arguments.reviews)
        out = folder / "prepared"
        shutil.rmtree(out, ignore_errors=True)
        print(json.dumps(measure(raw, out, dims=arguments.dims)))
        shutil.rmtree(out, ignore_errors=True)
    return 0


def measure(raw: Path, out: Path, *, dims: int) -> dict[str, float]:
    """Run the command in a process of its own; its largest resident set is asked for ten times a second.

    Pages of mapped files count too, though the system may take them back at any time.
    """
    command = [sys.executable, "-m", "sea_core", "data", "prepare", "amazon", str(raw), str(out), "--dims", str(dims)]
    started, peak, cpu = time.perf_counter(), 0, 0.0
    with subprocess.Popen(command, cwd=ROOT) as process:  # noqa: S603 - our own program
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                peak = max(peak, watched.memory_info().rss)
                cpu = sum(watched.cpu_times()[:2])
            except psutil.NoSuchProcess:
                break
            time.sleep(0.1)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    size = sum(file.stat().st_size for file in raw.iterdir())
    return {
        "minutes": round((time.perf_counter() - started) / 60, 1),
        "cpu_minutes": round(cpu / 60, 1),
        "peak_gb": round(peak / 1e9, 2),
        "raw_gb": round(size / 1e9, 2),
        "load": round(psutil.getloadavg()[0], 1),
    }


def generate(raw: Path, reviews: int) -> None:
    """Reviews of users and items with a long tail each, and a line of metadata for every item."""
    if (raw / "meta_Generated.json.gz").is_file():
        return
    raw.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    users, items = reviews // 3, max(reviews // 20, 50)
    text = "a review text of about the usual kind, whose words nobody reads here " * 3
    with gzip.open(raw / "reviews_Generated.json.gz", "wb", compresslevel=1) as file:
        for start in range(0, reviews, _CHUNK):
            rows = min(_CHUNK, reviews - start)
            user = (users * rng.random(rows) ** 2.5).astype(np.int64)
            item = (items * rng.random(rows) ** 2.5).astype(np.int64)
            columns = [
                '{"reviewerID": "A',
                _padded(user, 13),
                '", "asin": "B',
                _padded(item, 9),
                f'", "reviewText": "{text}", "overall": ',
                pc.cast(pa.array(rng.integers(1, 6, rows)), pa.string()),
                '.0, "unixReviewTime": ',
                pc.cast(pa.array(rng.integers(1_000_000_000, 1_400_000_000, rows)), pa.string()),
                "}\n",
                "",
            ]
            lines = pc.binary_join_element_wise(*columns)
            file.write(b"".join(memoryview(line.as_buffer()) for line in lines))
    words = np.array([f"word{number}" for number in range(_WORDS)])
    # The rank of a word decides how common it is, and neighbouring items share a topic.
    with gzip.open(raw / "meta_Generated.json.gz", "wb", compresslevel=1) as file:
        for number in range(items):
            drawn = (_WORDS * rng.random(20) ** 3 + 37 * (number % 500)).astype(np.int64) % _WORDS
            described = " ".join(words[drawn])
            file.write(
                f"{{'asin': 'B{number:09}', 'title': 'Thing {number}', 'description': '{described}'}}\n".encode()
            )


def _padded(numbers: np.ndarray, width: int) -> pa.Array:
    return pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), width, "0")


if __name__ == "__main__":
    sys.exit(main())
