"""What the docs show is what was measured, and what was measured keeps what was promised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import calibrate_statistics
from benchmarks.calibrate_statistics import (
    BOUNDS,
    DOCS,
    FIGURES,
    bounds,
    cells,
    designs,
    drop_former,
    main,
    markdown,
    real_values,
    write_bounds,
    write_docs,
)
from benchmarks.seed_runs import _parquet
from study.analysis.stats.procedure_calibration import procedure_rates


def test_the_table_of_the_docs_is_that_of_the_figures(tmp_path: Path) -> None:
    rates = write_bounds(FIGURES, tmp_path / "bounds.csv")
    assert (tmp_path / "bounds.csv").read_text(encoding="utf-8") == BOUNDS.read_text(encoding="utf-8")
    page = tmp_path / "statistics.md"
    page.write_text(DOCS.read_text(encoding="utf-8"), encoding="utf-8")
    write_docs(markdown(rates), page)
    assert page.read_text(encoding="utf-8") == DOCS.read_text(encoding="utf-8")


def test_what_was_simulated_keeps_its_bounds() -> None:
    simulated = [
        line for line in bounds(pd.read_csv(FIGURES)) if not ("real runs" in line.claim or "copies" in line.claim)
    ]
    assert len(simulated) == 10
    assert [line.claim for line in simulated if not line.kept] == []


@pytest.mark.slow
def test_the_fast_part_keeps_the_same_bounds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--fast"]) == 0
    table = capsys.readouterr().out
    simulated = [line for line in table.splitlines() if "copies" not in line]
    assert sum("|" in line for line in simulated) == 10
    assert [line for line in simulated if "(missed)" in line] == []


def test_rows_of_fewer_copies_are_dropped(tmp_path: Path) -> None:
    figures = tmp_path / "calibration.csv"
    former = 'a/a,5,0.0,"lfm2k recall@20, seeds, 12 copies",40000,rate,0.05\n'
    figures.write_text(FIGURES.read_text(encoding="utf-8") + former, encoding="utf-8")
    drop_former(figures)
    assert figures.read_text(encoding="utf-8") == FIGURES.read_text(encoding="utf-8")


def test_every_cell_has_a_key_of_its_own() -> None:
    keys = [cell.key for cell in cells()]
    assert len(set(keys)) == len(keys)


@pytest.mark.slow
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
    monkeypatch.setattr(calibrate_statistics, "PIPELINE_SPLITS", 3)
    values, counts = real_values(tmp_path / "tiny.parquet", "seeds", "recall@20")
    assert values.shape == (46, 40)
    assert counts.tolist() == relevant.tolist()
    real = [cell for cell in cells() if cell.check in ("a/a", "pipeline")]
    assert not any("negatives" in cell.setting for cell in real), "a series that is not there has no cell"
    rows: list[tuple[object, ...]] = []
    for cell in real:
        rates = cell.measure(np.random.default_rng(1))
        rows += [(*cell.key, name, value) for name, value in rates.items()]
        assert all(0 <= rates[name] <= 1 for name in rates if name in ("rate", "false_claim", "coverage"))
    frame = pd.DataFrame(rows, columns=["check", "seeds", "seed_effect", "setting", "replicates", "quantity", "value"])
    frame["seeds"] = frame["seeds"].astype(int)
    lines = [line.claim for line in bounds(pd.concat([pd.read_csv(FIGURES), frame]))]
    assert "A/A on real runs, tiny recall@20, seeds, 46 copies, 5 v 5: false positives at 5 %" in lines
    assert (
        sum(line.startswith("whole pipeline, 8 pseudo-arms of 5 runs, tiny recall@20, 46 copies") for line in lines)
        == 3
    )
    assert (
        sum(line.startswith("whole pipeline, 3 pseudo-arms of 10 runs, tiny recall@20, 46 copies") for line in lines)
        == 3
    )
