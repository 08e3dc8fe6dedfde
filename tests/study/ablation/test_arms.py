"""Arms as data: what a file may say, and what applying one changes."""

from pathlib import Path

import pytest

from sea_core.config import Config
from sea_core.errors import UserError
from sea_core.models.registry import model_names
from study.ablation.arms import load_arms, load_suite, read_arm
from study.ablation.plan import plan_ablation
from study.records.arm_names import FULL, arm_names, suite_names
from study.records.folder import StudyFolder
from tests.conftest import random_dataset

BOTH = ("image", "text")


def write_arm(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_the_arms_of_the_specification_are_all_there() -> None:
    assert arm_names() >= {
        *("full", "no-club", "no-solosim", "no-both", "negative-l2", "orthogonal", "subtraction", "symmetric-infonce"),
        *(
            "released-club",
            "unclamped-club",
            "zero-club",
            "no-item-graph",
            "no-user-item-graph",
            "image-only",
            "text-only",
        ),
        "split-representation",
    }


@pytest.mark.parametrize("name", sorted(arm_names()))
def test_a_shipped_arm_is_named_by_its_file_and_says_why_it_exists(name: str) -> None:
    arm = load_arms([name])[-1]
    assert arm.name == name
    assert len(arm.why) > 40


@pytest.mark.parametrize(
    "name", sorted(name for name in arm_names() if "knowledge" not in name and name not in model_names())
)
def test_an_arm_changes_exactly_the_keys_that_it_lists(name: str) -> None:
    arm, config = load_arms([name])[-1], Config()
    before, after = config.as_dict(), arm.apply(config, BOTH).as_dict()
    assert {key for key in before if before[key] != after[key]} == set(arm.changes)


def test_suites_start_with_full_and_all_holds_every_arm() -> None:
    suites = {name: [arm.name for arm in load_suite(name)] for name in suite_names()}
    assert all(names[0] == FULL and len(set(names)) == len(names) for names in suites.values())
    assert suites["default"] == ["full", "no-club", "no-solosim", "no-both"]
    assert suites["paper"] == [*suites["default"], "negative-l2"]
    assert suites["separation"] == ["full", "no-club", "released-club", "orthogonal", "subtraction"]
    assert suites["generalisation"] == suites["default"]
    assert suites["rivals-of-sea"] == ["full", "bpr", "lightgcn", "vbpr", "freedom"]
    assert set(suites["all"]) == arm_names()


def test_full_comes_first_even_if_it_was_not_asked_for() -> None:
    assert [arm.name for arm in load_arms(["no-both", "no-club", "no-both"])] == ["full", "no-both", "no-club"]


def test_removing_club_and_giving_it_no_weight_are_different_arms() -> None:
    _, removed, silent = (arm.apply(Config(), BOTH) for arm in load_arms(["no-club", "zero-club"]))
    assert (removed.distancing, removed.distance_weight) == ("none", Config().distance_weight)
    assert (silent.distancing, silent.distance_weight) == ("club", 0.0)


def test_keeping_a_modality_keeps_its_file_and_renormalises_the_item_graph() -> None:
    config = Config(
        modalities={"audio": "a.npy", "image": "b.npy", "text": "c.npy"},
        item_graph_weights={"audio": 0.5, "image": 0.2, "text": 0.3},
    )
    changed = load_arms(["text-only"])[-1].apply(config, ("audio", "image", "text"))
    assert changed.modalities == {"text": "c.npy"}
    assert changed.item_graph_weights == {"text": 1.0}


def test_image_only_says_what_to_do_where_there_is_no_image() -> None:
    with pytest.raises(UserError) as error:
        load_arms(["image-only"])[-1].apply(Config(), ("knowledge", "text"))
    assert "keeps modality 'image', but the data have knowledge, text; copy" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "config"), [("no-club", Config(distancing="none")), ("zero-club", Config(distance_weight=0))]
)
def test_an_arm_that_changes_nothing_here_is_refused(name: str, config: Config) -> None:
    with pytest.raises(UserError, match=f"arm '{name}' changes nothing: dist.* is what the config has already"):
        load_arms([name])[-1].apply(config, BOTH)


def test_the_released_fit_needs_two_modalities() -> None:
    with pytest.raises(UserError, match="needs exactly two modalities; here they are audio, image, text"):
        load_arms(["released-club"])[-1].apply(Config(), ("audio", "image", "text"))


def test_an_arm_of_ones_own_is_a_file(tmp_path: Path) -> None:
    path = write_arm(tmp_path / "mine.yaml", "name: deep\ntitle: four layers\nchanges: {gnn_layers: 4}\nwhy: to see\n")
    assert load_arms([str(path)])[-1].apply(Config(), BOTH) == Config(gnn_layers=4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "name: a\ntitle: b\nchanges: {gnn_layer: 1}\nwhy: c",
            "unknown config key 'gnn_layer'.*did you mean 'gnn_layers'",
        ),
        ("name: a\ntitle: b\nchanges: {gnn_layers: -1}\nwhy: c", "gnn_layers must be >= 0, got -1"),
        ("name: a\ntitle: b\nchanges: {}\nwhy: c", "changes is empty"),
        ("name: a\ntitle: b\nchanges: 3\nwhy: c", "changes must map"),
        ("name: a\ntitle: b\nwhy: c", "missing key 'changes'"),
        ("name: ../a\ntitle: b\nchanges: {gnn_layers: 1}\nwhy: c", "name must be letters.*'../a'"),
        ("name: 3\ntitle: b\nchanges: {gnn_layers: 1}\nwhy: c", "name must be letters.*got 3"),
        (
            "name: a\ntitle: b\nchanges: {gnn_layers: 1}\nwhy: c\nexpect: {}",
            "unknown key 'expect'; did you mean 'expects'",
        ),
        ("name: a\ntitle: b\nchanges: {gnn_layers: 1}\nwhy: c\nexpects: {removes: x}", "lists of weights"),
        ("name: a\ntitle: ''\nchanges: {gnn_layers: 1}\nwhy: c", "title and why must be text"),
        ("name: a\ntitle: [", r"mine\.yaml, line 2"),
        ("- a", "expected"),
    ],
)
def test_a_faulty_arm_is_named_with_its_fault_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = write_arm(tmp_path / "mine.yaml", text)
    with pytest.raises(UserError, match=message) as error:
        read_arm(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_unknown_names_get_a_suggestion() -> None:
    with pytest.raises(UserError, match=r"unknown arm 'no-clubs'; did you mean 'no-club'\?"):
        load_arms(["no-clubs"])
    with pytest.raises(UserError, match=r"unknown suite 'papers'; did you mean 'paper'\?"):
        load_suite("papers")
    with pytest.raises(UserError, match=r"unknown arm '\.\./suites'"):
        load_arms(["../suites"])


def test_two_arms_of_one_name_are_refused(tmp_path: Path) -> None:
    path = write_arm(tmp_path / "mine.yaml", "name: no-club\ntitle: b\nchanges: {gnn_layers: 1}\nwhy: c\n")
    with pytest.raises(UserError, match="two arms are named 'no-club'"):
        load_arms(["no-club", str(path)])


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        (
            "image-only",
            "arm 'image-only' changes 'modalities', which model 'bpr' does not read; it has no item features",
        ),
        ("zero-text", "arm 'zero-text' changes 'feature_transform', which model 'bpr' does not read"),
        (
            "no-club",
            "arm 'no-club' changes 'distancing', which model 'bpr' does not read; the nearest key that it reads",
        ),
    ],
)
def test_an_arm_of_what_the_model_does_not_have_is_refused(arm: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_arms([arm])[-1].apply(Config.from_mapping({"model": "bpr"}), BOTH)


def test_the_full_arm_is_called_by_its_model(tmp_path: Path) -> None:
    dataset = random_dataset()
    titles = {}
    for model in ("sea", "vbpr+sea"):
        config, folder = Config.from_mapping({"model": model}), StudyFolder(tmp_path / model)
        plan = plan_ablation(load_arms(["no-club"]), config, dataset, seeds=[1], folder=folder)
        titles[model] = [run.run.extra["arm_title"] for run in plan.runs]
    assert titles == {"sea": ["SEA (full)", "w/o CLUB"], "vbpr+sea": ["VBPR + SEA (full)", "w/o CLUB"]}
