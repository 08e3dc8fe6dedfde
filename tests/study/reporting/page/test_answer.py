"""Answer, tiles and paragraph say what the comparisons say, no more."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sea_core.evaluation.user_metrics import UserMetrics
from sea_core.run_folder import VALIDATION, write_user_metrics
from study.analysis.plausible_best import contenders
from study.analysis.results import Results
from study.records.folder import StudyFolder
from study.records.question import Question, fix_question
from study.records.study import load_study
from study.reporting.page.about_arms import signed
from study.reporting.page.answer import answer
from study.reporting.page.page import Answer, Tile
from study.reporting.page.question import question
from tests.study.results import write_arms, write_result, write_search


def answer_of(root: Path) -> Answer:
    study = load_study(root)
    return answer(study, Results([study]))


def tiles_of(answer: Answer, group: str = "") -> dict[str, Tile]:
    """Label -> tile, of one group or of all."""
    return {tile.label: tile for each in answer.groups if group in ("", each.title) for tile in each.tiles}


def test_the_winner_is_stated_with_its_spread_beside_the_best_baseline(tmp_path: Path) -> None:
    answer = answer_of(write_search(tmp_path))
    first = answer.sentences[0]
    assert "1 trial chose on validation (trial 0)" in first
    assert "test Recall@20 of 0.3100 ± 0.0141 (mean ± sd over 2 seeds" in first
    assert "55.0 % above the best baseline, Item-kNN (+0.1100" in first
    assert list(answer.short) == [first]
    assert list(tiles_of(answer, "SEA")) == ["Test Recall@20", "Against Item-kNN"]
    assert tiles_of(answer)["Test Recall@20"].value == "0.3100"


def test_what_a_removed_part_does_is_said_of_the_part(tmp_path: Path) -> None:
    arms = {"full": 0.0, "no-club": -0.1, "no-solosim": 0.1, "no-both": 0.0}
    answer = answer_of(write_arms(tmp_path / "s", arms, seeds=5))
    tiles = {label: (tile.value, tile.tone) for label, tile in tiles_of(answer).items()}
    assert tiles["title of no-club"] == ("CLUB helps", "good")
    assert tiles["title of no-solosim"] == ("Solosim harms", "bad")
    text = " ".join(answer.sentences)
    assert re.search(r"Removing CLUB changes it by −0\.\d{4} \[−", text)
    assert "CLUB helps here." in text
    assert "Solosim harms here." in text
    assert text.index("Removing CLUB") < text.index("Removing Solosim") < text.index("both")
    assert "With the configuration that was given" in text


def test_one_seed_decides_nothing_and_shows_no_interval(tmp_path: Path) -> None:
    answer = answer_of(write_arms(tmp_path / "s", {"full": 0.0, "no-club": -0.1, "no-solosim": 0.1}, seeds=1))
    text = " ".join(answer.sentences)
    assert "none of this is decided, as one seed gives no interval" in text
    assert "[" not in text
    values = {tile.value for group in answer.groups if group.title != "SEA" for tile in group.tiles}
    assert values == {"not decided"}


def test_too_few_seeds_say_what_they_could_have_found(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0, "no-club": -0.005}, seeds=2)
    study = load_study(root)
    results = Results([study])
    line = next(line for line in results.arms if line.metric == "recall@20")
    assert line.verdict == "undecided"
    expected = f"not decided, as 2 seeds with 40 users reliably find only differences of {line.mde:.4f} or more."
    assert expected in " ".join(answer(study, results).sentences)


@pytest.mark.slow
def test_retuned_arms_alone_have_no_verdict_and_say_why(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0, "no-club": -0.1}, seeds=5, mode="retuned")
    study = load_study(root)
    short = answer(study, Results([study])).short
    assert short[1] == "None of this has a verdict, as one search an arm compares two configurations, not two arms."
    assert "three searches of every arm" in short[2]


def test_retuned_arms_are_said_to_be_retuned(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0, "no-club": -0.1}, seeds=5)
    write_arms(root, {"full": 0.0, "no-club": -0.1}, seeds=5, mode="retuned")
    answer = answer_of(root)
    assert "With every arm re-tuned by a search of its own, removing CLUB" in " ".join(answer.sentences)
    assert list(tiles_of(answer, "CLUB")) == ["title of no-club (frozen)", "title of no-club (retuned)"]
    assert "; with every arm re-tuned, there is no verdict, as one search an arm compares" in answer.short[0]


def test_arms_that_remove_neither_part_are_the_answer_where_no_other_ran(tmp_path: Path) -> None:
    answer = answer_of(write_arms(tmp_path / "s", {"full": 0.0, "orthogonal": -0.1, "subtraction": 0.1}, seeds=5))
    text = " ".join(answer.sentences)
    assert re.search(
        r"“title of orthogonal” changes it by −0\.\d{4} \[−.*, 0\.0000\], adjusted p .*: worse by at most \d+\.\d %\.",
        text,
    )
    assert re.search(r"“title of subtraction” changes it by \+0\.\d{4} \[0\.0000, .*: better by at most \d", text)
    tiles = {label: (tile.value, tile.tone) for label, tile in tiles_of(answer, "Other arms").items()}
    assert tiles == {"title of orthogonal": ("worse", "bad"), "title of subtraction": ("better", "good")}
    assert "CLUB" not in text


def test_of_many_undecided_arms_the_extremes_are_named(tmp_path: Path) -> None:
    differences = {f"arm-{n}": -0.006 + 0.0001 * n for n in range(6)}
    text = " ".join(answer_of(write_arms(tmp_path / "s", {"full": 0.0, **differences}, seeds=2)).sentences)
    extremes = (
        r"6 other arms change it by \S+ \[.*?\] \(“title of arm-\d”\) to \S+ \[.*?\] \(“title of arm-\d”\): none of"
    )
    assert re.search(extremes, text)


def test_what_another_metric_decides_is_said(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0, "x": 0.0}, seeds=5)
    for path in root.glob("ablations/frozen/x/*/test.parquet"):
        values = pd.read_parquet(path)
        values.assign(**{"ndcg@10": values["ndcg@10"] - 0.05}).to_parquet(path, index=False)
    text = " ".join(answer_of(root).sentences)
    assert re.search(
        r"By other metrics, “title of x” is worse by NDCG@10 \(−0\.0\d+ \[−.*?\], adjusted p .*?\)\.", text
    )
    assert text.count("“title of x” is") == 1, "better by the others is what was said already"


@pytest.mark.parametrize(
    ("arms", "expected"),
    [
        (["no-club", "no-solosim", "no-both"], "Do CLUB and Solosim matter on tiny, and how sure are we?"),
        (["no-solosim"], "Does Solosim matter on tiny, and how sure are we?"),
        (["no-both"], "Do CLUB and Solosim together matter on tiny, and how sure are we?"),
        (["no-club", "x"], "Does CLUB matter on tiny, how does “title of x” compare, and how sure are we?"),
        (["x", "y"], "How do “title of x” and “title of y” compare with SEA on tiny, and how sure are we?"),
        (["x", "y", "z"], "How do 3 arms compare with SEA on tiny, and how sure are we?"),
    ],
)
def test_the_question_is_about_the_arms_that_were_run(arms: list[str], expected: str, tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", dict.fromkeys(["full", *arms], 0.0), seeds=1)
    assert question([load_study(root)]) == expected


def write_trials(root: Path, values: dict[float, np.ndarray]) -> Path:
    """A search over the temperature: per value, each user's validation recall@20."""
    folder = StudyFolder(root / "sweep")
    for number, (temperature, users) in enumerate(values.items()):
        params = {"temperature": temperature, "knn_k": 10}
        trial = {"number": number, "state": "complete", "value": float(np.mean(users)), "params": params}
        write_result(folder.trial(number), 0.1, seed=1, trial=trial)
        metrics = UserMetrics(np.arange(len(users)), {"recall@20": users})
        write_user_metrics(folder.trial(number) / VALIDATION, metrics)
    return folder.root


def test_a_search_says_what_it_wants_and_how_sure_that_is(tmp_path: Path) -> None:
    users = np.linspace(0.1, 0.5, 30)
    swing = np.where(np.arange(30) % 2, 0.02, -0.02)
    root = write_trials(tmp_path, {0.1: users + swing, 0.2: users - swing + 1e-4, 0.5: users - 0.05})
    study = load_study(root)
    assert question([study]) == "Which temperature does SEA want on tiny, and how much does it matter?"
    candidates = contenders(study)
    assert candidates is not None
    assert (candidates.best.number, {run.number for run in candidates.trials}, candidates.users) == (1, {0, 1}, 30)
    assert 0.4 < candidates.share < 0.7
    text = " ".join(answer_of(root).sentences)
    assert "trial 1 has the best validation Recall@20: 0.3001, at temperature 0.2." in text
    assert (
        "a set of 2 holds the best one with 95 % confidence (trials 0 and 1), among which temperature is 0.1 to 0.2"
        in text
    )
    tiles = {label: tile.value for label, tile in tiles_of(answer_of(root), "The search").items()}
    assert tiles["How sure is the best trial"] == "2 contenders"
    assert tiles["Temperature"] == "0.2"


def test_a_clear_best_trial_is_said_to_be_clear(tmp_path: Path) -> None:
    users = np.linspace(0.1, 0.5, 30)
    answer = answer_of(write_trials(tmp_path, {0.1: users, 0.2: users + 0.05}))
    assert tiles_of(answer)["How sure is the best trial"].value == "clear"
    assert "trial 1 stays the best in 100 % of the draws. Other seeds may change more" in " ".join(answer.sentences)


def test_a_search_without_a_winner_promises_nothing(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    (root / "final").rename(tmp_path / "elsewhere")
    text = " ".join(answer_of(root).sentences)
    assert "Of 1 trial, trial 0 has the best validation Recall@20: 0.2500." in text
    assert "The test split is closed" in text


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (0.1, "fell from 0.2500 to 0.1100 on fresh seeds (winner’s curse)."),
        (0.2, "was 0.2500 and is 0.2100 on fresh seeds, a fall that chance may explain."),
        (0.24, "did not fall on fresh seeds: 0.2500 before, 0.2500 now."),
        (0.25, "did not fall on fresh seeds: 0.2500 before, 0.2600 now."),
    ],
)
def test_only_a_fall_beyond_chance_is_called_a_winners_curse(level: float, expected: str, tmp_path: Path) -> None:
    text = " ".join(answer_of(write_search(tmp_path, level=level, seeds=2)).sentences)
    assert f"The validation score that won the search {expected}" in text
    assert ("curse" in text) == (level == 0.1)


def test_it_is_said_whether_the_question_was_fixed_before_the_runs(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0, "no-club": -0.1}, seeds=3)
    assert "was not written down before they ran" in " ".join(answer_of(root).sentences)
    asked = Question("recall@20", ("no-club",), 0.02, 0.05, (1, 2, 3), (3,), ("no-club",))
    path = StudyFolder(root).question
    date = fix_question(path, asked).fixed[:10]
    text = " ".join(answer_of(root).sentences)
    assert f"The primary question was fixed before the runs on {date}" in text
    assert "no-club against the full model by Recall@20, with a margin of 2 %, at 3 seeds." in text
    fix_question(path, replace(asked, margin=0.01))
    assert "was changed on" in " ".join(answer_of(root).sentences)


@pytest.mark.parametrize(("value", "text"), [(0.00123, "+0.0012"), (-0.5, "−0.5000"), (-0.00001, "0.0000")])
def test_signs(value: float, text: str) -> None:
    assert signed(value) == text
