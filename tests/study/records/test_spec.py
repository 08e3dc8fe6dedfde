"""What a study is: read back as written, hashed as before, compared choice by choice."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from sea_core.config import Config
from sea_core.errors import UserError
from study.records.folder import StudyFolder
from study.records.spec import StudySpec, check_spec, read_spec, write_spec

OLD = Path(__file__).parents[1] / "old_studies" / "v1"
SPEC = StudySpec(
    study="s",
    dataset="tiny",
    source="synthetic",
    data_hash="d" * 16,
    sampler="tpe",
    pruner="median",
    space={"temperature": {"low": 0.1, "high": 1.0}},
    config=Config().as_dict(),
    seeds_per_trial=2,
    first=[{"temperature": 0.2}],
)


def test_what_is_written_is_read_back_with_its_fingerprint(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    assert read_spec(folder) is None
    write_spec(folder, SPEC)
    assert read_spec(folder) == SPEC
    spec = read_spec(folder)
    assert spec is not None
    assert spec.fingerprint() == SPEC.fingerprint()


def test_an_old_study_has_the_fingerprint_that_its_storage_was_marked_with() -> None:
    spec = read_spec(StudyFolder(OLD))
    assert spec is not None
    # ``identity_hash(read_identity(...))`` of the version before ``StudySpec``.
    assert spec.fingerprint() == "5e7450132c005d31"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"seed": 3}, ["seed: was 999, now 3"]),
        ({"seeds_per_trial": 1}, ["seeds_per_trial: was 2, now absent"]),
        ({"config": {**Config().as_dict(), "temperature": 0.3}}, ["config.temperature: was 0.2, now 0.3"]),
        ({"study": "t", "source": "elsewhere", "first": (), "final_epochs": 7}, []),
    ],
)
def test_differences_name_the_choice_and_both_values(change: dict[str, Any], expected: list[str]) -> None:
    wanted = replace(SPEC, **change)
    assert SPEC.differences(wanted) == expected
    assert (SPEC.fingerprint() == wanted.fingerprint()) == (not expected)


def test_a_study_of_other_settings_is_refused_with_the_difference(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    assert not check_spec(folder, SPEC)
    write_spec(folder, SPEC)
    assert check_spec(folder, SPEC)
    with pytest.raises(UserError, match=r"made with other settings .*sampler: was tpe, now random"):
        check_spec(folder, replace(SPEC, sampler="random"))


def test_a_refused_space_is_a_line_that_can_be_read(tmp_path: Path) -> None:
    names = [f"parameter_{number}" for number in range(9)]
    ranges = {"low": 0.05, "high": 1.0, "log": True}, {"choices": [3, 5]}, {"choices": list(range(100))}
    old, new, long = (replace(SPEC, space=dict.fromkeys(names, each)) for each in ranges)
    folder = StudyFolder(tmp_path)
    write_spec(folder, old)
    for other in (new, long):
        with pytest.raises(UserError) as refused:
            check_spec(folder, other)
        assert len(str(refused.value).replace(str(tmp_path), "")) < 600
        assert "space.parameter_0: was 0.05 to 1.0 on a log scale, now one of " in str(refused.value)
        assert "; and 6 more)" in str(refused.value)
        assert "{" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"schema_version": 2}, "newer version"),
        ({"config": "text"}, "no map named config"),
        ({"seed": "one"}, "no whole number named seed"),
        ({"first": 3}, "list named first"),
    ],
)
def test_a_damaged_file_is_named_with_what_it_lacks(content: dict[str, Any], message: str, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    folder.identity.write_text(yaml.safe_dump(SPEC.as_dict() | content))
    with pytest.raises(UserError, match=message):
        read_spec(folder)
