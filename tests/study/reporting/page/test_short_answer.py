"""Three sentences: does it matter, how sure, what would change it; each follows from the comparisons."""

import re
from pathlib import Path

from sea_core.config import Config
from study.analysis.results import Results
from study.records.study import load_study
from study.reporting.page.answer import answer
from tests.study.results import write_arms


def short_of(root: Path) -> list[str]:
    study = load_study(root)
    return list(answer(study, Results([study])).short)


def test_what_is_decided_comes_first_with_its_p(tmp_path: Path) -> None:
    arms = {"full": 0.0, "no-club": -0.1, "no-solosim": 0.1, "no-both": 0.0}
    matters, sure, change = short_of(write_arms(tmp_path / "s", arms, seeds=5))
    assert re.fullmatch(
        r"CLUB helps: test Recall@20 is 0\.\d{4} lower without; "
        r"Solosim harms: test Recall@20 is 0\.\d{4} higher without\.",
        matters,
    )
    assert re.match(r"(All of this|What is decided) holds with 5 seeds and 40 users at p (<|≤) \.\d+, adjusted", sure)
    assert change.startswith("What would change that: ")
    assert "a search for every arm, as all had the full model’s configuration" in change


def test_what_is_open_says_what_would_have_been_found_and_how_many_seeds_would_do(tmp_path: Path) -> None:
    arms = {"full": 0.0, "no-club": 0.001, "no-solosim": 0.0}
    matters, sure, change = short_of(write_arms(tmp_path / "s", arms, seeds=2))
    assert re.match(
        r"Whether CLUB and Solosim matter is not decided: test Recall@20 changes by \S+ without CLUB", matters
    )
    assert re.search(
        r"2 seeds and 40 users reliably find only differences of 0\.\d{4}.* where 0\.\d{4} would matter", sure
    )
    assert re.search(r"about (3|5|8|10) seeds", change)


def test_one_seed_cannot_tell_anything_from_chance(tmp_path: Path) -> None:
    _, sure, change = short_of(write_arms(tmp_path / "s", {"full": 0.0, "no-club": -0.1}, seeds=1))
    assert sure == "One seed gives no interval, so nothing here can be told from chance."
    assert "five seeds or more" in change


def test_training_that_was_still_going_on_is_among_what_would_change_it(tmp_path: Path) -> None:
    arms = {"full": 0.0, "no-club": -0.1}
    keys = {"config": Config(epochs=5), "best_epoch": 4}
    change = short_of(write_arms(tmp_path / "s", arms, seeds=3, **keys))[2]
    assert "longer training (6 final runs were still learning when they were ended)" in change


def test_arms_that_remove_no_part_are_named_or_counted(tmp_path: Path) -> None:
    few = short_of(write_arms(tmp_path / "few", {"full": 0.0, "x": -0.1, "y": 0.1}, seeds=5))[0]
    assert re.match(r"“title of x” is worse than SEA by test Recall@20 \(−0\.\d+\) and “title of y” is better", few)
    many = {f"arm-{n}": -0.1 if n else 0.1 for n in range(5)}
    text = short_of(write_arms(tmp_path / "many", {"full": 0.0, **many}, seeds=5))[0]
    counts = "1 better, 4 worse, 0 equivalent, 0 non-inferior and 0 not decided"
    assert text == f"Of 5 arms, by test Recall@20 against SEA, {counts}."
