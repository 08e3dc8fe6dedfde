"""What the docs show is what was measured, and what was measured keeps what was promised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import calibrate_statistics
from benchmarks.calibrate_statistics import FIGURES, bounds, cells, designs, markdown, real_values
from benchmarks.seed_runs import _parquet
from study.analysis.stats.procedure_calibration import procedure_rates

DOCS = Path(__file__).parents[4] / "docs" / "statistics.md"


def test_every_line_of_the_table_of_bounds_is_in_the_docs() -> None:
    shown = DOCS.read_text(encoding="utf-8").splitlines()
    assert [line for line in markdown(FIGURES).splitlines() if line not in shown] == []


def test_what_was_simulated_keeps_its_bounds() -> None:
    for claim, bound, rate in bounds(pd.read_csv(FIGURES)):
        if "real runs" in claim or "pipeline" in claim:
            continue
        limit, value = float(bound.split()[1]), float(rate.split()[0])
        assert value >= limit if bound.startswith(">=") else value <= limit, claim


def test_every_cell_has_a_key_of_its_own() -> None:
    keys = [cell.key for cell in cells()]
    assert len(set(keys)) == len(keys)


def test_a_cell_of_the_file_is_what_the_procedure_gives() -> None:
    frame = pd.read_csv(FIGURES)
    setting = "3 nulls, 5 seeds, share 0.9"
    rows = frame[(frame["check"] == "families") & (frame["setting"] == setting)].set_index("quantity")["value"]
    rates = procedure_rates(designs()[setting], replicates=2000, rng=np.random.default_rng(0))
    assert abs(rates.false_claim - rows["false_claim"]) < 0.02
    assert abs(rates.half_width - rows["half_width"]) < 0.05


def test_copies_of_real_runs_are_read_where_there_are_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    relevant = rng.integers(1, 5, 40)
    frames = [
        pd.DataFrame(
            {
                "series": "seeds",
                "copy": copy,
                "seed": copy,
                "split": "test",
                "user": np.arange(40),
                "relevant": relevant,
                "recall@20": rng.binomial(relevant, 0.4) / relevant,
                "ndcg@20": 0.5,
            }
        )
        for copy in range(46)
    ]
    (tmp_path / "tiny.parquet").write_bytes(_parquet(pd.concat(frames, ignore_index=True)))
    monkeypatch.setattr(calibrate_statistics, "RUNS", tmp_path)
    monkeypatch.setattr(calibrate_statistics, "SPLITS", 60)
    values, counts = real_values(tmp_path / "tiny.parquet", "seeds")
    assert values.shape == (46, 40)
    assert counts.tolist() == relevant.tolist()
    real = [cell for cell in cells() if cell.check in ("a/a", "pipeline")]
    assert {cell.check for cell in real} == {"a/a", "pipeline"}
    five = next(cell for cell in real if cell.check == "a/a" and cell.seeds == 5 and "negatives" not in cell.setting)
    rates = five.measure(rng)
    assert rates["runs"] == 46
    assert 0 <= rates["rate"] <= 0.3
    few = next(cell for cell in real if "negatives" in cell.setting)
    assert few.measure(rng) == {"runs": 0.0}, "a series that is not there has no rate"
    rows = [(*five.key, name, value) for name, value in rates.items()]
    columns = ["check", "seeds", "seed_effect", "setting", "replicates", "quantity", "value"]
    lines = list(bounds(pd.concat([pd.read_csv(FIGURES), pd.DataFrame(rows, columns=columns)])))
    assert lines[-1][0] == "A/A on real runs (tiny, seeds), 5 v 5: false positives at 5 %"
