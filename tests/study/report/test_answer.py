"""The paragraph and the tiles say what the comparisons say, no more."""

import re
from pathlib import Path

import pytest

from study.records import load_study
from study.report.answer import answer, signed
from study.report.page import Answer
from study.tables.results import Results
from tests.study.results import write_arms, write_search


def answer_of(root: Path) -> Answer:
    study = load_study(root)
    return answer(study, Results([study]))


def test_the_winner_is_stated_with_its_spread_beside_the_best_baseline(tmp_path: Path) -> None:
    found = answer_of(write_search(tmp_path))
    first = found.sentences[0]
    assert "1 trial chose on validation (trial 0)" in first
    assert "test Recall@20 of 0.3100 ± 0.0141 (mean ± sd over 2 seeds" in first
    assert "55.0 % above the best baseline, Item-kNN (+0.1100" in first
    assert [tile.label for tile in found.tiles] == ["SEA, test Recall@20", "Against Item-kNN"]
    assert found.tiles[0].value == "0.3100"


def test_what_a_removed_part_does_is_said_of_the_part(tmp_path: Path) -> None:
    arms = {"full": 0.0, "no-club": -0.1, "no-solosim": 0.1, "no-both": 0.0}
    found = answer_of(write_arms(tmp_path / "s", arms, seeds=5))
    tiles = {tile.label: (tile.value, tile.tone) for tile in found.tiles}
    assert tiles["CLUB"] == ("helps", "good")
    assert tiles["Solosim"] == ("harms", "bad")
    text = " ".join(found.sentences)
    assert re.search(r"Removing CLUB changes it by −0\.\d{4} \[−", text)
    assert "CLUB helps here." in text
    assert "Solosim harms here." in text
    assert text.index("Removing CLUB") < text.index("Removing Solosim") < text.index("both")
    assert "With the configuration that was given" in text


def test_one_seed_decides_nothing_and_shows_no_interval(tmp_path: Path) -> None:
    found = answer_of(write_arms(tmp_path / "s", {"full": 0.0, "no-club": -0.1, "no-solosim": 0.1}, seeds=1))
    text = " ".join(found.sentences)
    assert "none of this is decided, as one seed gives no interval" in text
    assert "[" not in text
    assert {tile.value for tile in found.tiles[1:]} == {"not decided"}


def test_too_few_seeds_say_what_they_could_have_found(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0, "no-club": 0.001}, seeds=2)
    study = load_study(root)
    results = Results([study])
    line = results.arms[results.arms["metric"] == "recall@20"].iloc[0]
    assert line["verdict"] == "underpowered"
    expected = f"not decided, as 2 seeds with 40 users reliably find only differences from {line['mde']:.4f} on."
    assert expected in " ".join(answer(study, results).sentences)


@pytest.mark.slow
def test_retuned_arms_are_said_to_be_retuned(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0, "no-club": -0.1}, seeds=5)
    write_arms(root, {"full": 0.0, "no-club": -0.1}, seeds=5, mode="retuned")
    found = answer_of(root)
    assert "With every arm re-tuned by a search of its own, removing CLUB" in " ".join(found.sentences)
    assert [tile.label for tile in found.tiles[1:]] == ["CLUB (frozen)", "CLUB (retuned)"]


def test_arms_that_remove_neither_part_are_listed_by_what_was_decided(tmp_path: Path) -> None:
    found = answer_of(write_arms(tmp_path / "s", {"full": 0.0, "orthogonal": -0.1, "subtraction": 0.1}, seeds=5))
    expected = "The other arms against the full model: better: title of subtraction; worse: title of orthogonal."
    assert expected in found.sentences


def test_a_search_without_a_winner_promises_nothing(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    (root / "final").rename(tmp_path / "elsewhere")
    text = " ".join(answer_of(root).sentences)
    assert "Of 1 trial, trial 0 has the best validation Recall@20: 0.2500." in text
    assert "The test split is closed" in text


@pytest.mark.parametrize(("value", "text"), [(0.00123, "+0.0012"), (-0.5, "−0.5000"), (-0.00001, "0.0000")])
def test_signs(value: float, text: str) -> None:
    assert signed(value) == text
