"""The learning curves as one Parquet file a dataset: a row per configuration, seed and epoch, and where it comes from.

The table alone says which runs are done, so a copy of the repository goes on where the table ends.
"""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.curve_plan import SPACE, PlannedRun
from benchmarks.curve_runs import read_run
from benchmarks.workers import read_table
from sea_core.data.dataset import Dataset
from sea_core.errors import UserError
from sea_core.files import write_atomically, write_json
from study.searching.space import as_plain, load_space

SCHEMA_VERSION = 1
KEYS = ["configuration", "seed", "epoch"]
TIMES = ["seconds", "cpu_seconds"]
LOSS = "loss/"  # prefix of the columns of loss terms


def read_curves(path: Path) -> pd.DataFrame:
    """The table: ``configuration, seed, epoch``, the searched parameters, metrics, ``loss/...``, times, and ``end``.

    ``end`` is how the whole run ended: ``stopped`` early, ``capped`` at its most epochs, or ``diverged``; a run that
    diverged has a last row without metrics.

    Raises:
        UserError: no such file, a damaged one or one of a newer schema.
    """
    return read_table(path, schema=SCHEMA_VERSION, made_by="benchmarks/make_curves.py")


def finished_runs(path: Path, runs: Sequence[PlannedRun], data_hash: str) -> set[tuple[int, int]]:
    """Configuration and seed of the planned runs that a table holds; none if there is no table.

    Raises:
        UserError: the table is of other data or of another plan.
    """
    if not path.exists():
        return set()
    frame = read_curves(path)
    stored_hash = pq.read_schema(path).metadata[b"data_hash"].decode()
    if stored_hash != data_hash:
        raise UserError(f"{path} was made from other data ({stored_hash}, not {data_hash}); choose another --out")
    configs = {run.configuration: run for run in runs}
    held = frame.drop_duplicates(["configuration", "seed"])
    for row in held.to_dict("records"):
        run = configs.get(row["configuration"])
        if run is not None and run.config.hash() != row["config_hash"]:
            raise UserError(f"{path}: configuration {row['configuration']} is of another plan; choose another --out")
    return {(row["configuration"], row["seed"]) for row in held.to_dict("records")}


def collect(out: Path, work: Path, runs: Sequence[PlannedRun], dataset: Dataset) -> tuple[int, int]:
    """Write the table and its provenance from the work folder and from what the table held before.

    Args:
        out: the table, ``.parquet``; the provenance beside it is ``.json``.
        work: this dataset's folder of finished runs; it need not exist.
        runs: the plan.
        dataset: what was trained on.

    Returns:
        How many runs of the plan the table holds now, and how many it could.

    Raises:
        UserError: as ``finished_runs`` and ``read_run``.
    """
    held = finished_runs(out, runs, dataset.data_hash)
    frames = [read_curves(out)] if held else []
    sources: dict[str, int] = _known_sources(out.with_suffix(".json")) if held else {}
    for run in runs:
        path = work / f"{run.name}.json"
        if (run.configuration, run.seed) in held or not path.exists():
            continue
        content = read_run(path, run, dataset.data_hash)
        source = json.dumps(content["source"], sort_keys=True)
        sources[source] = sources.get(source, 0) + 1
        frames.append(_rows(run, content))
        held.add((run.configuration, run.seed))
    planned = {(run.configuration, run.seed) for run in runs}
    if not frames:
        return 0, len(planned)
    frame = pd.concat(frames, ignore_index=True).sort_values(KEYS, ignore_index=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, _parquet(frame, dataset.data_hash))
    write_json(out.with_suffix(".json"), _provenance(frame, runs, dataset, sources))
    return len(held & planned), len(planned)


def _rows(run: PlannedRun, content: dict[str, Any]) -> pd.DataFrame:
    known = {"configuration": run.configuration, "seed": run.seed}
    facts = {"end": content["end"], "config_hash": content["config_hash"]}
    rows = [
        {
            **known,
            "epoch": each["epoch"],
            **run.parameters,
            **each["validation"],
            **{f"{LOSS}{name}": value for name, value in each["losses"].items()},
            **{name: each[name] for name in TIMES},
            **facts,
        }
        for each in content["epochs"]
    ]
    if content["end"] == "diverged":
        rows.append({**known, "epoch": len(rows), **run.parameters, **facts})
    return pd.DataFrame(rows)


def _parquet(frame: pd.DataFrame, data_hash: str) -> bytes:
    # Half the size; metrics keep every bit, because they are compared.
    coarse = {name: np.float32 for name in map(str, frame) if name.startswith(LOSS) or name in TIMES}
    table = pa.Table.from_pandas(frame.astype(coarse), preserve_index=False)
    metadata = {**(table.schema.metadata or {}), b"schema_version": str(SCHEMA_VERSION).encode()}
    table = table.replace_schema_metadata({**metadata, b"data_hash": data_hash.encode()})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _known_sources(path: Path) -> dict[str, int]:
    """Which code and machine made the runs that a table holds; empty where nobody can say."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["made_by"]
        return {json.dumps(each["source"], sort_keys=True): int(each["runs"]) for each in entries}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _provenance(
    frame: pd.DataFrame, runs: Sequence[PlannedRun], dataset: Dataset, sources: dict[str, int]
) -> dict[str, Any]:
    ends = frame.drop_duplicates(["configuration", "seed"])["end"].value_counts().to_dict()
    most = runs[0].config.epochs
    return {
        "schema_version": SCHEMA_VERSION,
        "command": f"python benchmarks/make_curves.py -d {shlex.quote(dataset.name)} --epochs {most}",
        "dataset": dataset.name,
        "data_hash": dataset.data_hash,
        "split_hash": dataset.split_hash,
        "space": as_plain(load_space(SPACE)),
        "most_epochs": most,
        "stopping_step": runs[0].config.stopping_step,
        "runs_planned": len(runs),
        "runs_finished": int(sum(ends.values())),
        "runs_by_end": {name: int(count) for name, count in sorted(ends.items())},
        "configurations_planned": len({run.configuration for run in runs}),
        "configurations_finished": int(frame["configuration"].nunique()),
        "epochs": len(frame),
        "cpu_seconds": round(float(frame["cpu_seconds"].sum()), 1),
        "made_by": [{"runs": count, "source": json.loads(source)} for source, count in sorted(sources.items())],
    }
