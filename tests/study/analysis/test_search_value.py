"""Searches and what they cost, from records to the sentence in the report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from study.analysis.results import Results
from study.analysis.search_value import search_values
from study.records.folder import StudyFolder
from study.records.study import Study, load_study
from study.reporting.more_search import more_search_sentences
from study.reporting.tables.search_value import compute
from tests.plots.tiny_study import write_run, write_study

VALUES = [0.10, 0.14, 0.11, 0.16, 0.12, 0.13, 0.15, 0.17, 0.18]


def write(root: Path, values: list[float], *, sampler: str = "random", pruned: int = 0, place: str = "s") -> Study:
    """A search of trials of 10 epochs each, but the first of 20, and pruned ones of 5."""
    folder = StudyFolder(root / place)
    states = [("complete", value) for value in values] + [("pruned", 0.05)] * pruned
    for number, (state, value) in enumerate(states):
        trial = {"number": number, "state": state, "value": value, "params": {"knn_k": number + 1}}
        epochs = 20 if number == 0 else 10 if state == "complete" else 5
        write_run(folder.trial(number), seed=1, epochs=epochs, users=3, trial=trial)
    space = {"knn_k": {"low": 1, "high": 50}}
    folder.identity.write_text(yaml.safe_dump({"dataset": "tiny", "space": space, "sampler": sampler}))
    return load_study(folder.root)


def test_the_cost_of_a_trial_holds_the_pruned_ones_and_is_measured_in_runs_of_trial_0(tmp_path: Path) -> None:
    study = write(tmp_path, VALUES, pruned=4)
    value = search_values(Results([study]), study)[0]
    assert value.run == 20
    assert value.epochs == pytest.approx((20 + 8 * 10 + 4 * 5) / 9)
    np.testing.assert_allclose(value.full_runs[-1], 120 / 20)
    assert value.curve.trials.tolist() == list(range(1, 10))
    assert value.best == 0.18
    assert value.late == pytest.approx(0.18 - 0.16)  # the second half against the first four


def test_every_re_tuned_arm_has_a_curve_in_the_same_unit(tmp_path: Path) -> None:
    study = write(tmp_path, VALUES)
    write(study.folder.root / "ablations" / "retuned" / "no-club", [0.1, 0.2, 0.15], place="search")
    study = load_study(study.folder.root)
    full, arm = search_values(Results([study]), study)
    assert (full.arm, arm.arm) == ("full", "no-club")
    assert full.run == arm.run == 20
    table = compute(Results([study]))
    assert table is not None
    assert len(table.rows) == 2
    assert table.frame.groupby("search")["trials"].max().to_dict() == {"full": 9, "no-club": 3}


def test_the_sentence_says_what_kind_of_evidence_it_is(tmp_path: Path) -> None:
    study = write(tmp_path, VALUES, sampler="tpe")
    (sentence,) = more_search_sentences(study, Results([study]))
    more = search_values(Results([study]), study)[0].more
    assert more is not None
    assert sentence.startswith("Would more search help? Perhaps: from its 9 complete trials")
    assert f"by +{more.expected:.4f} (" in sentence
    assert f"with 95 % probability by at most +{more.high:.4f}" in sentence
    assert "as if trials were independent draws, which those of TPE are not" in sentence
    assert sentence.endswith("the second half of the trials in fact added 0.0200.")


def test_a_search_that_has_levelled_off_needs_no_more(tmp_path: Path) -> None:
    study = write(tmp_path, [0.2, *np.linspace(0.10, 0.12, 19)])
    (sentence,) = more_search_sentences(study, Results([study]))
    assert sentence.startswith("Would more search help? Probably not:")
    assert "which those of" not in sentence


@pytest.mark.parametrize(("sampler", "count"), [("grid", 9), ("random", 5)])
def test_a_grid_and_a_handful_of_trials_promise_nothing(tmp_path: Path, sampler: str, count: int) -> None:
    study = write(tmp_path, VALUES[:count], sampler=sampler)
    assert more_search_sentences(study, Results([study])) == []
    table = compute(Results([study]))
    assert table is not None
    assert table.rows[0][-1] == "–"


def test_what_seeds_move_stands_beside_the_gain(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    (sentence,) = more_search_sentences(study, Results([study]))
    assert "(seeds alone move a value by 0.0" in sentence
