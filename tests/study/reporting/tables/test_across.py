"""Claims over datasets, from studies to a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from study.analysis.results import Results
from study.records.study import load_study
from study.reporting.tables import across
from study.reporting.tables.table import Number
from tests.study.results import write_arms


def results(tmp_path: Path, datasets: int, **arms: float) -> Results:
    studies = []
    for n in range(datasets):  # the datasets differ a little in what an arm does
        values = {name.replace("_", "-"): value * (1 + 0.02 * n) for name, value in arms.items()}
        folder = write_arms(tmp_path / f"s{n}", {"full": 0.0, **values}, seeds=5, dataset=f"data-{n}")
        studies.append(load_study(folder))
    return Results(studies)


@pytest.mark.slow
def test_what_holds_on_every_dataset_is_said_to(tmp_path: Path) -> None:
    table = across.compute(results(tmp_path, 3, no_club=-0.05, no_solosim=0.0))
    assert table is not None
    rows = {row[0]: row for row in table.rows}
    lower, same = rows["title of no-club"], rows["title of no-solosim"]
    assert lower[3:5] == ["3 of 3", "< .001"]
    assert same[3] == "0 of 3"
    frame = table.frame.set_index("arm")
    assert frame.loc["no-club", "worse_0.02"] > 0.85
    assert frame.loc["no-solosim", "inside_0.02"] > 0.5
    for arm in frame.index:
        for scale in ("0.01", "0.02", "0.05"):
            parts = [frame.loc[arm, f"{name}_{scale}"] for name in ("worse", "inside", "better")]
            assert sum(parts) == pytest.approx(1.0)
    change = lower[2]
    assert isinstance(change, Number)
    assert change.value == pytest.approx(100 * -0.178, abs=2)  # log of .25 / .30
    assert change.interval is None


def test_five_datasets_have_a_prediction_interval(tmp_path: Path) -> None:
    table = across.compute(results(tmp_path, 5, no_club=-0.05))
    assert table is not None
    change = table.rows[0][2]
    assert isinstance(change, Number)
    assert change.interval is not None
    assert change.interval[0] < change.value < change.interval[1] < 0


def test_one_dataset_has_no_such_table(tmp_path: Path) -> None:
    assert across.compute(results(tmp_path, 1, no_club=-0.05)) is None
