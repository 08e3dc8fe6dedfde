import json
from pathlib import Path
from typing import Any

import pytest

from study.analysis.results import Results
from study.planning.estimate import (
    Probe,
    estimate,
    expected_share,
    missing_runs,
    planned_runs,
)
from study.planning.requests import SearchRequest
from study.planning.study_plan import TYPICAL_EPOCHS, StudyPlan, plan_study
from study.records.durations import exact_duration
from study.records.study import load_study
from study.records.summary import write_summary
from study.reporting.conclusion import conclusion
from tests.study.small_searches import search


def planned(tmp_path: Path, **asked: Any) -> StudyPlan:
    return plan_study(SearchRequest(out=tmp_path, **asked))


def test_an_estimate_counts_every_run_and_what_the_pruner_saves(tmp_path: Path) -> None:
    probe = Probe(setup=1.0, epoch=0.5)
    plan = planned(tmp_path, n_trials=10, epochs=20, final_epochs=20, pruner="none", fresh_seeds=2)
    counts = planned_runs(plan, ["full", "no-club"], finalize=True)
    assert list(counts.values()) == [10, 8, 2, 2, 2]
    assert estimate(plan, probe, counts, workers=1) == (24 * 11, 24 * 11)
    assert estimate(plan, probe, counts, workers=2).likely == 12 * 11
    pruned = planned(tmp_path, n_trials=10, epochs=20, final_epochs=20, fresh_seeds=2, pruner="median")
    # Of the five trials after the first five, half stop after a quarter of their epochs.
    assert estimate(pruned, probe, counts, workers=1) == (24 * 11 - 2.5 * 15 * 0.5, 24 * 11)
    seeds = planned(tmp_path, n_trials=10, epochs=20, final_epochs=20, seeds_per_trial=4)
    counts = planned_runs(seeds, [], finalize=False)
    assert counts == {"10 trials x up to 4 seeds": 40}
    # All see one seed, half a second one, a quarter the last two.
    assert estimate(seeds, probe, counts, workers=1) == (10 * (1 + 0.5 + 2 * 0.25) * 11, 40 * 11)


def test_runs_that_may_learn_for_long_are_expected_to_stop_early(tmp_path: Path) -> None:
    probe = Probe(setup=1.0, epoch=0.5)
    plan = planned(tmp_path, n_trials=10, epochs=20, final_epochs=1000, pruner="none", fresh_seeds=2)
    counts = planned_runs(plan, ["full"], finalize=True)
    expected = estimate(plan, probe, counts, workers=1)
    assert expected == (10 * 11 + 12 * (1 + 0.5 * TYPICAL_EPOCHS), 10 * 11 + 12 * 501)


def test_what_pruners_leave_lies_between_their_least_and_everything() -> None:
    assert expected_share("none", trials=10, epochs=40, seeds=1) == 1
    assert expected_share("median", trials=5, epochs=40, seeds=1) == 1, "the first five run to their end"
    halving = expected_share("halving", trials=10, epochs=27, seeds=1)
    assert halving == pytest.approx((1 + 2 / 3 + 6 / 9 + 18 / 27) / 27)
    assert halving < expected_share("hyperband", trials=10, epochs=27, seeds=1) < 1
    for pruner in ("median", "patient", "halving", "hyperband"):
        for epochs, seeds in ((1, 1), (40, 1), (40, 2), (40, 5)):
            assert 0 < expected_share(pruner, trials=20, epochs=epochs, seeds=seeds) <= 1


def test_the_error_of_an_estimate_is_reported_and_kept(tmp_path: Path) -> None:
    search(tmp_path, 2)
    study = load_study(tmp_path / "tiny")
    assert write_summary(study, seconds=212.0, expected=190.0)["estimate"]["error"] == pytest.approx(212 / 190 - 1)
    spoken = "estimated 3 min 10 s, took 3 min 32 s (+12 %), tables and figures not counted"
    assert spoken in conclusion(Results([study]), {})
    write_summary(study, seconds=5.0)
    kept = json.loads((tmp_path / "tiny/summary.json").read_text())
    assert kept["estimate"]["seconds"] == 190
    assert kept["seconds"] == 217
    search(tmp_path, 3)
    assert write_summary(load_study(tmp_path / "tiny"), seconds=1.0)["estimate"] is None, "searched on since"


def test_of_a_study_of_seconds_no_percentage_is_told(tmp_path: Path) -> None:
    """Start-up is most of it: +1250 % would say nothing about the estimate."""
    search(tmp_path, 2)
    study = load_study(tmp_path / "tiny")
    write_summary(study, seconds=27.0, expected=2.0)
    assert "estimated 2.0 s, took 27.0 s, tables and figures not counted" in conclusion(Results([study]), {})


def test_durations_to_compare_have_two_steps() -> None:
    assert [exact_duration(s) for s in (4.25, 59.0, 60, 190, 3599.6, 7500)] == [
        "4.2 s", "59.0 s", "1 min 0 s", "3 min 10 s", "1 h 0 min", "2 h 5 min",
    ]  # fmt: skip


def test_what_is_finished_is_not_estimated_again(tmp_path: Path) -> None:
    plan = planned(tmp_path, n_trials=3, epochs=20, finalists=2, fresh_seeds=2)
    counts = planned_runs(plan, ["full", "no-club"], finalize=True)
    assert list(counts.values()) == [3, 6, 2, 2, 2]
    assert missing_runs(plan, counts, ["full", "no-club"]) == counts

    def finish(*names: str) -> list[int]:
        for name in names:
            folder = plan.folder.root / name
            folder.mkdir(parents=True)
            (folder / "record.json").touch()
        return list(missing_runs(plan, counts, ["full", "no-club"]).values())

    # A finalist of a smaller search may not compete again.
    assert finish("trials/0", "trials/1", "final/finalists/0/seed-5") == [1, 6, 2, 2, 2]
    assert finish("trials/2") == [0, 5, 2, 2, 2]
    assert finish("final/winner/seed-5", "ablations/frozen/full/seed-5", "ablations/frozen/no-club/seed-5") == [
        *(0, 5, 1, 2, 1),
    ]
    # The winner was the base configuration: it was one of two finalists, and needs no run beside itself.
    entries = [{"number": 0}, {"number": 1}]
    selection = {"finalists": entries, "winner": 0, "default": 0, "shrinkage": {}, "tuning": None}
    plan.folder.selection.write_text(json.dumps(selection))
    assert finish("final/winner/seed-6") == [0, 0, 0, 0, 1]
    plan.folder.selection.write_text(json.dumps(selection | {"winner": 1}))
    assert finish() == [0, 5, 0, 2, 1]
    plan.folder.selection.write_text(json.dumps(selection | {"winner": 1, "tuning": {}}))
    assert finish() == [0, 0, 0, 0, 1]
