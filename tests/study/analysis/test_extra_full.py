"""The full model on more seeds than its arms."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from study.analysis.comparisons import compare_study
from study.analysis.results import Results
from study.analysis.stats.comparison import Comparison
from study.records.folder import StudyFolder
from study.records.question import Question, fix_question, read_question
from study.records.study import load_study
from study.reporting.page.cautions import cautions
from study.reporting.tables import ablation, budgets
from tests.study.results import USERS, write_arms, write_result

METRIC = "recall@20"
ASKED = Question(METRIC, ("no-club",), 0.02, 0.05, (1, 2, 3, 4), (4,), ("no-club",), extra_seeds=(5, 6, 7, 8))


def write_extra(root: Path, seeds: tuple[int, ...], *, level: float = 0.0) -> Path:
    """Four seeds of two arms, and the full model on other seeds, there with means ``level`` higher."""
    write_arms(root, {"full": 0.0, "no-club": -0.01}, seeds=4)
    users = np.random.default_rng(0).uniform(0.2, 0.4, USERS)
    for seed in seeds:
        noise = np.random.default_rng(seed).normal(0, 0.005, USERS)
        keys = {"arm": "full", "mode": "frozen", "arm_title": "title of full"}
        write_result(StudyFolder(root).ablation("frozen", "full", seed), users + level + noise, seed=seed, **keys)
    fix_question(StudyFolder(root).question, ASKED)
    return root


def row_of(root: Path) -> Comparison:
    (row,) = compare_study(load_study(root), [METRIC]).arms
    return row


def test_the_reference_is_drawn_towards_its_other_seeds(tmp_path: Path) -> None:
    plain = row_of(write_extra(tmp_path / "plain", ()))
    same, higher = (row_of(write_extra(tmp_path / str(level), (5, 6, 7, 8), level=level)) for level in (0.0, 0.1))
    assert plain.reference_mean < higher.reference_mean < plain.reference_mean + 0.1
    assert higher.difference == pytest.approx(higher.arm_mean - higher.reference_mean)
    assert same.arm_mean == pytest.approx(plain.arm_mean)
    assert (same.seeds, same.family, same.reference) == (4, "primary", "full")
    assert "full has 4 more seeds of its own" in same.note
    assert not plain.note
    assert same.effect_size == pytest.approx(plain.effect_size)


def test_one_other_seed_says_nothing_of_seeds_and_is_left_out(tmp_path: Path) -> None:
    plain, one = (row_of(write_extra(tmp_path / name, seeds)) for name, seeds in (("plain", ()), ("one", (5,))))
    assert replace_study(one) == replace_study(plain)


def replace_study(row: Comparison) -> Comparison:
    return row._replace(study="")


def test_seeds_that_nobody_asked_for_are_not_taken(tmp_path: Path) -> None:
    root = write_extra(tmp_path / "s", (5, 6, 7, 8))
    StudyFolder(root).question.unlink()
    fix_question(StudyFolder(root).question, replace(ASKED, extra_seeds=()))
    assert "more seeds of its own" not in row_of(root).note
    assert read_question(StudyFolder(root).question).extra_seeds == ()


def test_more_seeds_of_full_alone_are_no_unequal_budget(tmp_path: Path) -> None:
    study = load_study(write_extra(tmp_path / "s", (5, 6, 7, 8)))
    assert not [caution for caution in cautions(study, Results([study])) if "Unequal" in caution.title]
    assert [part for part, _ in budgets.parts(study)] == ["full (frozen)", "no-club (frozen)", "full, extra seeds"]
    assert not any("Unequal" in note for note in budgets.compare_budgets(study))
    table = ablation.compute_frozen(Results([study]))
    assert table is not None
    assert not any(" ran on " in note for note in table.notes)
