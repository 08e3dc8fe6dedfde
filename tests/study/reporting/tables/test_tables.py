"""The tables of a study: what is compared, marked, quoted and refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sea_core.config import Config
from sea_core.errors import UserError
from sea_core.evaluation.user_metrics import UserMetrics
from sea_core.files import write_json
from sea_core.run_folder import RECEIPT, RECORD, VALIDATION, write_user_metrics
from study.analysis.comparisons import to_frame
from study.analysis.results import Results
from study.records.folder import StudyFolder
from study.records.question import Question, fix_question
from study.records.study import load_study
from study.reporting.tables import (
    ablation,
    best_configs,
    budgets,
    diagnostics,
    factorial,
    overall,
    selection,
    separation,
    statistics,
)
from study.reporting.tables.table import Number, Table
from study.reporting.tables.write import compute_tables, write_tables
from tests.study.results import write_arms, write_result, write_search


def results(*folders: Path) -> Results:
    return Results([load_study(folder) for folder in folders])


def cell(table: Table | None, row: str, column: int) -> Number:
    assert table is not None
    cell = next(cells for cells in table.rows if cells[0] == row)[column]
    assert isinstance(cell, Number)
    return cell


def test_overall_table_by_hand(tmp_path: Path) -> None:
    table = overall.compute(results(write_search(tmp_path)))
    assert table is not None
    assert [row[0] for row in table.rows] == ["Item-kNN", "Popularity", "SEA", "Improv. %"]
    assert table.columns == ["Method", "Recall@10", "Recall@20", "NDCG@10", "NDCG@20"]
    sea = cell(table, "SEA", 2)
    assert sea.value == pytest.approx(0.31)
    assert sea.sd == pytest.approx(0.02 / np.sqrt(2))  # of two seeds, with n - 1
    assert (sea.rank, cell(table, "Item-kNN", 2).rank, cell(table, "Popularity", 2).rank) == (1, 2, 0)
    assert cell(table, "Improv. %", 2).value == pytest.approx(55)
    assert cell(table, "Popularity", 2).sd is None


def test_the_improvement_over_the_best_baseline_has_the_stars_of_its_corrected_p(tmp_path: Path) -> None:
    sure = overall.compute(results(write_search(tmp_path, name="a", seeds=6)))
    unsure = overall.compute(results(write_search(tmp_path, name="b")))  # two seeds, .3 and .32
    frame = to_frame(results(tmp_path / "a").baselines).set_index(["reference", "metric"])
    assert frame.loc[("item-knn", "recall@20"), "p_adjusted"] < 0.001
    assert cell(sure, "Improv. %", 2).stars == "***"
    assert frame.loc[("item-knn", "recall@20"), "reference_mean"] == pytest.approx(0.2)
    unclear = to_frame(results(tmp_path / "b").baselines).set_index(["reference", "metric"])
    p = unclear.loc[("item-knn", "recall@20"), "p_adjusted"]
    assert p > 0.05
    assert cell(unsure, "Improv. %", 2).stars == ""


def test_published_rows_appear_for_their_dataset_only_and_do_not_compete(tmp_path: Path) -> None:
    baby = write_search(tmp_path, name="b", dataset="baby", level=0.01)
    table = overall.compute(results(baby, write_search(tmp_path, name="t")))
    assert table is not None
    quoted = cell(table, "FREEDOM †", 2)
    assert (quoted.value, quoted.rank) == (0.0992, 0)
    assert next(row for row in table.rows if row[0] == "FREEDOM †")[5:] == ["–"] * 4
    assert cell(table, "SEA †", 2).value == 0.1033
    assert cell(table, "SEA", 2).value == pytest.approx(0.02)  # ours and the published SEA are two rows
    assert any("not measured here" in note for note in table.notes)
    source = table.frame.set_index(["method", "dataset", "metric"])["source"]
    assert set(source["FREEDOM"]) == {"MMRec evaluation page"}
    alone = overall.compute(results(tmp_path / "t"))
    assert alone is not None
    assert not any("†" in str(row[0]) for row in alone.rows)


def test_two_studies_of_one_dataset_are_two_rows(tmp_path: Path) -> None:
    folders = [write_search(tmp_path, name="a"), write_search(tmp_path, name="b", level=0.4)]
    table = overall.compute(results(*folders))
    assert table is not None
    assert [row[0] for row in table.rows] == ["Item-kNN", "Popularity", "SEA (a)", "SEA (b)"]
    assert cell(table, "SEA (b)", 2).rank == 1


@pytest.mark.parametrize("name", ["data_hash", "split_hash"])
def test_rows_of_different_data_are_refused(tmp_path: Path, name: str) -> None:
    folders = [write_search(tmp_path, name="a"), write_search(tmp_path, name="b", **{name: "x" * 16})]
    with pytest.raises(UserError, match=rf"{tmp_path}/a/.*{tmp_path}/b/.*{name} {'[ds]' * 16} and {'x' * 16}"):
        overall.compute(results(*folders))


def test_arms_with_fewer_modalities_share_the_split_but_not_the_features(tmp_path: Path) -> None:
    from sea_core.config import Config

    root = write_arms(tmp_path / "s", {"full": 0.0})
    config = Config(modalities={"text": "text_feat.npy"})
    for seed in (1, 2, 3):
        folder = StudyFolder(root).ablation("frozen", "text-only", seed)
        write_result(folder, 0.1, seed=seed, config=config, arm="text-only", mode="frozen", data_hash="e" * 16)
    assert ablation.compute_frozen(results(root)) is not None


@pytest.mark.parametrize("spoil", ["missing", "another config"])
def test_a_test_result_without_its_receipt_is_refused(tmp_path: Path, spoil: str) -> None:
    root = write_search(tmp_path)
    winner = StudyFolder(root).winner(11)
    if spoil == "missing":
        (winner / RECEIPT).unlink()
    else:
        record = load_study(root).winner[0].record
        write_json(winner / RECORD, {**record, "config_hash": "0" * 16})
    with pytest.raises(UserError, match=r"seed-11/receipt\.json"):
        overall.compute(results(root))


def test_ablation_table_finds_the_arm_that_differs_and_not_the_one_that_does_not(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"no-club": -0.02, "full": 0.0, "mine": 0.0})
    table = ablation.compute_frozen(results(root))
    assert table is not None
    assert [row[0] for row in table.rows] == [
        "title of full", "title of no-club", "Δ to full", "title of mine", "Δ to full"
    ]  # fmt: skip
    assert cell(table, "title of no-club", 2).stars
    difference = table.rows[2][2]
    assert isinstance(difference, Number)
    assert difference.interval is not None
    assert difference.interval[0] < -0.02 < difference.interval[1] < 0
    assert cell(table, "title of mine", 2).stars == ""
    frame = table.frame.set_index(["name", "metric"])
    line = frame.loc[("no-club", "recall@20")]
    assert line["difference"] == pytest.approx(line["mean"] - frame.loc[("full", "recall@20"), "mean"])
    assert line["p_adjusted"] >= line["p"]


def test_a_failed_arm_is_shown_with_its_reason(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0, "no-club": 0.0})
    failure = {"state": "failed", "failure": {"kind": "diverged", "message": "loss term 'bpr' is not finite"}}
    for seed in (1, 2, 3):
        keys = {"arm": "no-both", "mode": "frozen", "trial": failure}
        write_result(StudyFolder(root).ablation("frozen", "no-both", seed), 0.0, seed=seed, **keys)
        (StudyFolder(root).ablation("frozen", "no-both", seed) / "test.parquet").unlink()
    table = ablation.compute_frozen(results(root))
    assert table is not None
    assert ["no-both", *["failed"] * 4] in [list(row) for row in table.rows]
    assert any("no-both failed on 3 of 3 seeds: loss term 'bpr' is not finite" in note for note in table.notes)


def test_statistics_and_factorial_show_every_comparison_with_its_numbers(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0, "no-club": -0.02, "no-solosim": 0.0, "no-both": -0.02})
    made = results(root)
    table, factors = statistics.compute(made), factorial.compute(made)
    assert table is not None
    assert factors is not None
    for shown, first in ((table, "title of no-club vs title of full (frozen)"), (factors, "CLUB (frozen)")):
        row = dict(zip(shown.columns, shown.rows[0], strict=True))
        line = shown.frame.iloc[0]
        assert (row[shown.columns[0]], row["Metric"], row["Seeds"], row["Users"]) == (first, "Recall@10", "3", "40")
        assert isinstance(row["d"], Number)
        assert isinstance(row["MDE"], Number)
        assert (row["d"].value, row["MDE"].value) == (line["effect_size"], line["mde"])
        assert row["Adjusted p"] == statistics.p_text(line["p_adjusted"])
        assert row["Equiv. p"] == statistics.p_text(line["p_equivalent"])
        assert str(row["Verdict"]).startswith(line["verdict"])
        assert len(shown.rows) == len(shown.frame) == 12


def test_arms_stand_in_the_order_of_the_suites_in_every_table(tmp_path: Path) -> None:
    arms = ["full", "no-club", "no-solosim", "no-both", "mine"]
    made = results(write_arms(tmp_path / "s", dict.fromkeys(arms, 0.0)))
    ledger = budgets.compute(made)
    assert ledger is not None
    assert list(ledger.frame["part"]) == [f"{arm} (frozen)" for arm in arms]
    assert list(dict.fromkeys(line.arm for line in made.arms)) == arms[1:]


def test_an_arm_that_one_dataset_has_not_run_is_no_failure(tmp_path: Path) -> None:
    folders = [write_arms(tmp_path / "a", {"full": 0.0, "image-only": 0.0}, dataset="a")]
    folders.append(write_arms(tmp_path / "b", {"full": 0.0}, dataset="b"))
    table = ablation.compute_frozen(results(*folders))
    assert table is not None
    assert next(list(row) for row in table.rows if row[0] == "title of image-only")[5:] == ["–"] * 4


def test_an_arm_with_the_weights_of_full_is_called_out(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0, "no-club": 0.0}, weights_hash="w" * 16)
    for path in (root / "ablations").rglob(RECORD):
        write_json(path, {**load_record(path), "weights_hash": "w" * 16})
    table = ablation.compute_frozen(results(root))
    assert table is not None
    assert any("no-club trained to the same weights as full" in note for note in table.notes)


def test_what_cannot_be_said_names_its_rows_once(tmp_path: Path) -> None:
    table = statistics.compute(results(write_arms(tmp_path / "s", {"full": 0.0, "a": 0.0, "b": 0.0}, seeds=1)))
    assert table is not None
    assert table.notes[0].startswith(
        "title of a vs title of full (frozen), title of b vs title of full (frozen): one seed:"
    )


def test_one_seed_gives_differences_without_intervals(tmp_path: Path) -> None:
    table = ablation.compute_frozen(results(write_arms(tmp_path / "s", {"full": 0.0, "no-club": -0.1}, seeds=1)))
    assert table is not None
    difference = table.rows[2][2]
    assert isinstance(difference, Number)
    assert difference.interval is None
    assert cell(table, "title of no-club", 2).stars == ""
    assert any("one seed only" in note for note in table.notes)


def test_no_interval_is_narrower_than_users_alone_would_make_it(tmp_path: Path) -> None:
    arms = dict.fromkeys(["full", "no-club", "no-solosim", "no-both"], 0.0)
    made = results(write_arms(tmp_path / "s", arms, agreeing="no-club"))
    for line in (*made.arms, *made.factors):
        assert (line.high - line.low) / 2 >= 0.999 * line.users_alone


def test_rows_behind_a_closed_gate_are_grey_and_carry_no_star(tmp_path: Path) -> None:
    # Nobody can say whether the primary contrast costs less than the margin, so what lies behind it is not asked.
    root = write_arms(tmp_path / "s", {"full": 0.0, "no-club": 0.0, "orthogonal": -0.1}, seeds=3)
    asked = Question("recall@20", ("no-club",), 1e-5, 0.05, (1, 2, 3), (3,), ("no-club", "orthogonal"))
    fix_question(StudyFolder(root).question, asked)
    made = results(root)
    table, frozen = statistics.compute(made), ablation.compute_frozen(made)
    assert table is not None
    assert frozen is not None
    rival = next(n for n, line in enumerate(made.arms) if (line.arm, line.metric) == ("orthogonal", "recall@20"))
    assert (made.arms[rival].verdict, made.arms[rival].gate) == ("descriptive", "closed")
    assert made.arms[rival].p < 0.001
    assert rival in table.greys
    assert cell(frozen, "title of orthogonal", 2).stars == ""
    place = next(n for n, row in enumerate(frozen.rows) if row[0] == "title of orthogonal")
    assert place + 1 in frozen.greys
    assert any(note.startswith("Descriptive:") for note in table.notes)


def test_placebos_stand_grey_below_the_arms_and_compete_with_none(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0, "no-club": -0.05}, seeds=3)
    users = np.random.default_rng(0).uniform(0.2, 0.4, 40)
    for copy, level in (("placebo-1", 0.5), ("placebo-2", 0.0)):
        for seed in (1, 2, 3):
            keys = {"arm": copy, "arm_title": copy.replace("-", " "), "mode": "placebo", "stands_for": seed}
            write_result(StudyFolder(root).placebo(copy, 100 + seed), users + level, seed=100 + seed, **keys)
    made = results(root)
    table = ablation.compute_frozen(made)
    assert table is not None
    labels = [str(row[0]) for row in table.rows]
    delta = "Δ to full"
    assert labels == ["title of full", "title of no-club", delta, "placebo 1", delta, "placebo 2", delta]
    assert set(table.greys) == {3, 4, 5, 6}
    assert {4, 6} <= set(table.follows)
    values = [cell(table, label, 2) for label in ("title of full", "placebo 1")]
    assert values[1].value == pytest.approx(np.mean(users) + 0.5)
    assert [value.rank for value in values] == [1, 0], "the best of the arms is the best, whatever copies do"
    assert values[1].stars == ""
    assert list(table.frame[table.frame["mode"] == "placebo"]["name"].unique()) == ["placebo-1", "placebo-2"]
    assert any("copies of the full model on seeds of their own" in note for note in table.notes)
    assert overall.compute(made) is None


def test_selection_says_how_often_the_winner_would_win_with_other_users(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    rng = np.random.default_rng(0)
    users = rng.random(40)
    scores = {0: users + 0.05, 1: users, 2: users + 0.05 + 0.2 * (rng.random(40) - 0.5), 3: users + 0.05}
    for number, values in scores.items():
        folder = StudyFolder(root).trial(number)
        if number:
            trial = {"number": number, "state": "complete", "value": 0.2, "duplicate_of": 0 if number == 3 else None}
            write_result(folder, 0.1, seed=999, trial=trial)
        write_user_metrics(folder / VALIDATION, UserMetrics(np.arange(40), {"recall@20": values}))
    table = selection.compute(results(root))
    assert table is not None
    row = dict(zip(table.columns, table.rows[0], strict=True))
    assert row["Config"] == "trial 0, winner"
    assert isinstance(row["Best again"], Number)
    assert 20 < row["Best again"].value < 80, "a coin's toss between two trials of four"
    assert row["Rank"] == "1 to 2", "the trial that is worse for every user is never second, its copy is no rival"
    assert table.frame["win_share"].item() == pytest.approx(row["Best again"].value / 100)


def test_one_trial_alone_has_no_place(tmp_path: Path) -> None:
    table = selection.compute(results(write_search(tmp_path)))
    assert table is not None
    assert list(table.rows[0][-2:]) == ["–", "–"]


def test_best_configs_shows_the_winners_parameters(tmp_path: Path) -> None:
    table = best_configs.compute(results(write_search(tmp_path)))
    assert table is not None
    assert [list(row) for row in table.rows] == [
        ["dataset", "tiny"], ["temperature", "0.5"], ["knn_k", "5"], ["trial", "0"], ["validation value", "0.25"]
    ]  # fmt: skip


def test_budgets_count_runs_but_not_epochs_that_were_taken_over(tmp_path: Path) -> None:
    root = write_arms(write_search(tmp_path), {"no-club": 0.0}, seeds=2)
    for seed in (1, 2):
        folder = StudyFolder(root).ablation("frozen", "full", seed)
        write_result(folder, 0.1, seed=seed, arm="full", mode="frozen", copied_from="final/winner/seed-1")
    table = budgets.compute(results(root))
    assert table is not None
    spent = table.frame.set_index("part")["epochs run"].to_dict()
    assert spent == {"search": 5, "winner": 10, "full (frozen)": 0, "no-club (frozen)": 10}


def test_the_ledger_counts_runs_that_were_still_learning(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    arms = {"config": Config(epochs=5), "best_epoch": 4}
    write_arms(root, {"full": 0.0}, seeds=2, **arms)
    write_arms(root, {"no-club": 0.0}, seeds=2, **{**arms, "best_epoch": 3})
    table = budgets.compute(results(root))
    assert table is not None
    counts = table.frame.set_index("part")["not converged"].to_dict()
    assert counts == {"search": 0, "winner": 0, "full (frozen)": 2, "no-club (frozen)": 0}


def test_rows_of_runs_that_were_still_learning_are_marked(tmp_path: Path) -> None:
    cut = {"config": Config(epochs=5), "best_epoch": 4}
    root = write_arms(write_search(tmp_path), {"full": 0.0}, seeds=2)
    write_arms(root, {"no-club": 0.0}, seeds=2, **cut)
    table = ablation.compute_frozen(results(root))
    assert table is not None
    assert [row[0] for row in table.rows] == ["title of full", "title of no-club ‡", "Δ to full"]
    assert "‡ Some of its runs were still learning when their cap ended them." in table.notes

    default = StudyFolder(root).default(11)
    write_result(default, 0.2, seed=11, rival="default", **cut)
    shown = overall.compute(results(root))
    assert shown is not None
    assert [row[0] for row in shown.rows if str(row[0]).startswith("SEA")] == ["SEA (default) ‡", "SEA (tuned)"]
    assert "‡ Some of its runs were still learning when their cap ended them." in shown.notes


def test_the_ledger_says_whether_arms_and_their_searches_had_equal_budgets(tmp_path: Path) -> None:
    root = write_arms(write_search(tmp_path), {"full": 0.0, "no-club": 0.0}, seeds=2)
    write_arms(root, {"full": 0.0, "no-club": 0.0}, seeds=2, mode="retuned")
    trial = {"number": 0, "state": "complete", "value": 0.2, "params": {"knn_k": 5}}
    search = StudyFolder(root / "ablations" / "retuned" / "no-club" / "search")
    write_result(search.trial(0), 0.1, seed=999, trial=trial)
    fair = budgets.compute(results(root))
    assert fair is not None
    assert fair.notes == [
        "Equal budgets: each of the 2 searches had 1 run on 1 seed of at most 1000 epochs.",
        "Equal budgets: each of the 2 frozen arms had 2 runs on 2 seeds of at most 1000 epochs.",
        "Equal budgets: each of the 2 re-tuned arms had 2 runs on 2 seeds of at most 1000 epochs.",
    ]
    write_result(search.trial(1), 0.1, seed=999, trial={**trial, "number": 1})
    write_arms(root, {"no-solosim": 0.0}, seeds=1)
    unfair = budgets.compute(results(root))
    assert unfair is not None
    assert unfair.notes[0] == (
        "Unequal budgets of searches: search had 1 run on 1 seed of at most 1000 epochs, but no-club: search (2 runs "
        "on 1 seed of at most 1000 epochs)."
    )
    assert unfair.notes[1].startswith("Unequal budgets of frozen arms: full (frozen) had 2 runs")
    assert "no-solosim (frozen) (1 run on 1 seed" in unfair.notes[1]


def test_all_tables_are_written_and_equal_studies_give_equal_bytes(tmp_path: Path) -> None:
    root = write_arms(write_search(tmp_path), {"full": 0.0, "no-club": -0.01})
    first = {path.name: path.read_bytes() for path in write_tables(compute_tables(results(root)), tmp_path / "one")}
    second = {path.name: path.read_bytes() for path in write_tables(compute_tables(results(root)), tmp_path / "two")}
    assert first == second
    stems = {"overall", "ablation", "statistics", "selection", "sensitivity", "best-configs", "budgets"}
    assert set(first) == {f"{stem}.{suffix}" for stem in stems for suffix in ("csv", "md", "tex")}
    frame = pd.read_csv(tmp_path / "one" / "overall.csv")
    measured = frame[(frame["method"] == "SEA") & (frame["metric"] == "recall@20")]
    assert measured["mean"].item() == pytest.approx(0.31, abs=1e-12)


def test_a_refused_table_leaves_nothing_behind(tmp_path: Path) -> None:
    folders = [write_search(tmp_path, name="a"), write_search(tmp_path, name="b", data_hash="x" * 16)]
    with pytest.raises(UserError):
        write_tables(compute_tables(results(*folders)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def load_record(path: Path) -> dict[str, object]:
    import json

    record: dict[str, object] = json.loads(path.read_text())
    return record


def test_diagnostics_are_means_over_modalities_then_seeds(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0, "no-club": 0.0}, seeds=2)
    for seed, shift in ((1, 0.0), (2, 0.2)):
        parts = {m: {"probe_r2": r2 + shift, "bound": None, "angle": None} for m, r2 in (("image", 0.1), ("text", 0.3))}
        pair = {"modalities": ["image", "text"], "generic_cka": 0.5, "unique_cka": 0.25, "alignment": None}
        facts = {"schema_version": 1, "epoch": 3, "items": 9, "modalities": parts, "pairs": [pair]}
        write_json(StudyFolder(root).ablation("frozen", "full", seed) / "diagnostics.json", facts)
    table = diagnostics.compute(results(root))
    assert table is not None
    assert [row[0] for row in table.rows] == ["title of full (frozen)"], "older runs left none, and that is no error"
    row = dict(zip(table.columns, table.rows[0], strict=True))
    assert isinstance(row["Probe R²"], Number)
    assert row["Probe R²"].value == pytest.approx(0.3)
    assert row["Probe R²"].sd == pytest.approx(0.2 / np.sqrt(2))
    assert (row["Bound"], row["Cos. mean"], row["Alignment"]) == ("–", "–", "–")
    lines = table.frame.set_index(["modality", "diagnostic"])["mean"]
    assert lines["image", "probe_r2"] == pytest.approx(0.2)
    assert lines["image|text", "unique_cka"] == 0.25
    assert diagnostics.compute_recovery(results(root)) is None, "nothing was planted"


def test_recovery_has_its_own_table_and_a_damaged_file_is_named(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0}, seeds=1)
    path = StudyFolder(root).ablation("frozen", "full", 1) / "diagnostics.json"
    recovery = {"recovery": {"shared_from_generic": 0.9, "separation": 0.4}}
    write_json(path, {"schema_version": 1, "modalities": {"image": recovery}, "pairs": []})
    assert cell(diagnostics.compute_recovery(results(root)), "title of full (frozen)", 1).value == 0.9
    write_json(path, {"schema_version": 99, "modalities": {}, "pairs": []})
    with pytest.raises(UserError, match=r"diagnostics\.json: schema_version 99"):
        diagnostics.compute(results(root))


def write_diagnostics(root: Path, arm: str, values: dict[str, float], *, mode: str = "frozen") -> None:
    """The same values in every seed's two modalities but for what a seed adds: 0, 0.01, 0.02."""
    for shift, folder in enumerate(sorted((root / "ablations" / mode / arm).glob("seed-*"))):
        shifted = {name: value + 0.01 * shift for name, value in values.items()}
        content = {"schema_version": 1, "modalities": {"image": shifted, "text": shifted}, "pairs": []}
        write_json(folder / "diagnostics.json", content)


def test_separation_sets_every_arm_beside_full_with_an_interval_over_seeds(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0, "no-club": 0.0, "released-club": 0.0, "orthogonal": 0.0})
    write_diagnostics(root, "full", {"probe_r2": 0.2, "cka": 0.1, "bound": 3.0})
    write_diagnostics(root, "no-club", {"probe_r2": 0.5, "cka": 0.1})
    write_diagnostics(root, "released-club", {"probe_r2": 0.2, "cka": 0.1, "bound": 9.0})
    first = root / "ablations" / "frozen" / "no-club" / "seed-1" / "diagnostics.json"
    write_json(first, {"schema_version": 1, "modalities": {"image": {"probe_r2": 0.503, "cka": 0.13}}, "pairs": []})
    table = separation.compute(results(root))
    assert table is not None
    assert [row[0] for row in table.rows] == [f"title of {a} (frozen)" for a in ("full", "no-club", "released-club")]
    assert table.columns == ["Arm", "Probe R²", "CKA g–u"], "a bound is not comparable between arms"
    assert cell(table, "title of full (frozen)", 1) == Number(pytest.approx(0.21), sd=pytest.approx(0.01), decimals=3)
    moved, unsure = (cell(table, "title of no-club (frozen)", column) for column in (1, 2))
    assert moved.value == pytest.approx(0.301)
    assert moved.stars
    assert unsure.value == pytest.approx(0.01)
    assert unsure.interval is not None
    assert unsure.interval[0] < 0 < unsure.interval[1]
    assert not unsure.stars
    same = cell(table, "title of released-club (frozen)", 1)
    assert (same.value, same.stars) == (pytest.approx(0), "")
    frame = table.frame.set_index(["arm", "diagnostic"])
    assert frame.loc[("no-club", "probe_r2"), ["full", "value", "seeds"]].tolist() == pytest.approx([0.21, 0.511, 3])


def test_without_full_or_another_arm_there_is_nothing_to_set_side_by_side(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0, "no-club": 0.0})
    write_diagnostics(root, "no-club", {"probe_r2": 0.5})
    assert separation.compute(results(root)) is None


def test_separation_compares_the_modalities_that_both_have(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0, "image-only": 0.0}, seeds=1)
    both = {"image": {"cka": 0.2}, "text": {"cka": 0.8}}
    for arm, parts in (("full", both), ("image-only", {"image": {"cka": 0.3}})):
        path = StudyFolder(root).ablation("frozen", arm, 1) / "diagnostics.json"
        write_json(path, {"schema_version": 1, "modalities": parts, "pairs": []})
    difference = cell(separation.compute(results(root)), "title of image-only (frozen)", 1)
    assert difference.value == pytest.approx(0.1)
    assert difference.interval is None, "one seed"
