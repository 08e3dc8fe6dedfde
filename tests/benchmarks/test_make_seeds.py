"""Copies of one configuration: the records of an A/A test."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.make_seeds import main
from benchmarks.seed_runs import METRICS, base_config, plan, read_seeds
from sea_core.data.catalogue import load_dataset
from sea_core.errors import UserError
from sea_core.receipts import read_receipts
from sea_core.training.run import TrainingRun

DATASET = "synthetic:users=60,items=60,dims=12/10"
NAME = "synthetic-users-60-items-60-dims-12-10"


def make(folder: Path, seeds: int, *more: str) -> pd.DataFrame:
    arguments = ["-d", DATASET, "--seeds", str(seeds), "--negatives", "1", "--epochs", "3"]
    assert main([*arguments, "--work", str(folder / "work"), "--out", str(folder / "out"), *more]) == 0
    return read_seeds(folder / "out" / f"{NAME}.parquet")


def test_every_copy_has_all_users_and_one_receipt_and_a_larger_plan_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.nice", lambda _: 0)  # the tests after this one are in a hurry
    first = make(tmp_path, 2)
    held = {path: path.stat().st_mtime_ns for path in (tmp_path / "work" / NAME).glob("*.parquet")}
    frame = make(tmp_path, 3)
    assert all(path.stat().st_mtime_ns == time for path, time in held.items()), "finished copies are not made again"
    assert frame.groupby(["series", "split"])["copy"].nunique().to_dict() == {
        ("negatives", "test"): 1,
        ("negatives", "valid"): 1,
        ("seeds", "test"): 3,
        ("seeds", "valid"): 3,
    }
    users = frame.groupby(["series", "copy", "split"])["user"].apply(lambda column: tuple(column))
    assert users.groupby("split").nunique().eq(1).all()
    both = frame[frame["copy"] < 2].drop(columns="relevant").merge(first.drop(columns="relevant"), how="inner")
    assert len(both) == len(first), "the rows of finished copies stay as they were"
    receipts = read_receipts(tmp_path / "out" / f"{NAME}.receipts.json")
    assert sorted(receipt["seed"] for receipt in receipts) == sorted(run.seed for run in plan(3, negatives=1))
    provenance = json.loads((tmp_path / "out" / f"{NAME}.json").read_text())
    assert provenance["copies"] == 4
    assert provenance["config"]["learning_rate"] == 1e-3
    hits = frame["recall@20"] * frame["relevant"]
    assert np.allclose(hits, hits.round(), atol=1e-4)
    assert set(METRICS) < set(frame.columns)
    seeds = frame[(frame["series"] == "seeds") & (frame["split"] == "test")].pivot(
        index="user", columns="copy", values="ndcg@20"
    )
    assert not np.allclose(seeds[0], seeds[1])


def test_copies_that_redraw_negatives_keep_weights_and_batches() -> None:
    dataset = load_dataset(DATASET)
    run = plan(2, negatives=1)[-1]
    same, other = (
        TrainingRun(base_config(1), dataset, seed=run.seed, negatives_seed=seed) for seed in (None, run.negatives_seed)
    )
    assert same.init_hashes == other.init_hashes
    assert same.draw_hashes()["batches"] == other.draw_hashes()["batches"]
    assert same.draw_hashes()["negatives"] != other.draw_hashes()["negatives"]


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--seeds must be at least 2"):
        plan(1)
    with pytest.raises(UserError, match="make it with benchmarks/make_seeds"):
        read_seeds(tmp_path / "none.parquet")
