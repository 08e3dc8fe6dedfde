"""What the docs show is what was measured, and what was measured keeps what was promised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.calibrate_statistics import FIGURES, bounds, cells, designs, markdown
from study.analysis.stats.procedure_calibration import procedure_rates

DOCS = Path(__file__).parents[4] / "docs" / "statistics.md"


def test_every_line_of_the_table_of_bounds_is_in_the_docs() -> None:
    shown = DOCS.read_text(encoding="utf-8").splitlines()
    assert [line for line in markdown(FIGURES).splitlines() if line not in shown] == []


def test_what_was_simulated_keeps_its_bounds() -> None:
    for claim, bound, found in bounds(pd.read_csv(FIGURES)):
        if "real runs" in claim or "pipeline" in claim:
            continue
        limit, value = float(bound.split()[1]), float(found.split()[0])
        assert value >= limit if bound.startswith(">=") else value <= limit, claim


def test_every_cell_has_a_key_of_its_own() -> None:
    keys = [cell.key for cell in cells()]
    assert len(set(keys)) == len(keys)


def test_a_cell_of_the_file_is_what_the_procedure_gives() -> None:
    frame = pd.read_csv(FIGURES)
    setting = "3 nulls, 5 seeds, share 0.9"
    rows = frame[(frame["check"] == "families") & (frame["setting"] == setting)].set_index("quantity")["value"]
    found = procedure_rates(designs()[setting], replicates=2000, rng=np.random.default_rng(0))
    assert abs(found.false_claim - rows["false_claim"]) < 0.02
    assert abs(found.half_width - rows["half_width"]) < 0.05
