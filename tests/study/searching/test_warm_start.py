"""Warm starts: what is taken over from one study or several, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sea_core.errors import UserError
from study.planning.requests import SearchRequest
from study.records.folder import StudyFolder
from study.records.spec import read_spec
from study.searching.space import parse_space
from study.searching.warm_start import TAKEN, warm_start
from tests.plots.tiny_study import write_run
from tests.study.small_searches import SPACE, search

RANGES: dict[str, Any] = {
    "temperature": {"low": 0.05, "high": 1.0, "log": True},
    "gnn_layers": {"low": 1, "high": 4},
}
WANTED = parse_space(RANGES, source="test")


def write(root: Path, name: str, trials: list[tuple[float, dict[str, Any]]], **identity: Any) -> Path:
    """A study of complete trials with these values and parameters."""
    folder = StudyFolder(root / name)
    for number, (value, params) in enumerate(trials):
        trial = {"number": number, "state": "complete", "value": value, "params": params}
        write_run(folder.trial(number), seed=1, epochs=1, users=3, trial=trial)
    folder.identity.write_text(yaml.safe_dump({"dataset": name, "space": RANGES, **identity}))
    return folder.root


def at(temperature: float, layers: int = 2) -> dict[str, Any]:
    return {"temperature": temperature, "gnn_layers": layers}


def test_one_study_gives_its_best_trials_as_far_as_they_fit(tmp_path: Path) -> None:
    search(tmp_path, 10, pruner="none")
    study = tmp_path / "tiny"
    whole = warm_start([study], parse_space(SPACE, source="x"))
    assert len(whole.trials) == TAKEN
    assert whole.notes == ["warm start from tiny: 5 of its best 5 trials are taken over"]
    part = warm_start([study], parse_space({"temperature": SPACE["temperature"]}, source="x"))
    assert part.trials[0] == {"temperature": whole.trials[0]["temperature"]}
    assert "without split_ratio (not searched here)" in part.notes[0]


def test_trials_are_ordered_by_their_rank_averaged_over_studies(tmp_path: Path) -> None:
    """Scores of two datasets cannot be compared; what is good on both comes before the best of either."""
    one = write(tmp_path, "one", [(0.9, at(0.9)), (0.8, at(0.2)), (0.7, at(0.5)), (0.6, at(0.06)), (0.5, at(0.07))])
    two = write(tmp_path, "two", [(0.05, at(0.06)), (0.04, at(0.2)), (0.03, at(0.5)), (0.02, at(0.9)), (0.01, at(1.0))])
    alone = warm_start([one], WANTED).trials
    assert alone[0] == at(0.9)
    both = warm_start([one, two], WANTED)
    assert both.trials[0] == at(0.2)
    assert len(both.trials) == TAKEN
    assert all(both.trials.count(each) == 1 for each in both.trials)


def test_the_number_is_bounded_however_many_studies_there_are(tmp_path: Path) -> None:
    studies = [write(tmp_path, f"s{n}", [(0.1 * k, at(0.05 + 0.1 * k + 0.01 * n)) for k in range(8)]) for n in range(4)]
    joint = warm_start(studies, WANTED)
    assert len(joint.trials) == TAKEN
    assert len(joint.notes) == 4


def test_what_could_be_used_and_what_not_is_said(tmp_path: Path) -> None:
    trials = [(0.3, {"temperature": 3.0, "knn_k": 5, "gnn_layers": 2}), (0.2, {"temperature": 0.5, "gnn_layers": 3})]
    other = write(tmp_path, "other", trials)
    taken = warm_start([other], parse_space({**RANGES, "split_ratio": {"low": 0.1, "high": 0.9}}, source="x"))
    assert taken.trials == [{"gnn_layers": 2}, at(0.5, 3)]
    (note,) = taken.notes
    assert "without temperature 3.0 (outside its range here), knn_k (not searched here)" in note
    assert "it says nothing of split_ratio" in note


def test_what_another_study_fixed_counts_when_its_ranks_are_asked_for(tmp_path: Path) -> None:
    """Study two never searched the number of layers; its trials had the default, 2."""
    one = write(tmp_path, "one", [(0.9, at(0.3, 4)), (0.8, at(0.3, 2))])
    two = write(tmp_path, "two", [(0.9, {"temperature": 0.3}), (0.1, {"temperature": 0.9})])
    assert warm_start([one, two], WANTED).trials[0] in ({"temperature": 0.3}, at(0.3, 4))


def test_bad_sources_are_named(tmp_path: Path) -> None:
    good = write(tmp_path, "good", [(0.1, at(0.2))])
    with pytest.raises(UserError, match="no study folder"):
        warm_start([good, tmp_path / "nowhere"], WANTED)
    (tmp_path / "foreign").mkdir()
    with pytest.raises(UserError, match="holds no finished run"):
        warm_start([good, tmp_path / "foreign"], WANTED)
    damaged = write(tmp_path, "damaged", [(0.1, at(0.2))])
    (damaged / "trials" / "0" / "record.json").write_text("{")
    with pytest.raises(UserError, match=r"damaged.*record\.json"):
        warm_start([good, damaged], WANTED)
    with pytest.raises(UserError, match="is a study of model 'sea', this one is of 'bpr'"):
        warm_start([good], WANTED, "bpr")
    elsewhere = write(tmp_path, "elsewhere", [(0.1, {"knn_k": 5})])
    with pytest.raises(UserError, match=r"parameters of this search space .*: it has knn_k \(not searched here\)"):
        warm_start([good, elsewhere], WANTED)


def test_one_source_may_be_given_by_itself() -> None:
    assert SearchRequest(warm_start="a").warm_start == ("a",)  # type: ignore[arg-type]
    assert SearchRequest(warm_start=["a", "b"]).warm_start == ("a", "b")  # type: ignore[arg-type]


def test_a_study_from_before_names_its_only_source(tmp_path: Path) -> None:
    folder = StudyFolder(write(tmp_path, "old", [(0.1, at(0.2))], warm_start=[at(0.2)], warm_start_from="older"))
    spec = read_spec(folder)
    assert spec is not None
    assert list(spec.warm_start_from) == ["older"]
