"""What a plan says about the model and its modalities before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sea_core.errors import UserError
from study.ablation.setup import plan_one
from study.planning.requests import AblationRequest, SearchRequest
from study.planning.study_plan import plan_study
from study.records.folder import StudyFolder
from study.records.spec import write_spec

DATA = "synthetic:users=40,items=30,interactions=8,dims=8/6"
TEXT_ALONE = {"modalities": {"text": "text_feat.npy"}}

pytestmark = pytest.mark.usefixtures("cache_folder")


def search(tmp_path: Path, **wanted: Any) -> SearchRequest:
    return SearchRequest(dataset=DATA, out=tmp_path, **wanted)


def ablation(tmp_path: Path, **wanted: Any) -> AblationRequest:
    return AblationRequest(dataset=DATA, out=tmp_path, **wanted)


@pytest.mark.parametrize("suite", ["modalities", "default", "generalisation"])
def test_a_suite_without_an_arm_for_the_model_is_refused_with_the_reason(tmp_path: Path, suite: str) -> None:
    message = (
        rf"no arm of the suite {suite} applies to bpr on .*: arm '.*' changes '.*', which model 'bpr' does not read"
    )
    with pytest.raises(UserError, match=message):
        plan_one(ablation(tmp_path, model="bpr", suite=suite))


def test_a_suite_with_some_arms_for_the_model_leaves_the_others_out(tmp_path: Path) -> None:
    planned = plan_one(ablation(tmp_path, model="freedom", suite="modalities"))
    assert planned.frozen is not None
    names = {planned_run.arm.name for planned_run in planned.frozen.runs}
    assert {"full", "text-only", "image-only", "zero-image", "random-features"} <= names
    assert not any("knowledge" in name for name in names)


def test_a_model_that_is_not_trained_has_nothing_to_search(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'popularity' is not trained, so there is nothing to search"):
        plan_study(search(tmp_path, model="popularity"))


@pytest.mark.parametrize("model", ["sea", "vbpr+sea", "freedom+sea"])
def test_with_one_modality_nothing_is_searched_that_needs_two(tmp_path: Path, model: str) -> None:
    two = plan_study(search(tmp_path, model=model))
    one = plan_study(search(tmp_path, model=model, settings=TEXT_ALONE))
    left_out = set(two.space) - set(one.space)
    assert left_out == set(two.space) & {"alignment_weight", "temperature", "image_weight"}
    assert "alignment_weight" in left_out
    assert any(note.startswith("one modality, so not searched") for note in one.notes)
    assert not any("one modality" in note for note in two.notes)


def test_a_study_that_searched_them_goes_on_as_it_began(tmp_path: Path) -> None:
    two, one = plan_study(search(tmp_path)), plan_study(search(tmp_path, settings=TEXT_ALONE))
    folder = StudyFolder(one.folder.root)
    folder.root.mkdir(parents=True)
    write_spec(folder, one.spec.__class__(**{**vars(one.spec), "space": two.spec.space, "first": two.spec.first}))
    assert set(plan_study(search(tmp_path, settings=TEXT_ALONE)).space) == set(two.space)


def test_freedom_with_one_modality_is_searched_as_with_two_but_for_their_weight(tmp_path: Path) -> None:
    two = plan_study(search(tmp_path, model="freedom"))
    one = plan_study(search(tmp_path, model="freedom", settings=TEXT_ALONE))
    assert set(one.space) == set(two.space) - {"image_weight"}


def test_a_study_may_be_named_after_a_backbone_with_seas_losses(tmp_path: Path) -> None:
    assert plan_study(search(tmp_path, model="vbpr+sea", study_name="tiny-vbpr+sea")).folder.name == "tiny-vbpr+sea"
