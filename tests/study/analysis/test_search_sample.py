"""Several searches of each re-tuned arm: a sample, with verdicts behind every other family."""

from pathlib import Path

import numpy as np
import pytest

from study.analysis.comparisons import compare_study
from study.analysis.results import Results
from study.analysis.search_sample import search_samples
from study.analysis.stats.comparison import Comparison
from study.records.folder import StudyFolder
from study.records.study import load_study
from study.reporting.page.answer import answer
from study.reporting.tables import ablation, budgets, statistics
from tests.study.results import USERS, write_arms, write_result

SEEDS = (1, 2, 3, 4)
METRIC = "recall@20"


def write_searches(root: Path, effect: float, *, searches: int, between: float, last: tuple[int, ...] = SEEDS) -> Path:
    """Re-tuned ``full`` and ``no-club``: what each search chose differs by ``between``; the last may be unfinished."""
    folder, rng = StudyFolder(root), np.random.default_rng(5)
    users = rng.uniform(0.2, 0.4, USERS)
    for number in range(1, searches + 1):
        for arm, level in (("full", 0.0), ("no-club", effect)):
            chosen = level + between * rng.standard_normal()
            for seed in last if number == searches else SEEDS:
                values = users + chosen + 0.001 * rng.standard_normal() + 0.005 * rng.standard_normal(USERS)
                keys = {"arm": arm, "mode": "retuned", "arm_title": arm} | ({"search": number} if number > 1 else {})
                write_result(folder.searched(arm, number, seed), values, seed=seed, **keys)
    return root


def retuned(root: Path) -> Comparison:
    (row,) = compare_study(load_study(root), [METRIC]).arms
    return row


@pytest.mark.parametrize("searches", [1, 2])
def test_fewer_than_three_searches_are_described(tmp_path: Path, searches: int) -> None:
    row = retuned(write_searches(tmp_path / "s", -0.1, searches=searches, between=0.001))
    assert (row.verdict, row.family, row.searches) == ("descriptive", "", 1)
    assert "--searches 3" in row.note


def test_three_searches_decide(tmp_path: Path) -> None:
    row = retuned(write_searches(tmp_path / "s", -0.1, searches=3, between=0.001))
    assert (row.verdict, row.family, row.searches, row.seeds) == ("worse", "re-tuned", 3, 4)
    assert row.difference == pytest.approx(-0.1, abs=0.005)
    assert row.low < row.difference < row.high
    assert row.bootstrap_low < row.bootstrap_high
    assert row.note.startswith("3 searches an arm, between which the difference has an sd of 0.0")


def test_searches_that_disagree_widen_the_interval(tmp_path: Path) -> None:
    alike = retuned(write_searches(tmp_path / "alike", -0.02, searches=4, between=0.0))
    unlike = retuned(write_searches(tmp_path / "unlike", -0.02, searches=4, between=0.05))
    assert unlike.high - unlike.low > 5 * (alike.high - alike.low)
    assert alike.verdict == "worse"
    assert unlike.verdict == "undecided"


def test_a_search_counts_once_it_has_every_seed(tmp_path: Path) -> None:
    root = write_searches(tmp_path / "s", -0.1, searches=4, between=0.001, last=SEEDS[:2])
    row = retuned(root)
    assert (row.searches, row.seeds) == (3, 4)
    short = write_searches(tmp_path / "short", -0.1, searches=3, between=0.001, last=SEEDS[:2])
    assert retuned(short).searches == 1


def test_retuned_arms_wait_behind_the_frozen_ones(tmp_path: Path) -> None:
    root = write_searches(tmp_path / "s", -0.1, searches=3, between=0.001)
    write_arms(root, {"full": 0.0, "no-club": 0.0}, seeds=4)
    rows = {row.mode: row for row in compare_study(load_study(root), [METRIC]).arms}
    frozen, again = rows["frozen"], rows["retuned"]
    assert frozen.family == "primary"
    if frozen.verdict in ("undecided", "user-limited"):
        assert (again.verdict, again.gate) == ("descriptive", "closed")
    write_arms(tmp_path / "open", {"full": 0.0, "no-club": -0.1}, seeds=4)
    write_searches(tmp_path / "open", -0.1, searches=3, between=0.001)
    rows = {row.mode: row for row in compare_study(load_study(tmp_path / "open"), [METRIC]).arms}
    assert [rows[mode].verdict for mode in ("frozen", "retuned")] == ["worse", "worse"]


def test_the_evidence_is_of_the_mean_over_searches(tmp_path: Path) -> None:
    root = write_searches(tmp_path / "s", -0.05, searches=3, between=0.01)
    sample = search_samples(load_study(root), "no-club", [METRIC], margin=0.02, most_seeds=40)[METRIC]
    study = load_study(root)
    mean = {
        arm: np.mean([run.test.means()[METRIC] for run in [*study.ablations, *study.repeated] if run.arm == arm])
        for arm in ("full", "no-club")
    }
    assert sample.row.difference == pytest.approx(mean["no-club"] - mean["full"])
    assert sample.evidence.seeds == 40  # searches are looked at once
    assert sample.searches == 3


def test_tables_and_page_speak_of_the_searches(tmp_path: Path) -> None:
    root = write_searches(tmp_path / "s", -0.1, searches=3, between=0.001)
    study = load_study(root)
    results = Results([study])
    table = ablation.compute_retuned(results)
    assert table is not None
    assert table.frame is not None
    assert set(table.frame["seeds"]) == {12}
    assert "over searches and seeds" in table.caption
    rows = statistics.compute(results)
    assert rows is not None
    assert list(rows.frame["searches"].unique()) == [3]
    assert any("3 searches an arm" in note for note in rows.notes)
    parts = [part for part, _ in budgets.parts(study)]
    assert parts == [
        f"{arm}{again} (retuned)" for again in ("", ", search 2", ", search 3") for arm in ("full", "no-club")
    ]
    assert "With every arm re-tuned by 3 searches of its own, removing CLUB" in " ".join(
        answer(study, results).sentences
    )
