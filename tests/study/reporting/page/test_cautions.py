"""Each warning appears where it applies, and only there."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sea_core.config import Config
from sea_core.files import write_json
from sea_core.run_folder import HISTORY, RECEIPT, RECORD
from study.analysis.results import Results
from study.records.folder import StudyFolder
from study.records.study import load_study
from study.reporting.page.answer import answer
from study.reporting.page.cautions import cautions, clamped_shares
from tests.study.results import write_arms, write_result, write_search

ARMS = {"full": 0.0, "no-club": -0.1}


def cautions_of(root: Path) -> dict[str, str]:
    study = load_study(root)
    return dict(cautions(study, Results([study])))


def change_record(folder: Path, **keys: Any) -> None:
    write_json(folder / RECORD, {**json.loads((folder / RECORD).read_text()), **keys})


@pytest.fixture
def arms(tmp_path: Path) -> StudyFolder:
    return StudyFolder(write_arms(tmp_path / "s", ARMS, seeds=5))


def test_a_clean_study_has_none(arms: StudyFolder) -> None:
    assert cautions_of(arms.root) == {}


def test_comparisons_without_power_are_counted(tmp_path: Path) -> None:
    cautions = cautions_of(write_arms(tmp_path / "s", {"full": 0.0, "no-club": -0.005}, seeds=2))
    # The other three metrics lie behind the gate of the first, which asks nothing of them.
    assert cautions["Underpowered"].startswith("1 of 4 comparisons with the full model could not")
    assert "with 2 seeds and 40 users" in cautions["Underpowered"]


def test_one_seed_is_named(tmp_path: Path) -> None:
    assert list(cautions_of(write_arms(tmp_path / "s", ARMS, seeds=1))) == ["One seed"]


def test_an_arm_with_other_seeds_or_epochs_is_named(arms: StudyFolder) -> None:
    extra = arms.ablation("frozen", "no-club", 6)
    write_result(extra, 0.2, seed=6, arm="no-club", mode="frozen", config=Config(epochs=7))
    text = cautions_of(arms.root)["Unequal budgets (frozen)"]
    assert "The full model had 5 seeds and at most 1000 epochs" in text
    assert "no-club (6 seeds" in text
    change_record(extra, config=Config(epochs=2000).as_dict())
    assert "no-club (6 seeds, at most 2000 epochs)" in cautions_of(arms.root)["Unequal budgets (frozen)"]


def test_a_search_of_another_size_is_named(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    searched = StudyFolder(root / "ablations" / "retuned" / "no-club" / "search")
    for number in (0, 1):
        trial = {"number": number, "state": "complete", "value": 0.2, "params": {}}
        write_result(searched.trial(number), 0.2, seed=999, trial=trial)
    text = cautions_of(root)["Unequal searches"]
    assert "tuned with 1 trials of at most 1000 epochs; not so: no-club 2 trials" in text


def test_clamping_is_measured_over_batches_and_warned_of_where_it_is_frequent(arms: StudyFolder) -> None:
    for seed, often in ((1, 0.2), (2, 0.4)):
        columns = {"epoch": range(5), "clamped_image": [often] * 5, "clamped_text": [0.0, 0.0, 0.0, 0.0, 0.25]}
        pd.DataFrame(columns).to_csv(arms.ablation("frozen", "full", seed) / HISTORY, index=False)
    study = load_study(arms.root)
    shares = clamped_shares([run for run in study.ablations if run.arm == "full"])
    assert shares == pytest.approx({"image": 0.3, "text": 0.05})
    text = cautions_of(arms.root)["CLUB clamped to zero"]
    assert "In 30 % (image) of the batches" in text
    assert "text)" not in text
    assert "The arm without CLUB" in text
    shutil.rmtree(arms.root / "ablations" / "frozen" / "no-club")
    assert "The arm without CLUB" not in cautions_of(arms.root)["CLUB clamped to zero"]


@pytest.mark.parametrize("place", ["first call", "later call"])
def test_uncommitted_changes_are_named_whenever_they_were(arms: StudyFolder, place: str) -> None:
    clean = {"commit": "a" * 40, "dirty": False}
    facts = {**clean, "resumed": [clean]}
    write_json(arms.provenance, facts)
    assert "Dirty tree" not in cautions_of(arms.root)
    (facts if place == "first call" else facts["resumed"][0])["dirty"] = True  # type: ignore[index]
    write_json(arms.provenance, facts)
    assert "Dirty tree" in cautions_of(arms.root)


def test_several_commits_and_versions_are_named(arms: StudyFolder) -> None:
    write_json(arms.provenance, {"commit": "a" * 40, "dirty": False, "resumed": [{"commit": "b" * 40, "dirty": False}]})
    change_record(arms.ablation("frozen", "full", 1), versions={"torch": "1", "numpy": "2"})
    change_record(arms.ablation("frozen", "full", 2), versions={"torch": "9", "numpy": "2"})
    cautions = cautions_of(arms.root)
    assert "aaaaaaaaaaaa, bbbbbbbbbbbb" in cautions["Several versions of the code"]
    assert "differ in torch (1, 9);" in cautions["Several versions of the software"]


def test_a_test_split_that_was_opened_twice_is_named(arms: StudyFolder) -> None:
    receipt = arms.ablation("frozen", "full", 3) / RECEIPT
    openings = json.loads(receipt.read_text())
    receipt.write_text(json.dumps(openings * 2))
    assert "ablations/frozen/full/seed-3 (2 times)" in cautions_of(arms.root)["Test split opened again"]


def test_failed_trials_and_arms_are_named(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    failure = {"kind": "diverged", "message": "training diverged"}
    trial = {"number": 7, "state": "failed", "value": None, "params": {}, "failure": failure}
    write_result(StudyFolder(root).trial(7), 0.0, seed=999, trial=trial)
    assert "1 of 2 trials failed (diverged): 7." in cautions_of(root)["Failed trials"]


def test_runs_that_were_still_learning_are_named(arms: StudyFolder) -> None:
    config = Config(epochs=20).as_dict()
    assert "Not converged" not in cautions_of(arms.root)  # all stopped by themselves
    for arm, best, epochs in (("full", 17, 20), ("full", 18, 20), ("no-club", 19, 20), ("no-club", 18, 19)):
        seed = {17: 1, 18: 2, 19: 3}[best] + (arm == "no-club")
        change_record(arms.ablation("frozen", arm, seed), config=config, best_epoch=best, epochs=epochs)
    assert cautions_of(arms.root)["Not converged"].startswith("2 of 10 final runs were still learning when the most")


def write_selection(folder: StudyFolder, **keys: Any) -> None:
    content = {"winner": 0, "rule": "by {metric}", "finalists": [{"number": 0}], "seeds": [11], "shrinkage": None}
    write_json(folder.selection, content | keys)


def test_trials_that_ran_after_the_choice_are_named_and_not_counted_into_it(tmp_path: Path) -> None:
    folder = StudyFolder(write_search(tmp_path))
    write_selection(folder, trials=1)
    assert "Grown since the winner was chosen" not in cautions_of(folder.root)
    for number in (1, 2):
        trial = {"number": number, "state": "complete", "value": 0.25 + number, "params": {"knn_k": 5}}
        write_result(folder.trial(number), 0.1, seed=999, trial=trial)
    text = cautions_of(folder.root)["Grown since the winner was chosen"]
    assert "After trial 0 had been chosen, 2 trials ran. Trial 2 leads the search now and never competed." in text
    study = load_study(folder.root)
    assert "that 1 trial chose on validation" in answer(study, Results([study])).sentences[0]
    write_selection(folder)  # as written before it said how many trials there were
    assert "the search went on. Trial 2 leads" in cautions_of(folder.root)["Grown since the winner was chosen"]
    write_selection(folder, finalists=[{"number": 0}, {"number": 2}], trials=3)
    assert "Grown since the winner was chosen" not in cautions_of(folder.root)
