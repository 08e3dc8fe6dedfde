"""Results of programs elsewhere: what is read, what is refused and how, and what becomes of them."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sea_core.errors import UserError
from study import import_results
from study.analysis.results import Results
from study.records.drawn import mark_drawn, shown_before
from study.records.imported import check_imported, read_imported, write_imported
from study.records.study import load_study
from study.reporting.page.answer import answer
from study.reporting.tables import ablation, budgets, overall, statistics
from study.reporting.tables.table import Number
from tests.study.results import METRICS, USERS, write_arms, write_result, write_search

SPLIT = "s" * 16


def long_table(level: float = 0.25, *, seeds: tuple[int, ...] = (1, 2, 3), users: range = range(USERS)) -> pd.DataFrame:
    """Values near ``level`` in rows ``user, metric, seed, value``, in no order."""
    rng = np.random.default_rng(0)
    keys = itertools.product(users, METRICS, seeds)
    rows = [(*key, level + 0.01 * rng.standard_normal()) for key in keys]
    return pd.DataFrame(rows, columns=["user", "metric", "seed", "value"]).sample(frac=1, random_state=0)


def describe(folder: Path, table: pd.DataFrame, *, file: str = "theirs.csv", **changes: Any) -> Path:
    """The file of results, and the YAML file that describes it."""
    if file.endswith(".parquet"):
        table.to_parquet(folder / file, index=False)
    else:
        table.to_csv(folder / file, index=False)
    content = {"name": "lattice", "title": "LATTICE", "results": file, "split_hash": SPLIT, "why": "Their code."}
    lines = [f"{key}: {value}" for key, value in {**content, **changes}.items() if value is not None]
    (folder / "theirs.yaml").write_text("\n".join(lines) + "\n")
    return folder / "theirs.yaml"


def imported(folder: Path, table: pd.DataFrame, study: Path, **changes: Any) -> Results:
    before = load_study(study)
    results = read_imported(describe(folder, table, **changes))
    check_imported(results, before)
    write_imported(results, before, replace=True)
    return Results([load_study(study)])


@pytest.mark.parametrize("file", ["theirs.csv", "theirs.parquet"])
def test_both_forms_and_both_formats_hold_the_same(tmp_path: Path, file: str) -> None:
    table = long_table()
    long = read_imported(describe(tmp_path, table, file=file))
    wide = table.pivot(index=["user", "seed"], columns="metric", values="value").reset_index()
    wide = wide.rename(columns={"recall@20": "Recall@20"})
    other = read_imported(describe(tmp_path, wide, file=file))
    assert list(long.by_seed) == list(other.by_seed) == [1, 2, 3]
    for seed, metrics in long.by_seed.items():
        assert metrics.users.tolist() == list(range(USERS))
        for metric in METRICS:
            assert np.array_equal(metrics.values[metric], other.by_seed[seed].values[metric])


def test_a_program_without_seeds_is_one_run(tmp_path: Path) -> None:
    table = long_table(seeds=(1,)).drop(columns="seed")
    assert list(read_imported(describe(tmp_path, table)).by_seed) == [0]


def test_beside_a_winner_they_are_a_row_of_every_table_paired_user_by_user(tmp_path: Path) -> None:
    study = write_search(tmp_path, seeds=3)
    results = imported(tmp_path, long_table(0.25), study)
    table = overall.compute(results)
    assert table is not None
    assert [row[0] for row in table.rows] == ["Item-kNN", "Popularity", "LATTICE §", "SEA", "Improv. %"]
    row = next(row for row in table.rows if row[0] == "LATTICE §")
    assert isinstance(row[2], Number)
    assert (row[2].value, row[2].rank) == (pytest.approx(0.25, abs=0.01), 2)
    assert set(table.frame.set_index("method").loc["LATTICE §", "source"]) == {"imported"}
    assert any(note.startswith("LATTICE § Imported from theirs.csv: Their code.") for note in table.notes)
    line = next(line for line in results.imported if line.metric == "recall@20")
    assert (line.arm, line.reference, line.seeds, line.users) == ("imported:lattice", "SEA", 3, USERS)
    theirs = [float(run.test.values["recall@20"].mean()) for run in results.study.imported if run.test is not None]
    assert line.difference == pytest.approx(np.mean(theirs) - np.mean([0.3, 0.32, 0.3]))
    rows = statistics.compute(results)
    assert rows is not None
    assert any(row[0] == "LATTICE § vs SEA" for row in rows.rows)
    ledger = budgets.compute(results)
    assert ledger is not None
    assert "LATTICE was trained elsewhere; its budget is not known here." in ledger.notes


def test_beside_arms_they_are_compared_with_full(tmp_path: Path) -> None:
    study = write_arms(tmp_path / "s", {"full": 0.0, "no-club": -0.02}, seeds=4)
    results = imported(tmp_path, long_table(0.1), study)
    table = ablation.compute_frozen(results)
    assert table is not None
    assert [row[0] for row in table.rows][-2:] == ["LATTICE §", "Δ to full"]
    delta = table.rows[-1][2]
    assert isinstance(delta, Number)
    assert delta.value < -0.15
    assert delta.interval is not None
    line = next(line for line in results.imported if line.metric == "recall@20")
    assert (line.reference, line.seeds, line.verdict) == ("full", 3, "worse")
    assert overall.compute(results) is None
    page = answer(results.study, results)
    (sentence,) = [sentence for sentence in page.sentences if "LATTICE" in sentence]
    assert sentence.startswith("“LATTICE”, imported, has a test Recall@20 of 0.")
    assert "worse by at most" in sentence
    assert [group.tiles[0].value for group in page.groups if group.title == "Programs elsewhere"] == ["worse"]


def test_nothing_else_in_the_study_moves(tmp_path: Path) -> None:
    study = write_arms(write_search(tmp_path, seeds=3), {"full": 0.0, "no-club": -0.02}, seeds=3)
    before = Results([load_study(study)])
    after = imported(tmp_path, long_table(), study)
    assert after.arms == before.arms
    assert after.baselines == before.baselines
    assert repr(after.tuning) == repr(before.tuning)


def test_what_is_drawn_is_outdated_by_an_import(tmp_path: Path) -> None:
    study = load_study(write_search(tmp_path))
    drawn = (study.folder.root, [study.folder], ["recall@20"])
    mark_drawn(*drawn, shown={}, written=[])
    assert shown_before(*drawn) == {}
    imported(tmp_path, long_table(), study.folder.root)
    assert shown_before(*drawn) is None


def without(table: pd.DataFrame, *users: int) -> pd.DataFrame:
    return table[~table["user"].isin(users)]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (without(long_table(), 3, 7), r"seed 1 lacks 2 users \(3, 7\) of the 40 users of the test split; only results"),
        (long_table(users=range(USERS + 9)), r"has 9 users \(40, 41, 42, 43, 44, ...\) that the test split does not"),
        (long_table()[lambda t: t["metric"] != "ndcg@20"], r"has no ndcg@20, which the tables of tiny-search show; it"),
        (long_table(80.0), r"seed 1: ndcg@10 of user \d+ is 8\d\.?\d*; metrics are shares from 0 to 1"),
    ],
)
def test_users_and_metrics_that_do_not_match_are_named(tmp_path: Path, table: pd.DataFrame, message: str) -> None:
    with pytest.raises(UserError, match=message):
        imported(tmp_path, table, write_search(tmp_path))
    assert not (tmp_path / "tiny-search" / "imported").exists()


def test_another_split_is_named_with_both_hashes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"of another split: split_hash abc, that of .*tiny-search is {SPLIT}"):
        imported(tmp_path, long_table(), write_search(tmp_path), split_hash="abc")


def test_a_study_of_several_splits_or_without_results_is_refused(tmp_path: Path) -> None:
    several = write_search(tmp_path, name="several", split_seed=5)
    with pytest.raises(UserError, match="was run on several splits"):
        imported(tmp_path, long_table(), several)
    trial = tmp_path / "open" / "trials" / "0"
    write_result(trial, 0.1, seed=1, trial={"number": 0})
    with pytest.raises(UserError, match="has no test results to stand beside; finalise the search first"):
        imported(tmp_path, long_table(), tmp_path / "open")


def spoiled(column: str, value: Any) -> pd.DataFrame:
    table = long_table().astype({column: object})
    table.iloc[5, table.columns.get_loc(column)] = value
    return table


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (spoiled("value", "n/a"), "value has no finite number in row 5"),
        (spoiled("value", "inf"), "value has no finite number in row 5"),
        (spoiled("user", "u17"), "user must be a whole number from 0, as in the data, got 'u17' in row 5"),
        (spoiled("user", -1), "user must be a whole number from 0"),
        (spoiled("seed", 1.5), "seed must be a whole number from 0"),
        (pd.concat([long_table(), long_table()[:1]]), r"seed \d, user \d+, metric \S+ is there more than once"),
        (long_table().iloc[1:], "has no finite number in row"),
        (long_table().iloc[:0], "expected columns user, metric, value"),
        (long_table().rename(columns={"user": "userID"}), "has the columns userID, metric, seed, value; expected"),
    ],
)
def test_a_damaged_table_says_where(tmp_path: Path, table: pd.DataFrame, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_imported(describe(tmp_path, table))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"why": None}, "'why' must be text, got None; expected the keys name, title, results, split_hash, why"),
        ({"split_hash": 1234}, "quote a split_hash of digits"),
        ({"name": "../up"}, "it names a folder"),
        ({"titel": "x"}, "unknown key 'titel'"),
        ({"results": "gone.csv"}, "no file .*gone.csv; 'results' is relative to the YAML file"),
        ({"results": "theirs.yaml"}, r"must be a \.csv or a \.parquet file"),
    ],
)
def test_a_faulty_description_says_what_is_expected(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_imported(describe(tmp_path, long_table(), **changes))


def test_a_file_of_another_kind_is_no_traceback(tmp_path: Path) -> None:
    path = describe(tmp_path, long_table(), file="theirs.parquet")
    (tmp_path / "theirs.parquet").write_text("hello")
    with pytest.raises(UserError, match=r"cannot read .*theirs\.parquet"):
        read_imported(path)


def test_the_program_writes_all_outputs_and_replaces_only_when_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plots.lib.pictures.study_pictures", lambda study, out: [])
    study = write_search(tmp_path, seeds=3)
    first = str(describe(tmp_path, long_table()))
    assert import_results.main([str(study), first]) == 0
    assert "LATTICE: 3 seeds from" in capsys.readouterr().out
    assert "LATTICE §" in (study / "tables" / "overall.md").read_text()
    assert r"LATTICE \S{}" in (study / "tables" / "overall.tex").read_text()
    assert "“LATTICE”, imported" in (study / "report.html").read_text()
    record = study / "imported" / "lattice" / "seed-1" / "record.json"
    before = record.read_bytes()
    assert import_results.main([str(study), first]) == 0
    assert record.read_bytes() == before  # equal results are kept as they are
    other = str(describe(tmp_path, long_table(0.1, seeds=(1, 2))))
    with pytest.raises(UserError, match="holds other results of that name; choose another name, or pass --replace"):
        import_results.main([str(study), other])
    assert import_results.main([str(study), other, "--replace"]) == 0
    assert [run.seed for run in load_study(study).imported] == [1, 2]
