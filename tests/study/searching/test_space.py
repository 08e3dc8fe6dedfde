from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from sea_core.config import Config
from sea_core.errors import UserError
from study.searching.space import (
    SHIPPED,
    as_plain,
    contains,
    describe,
    grid,
    load_space,
    parse_first,
    parse_space,
    read_space,
)


def test_a_range_is_whole_exactly_where_its_config_field_is() -> None:
    space = parse_space({"gnn_layers": {"low": 1, "high": 4}, "split_ratio": {"low": 0.1, "high": 0.9}}, source="x")
    assert space == {"gnn_layers": IntDistribution(1, 4), "split_ratio": FloatDistribution(0.1, 0.9)}


def test_the_default_space_is_the_documented_one() -> None:
    assert as_plain(load_space("default")) == {
        "alignment_weight": {"low": 1e-3, "high": 1.0, "log": True},
        "distance_weight": {"low": 1e-4, "high": 1.0, "log": True},
        "temperature": {"low": 0.05, "high": 1.0, "log": True},
        "split_ratio": {"low": 0.1, "high": 0.9},
        "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
        "knn_k": {"choices": [5, 10, 20]},
        "image_weight": {"low": 0.0, "high": 1.0},
        "gnn_layers": {"low": 1, "high": 4},
        "item_graph_layers": {"low": 0, "high": 3},
    }


def test_every_parameter_of_the_default_space_has_a_sweep_inside_its_range() -> None:
    default = load_space("default")
    sweeps = [load_space(path.stem) for path in SHIPPED.glob("sweep-*.yaml")]
    assert {name for sweep in sweeps for name in sweep} == set(default)
    for sweep in sweeps:
        ((name, _),) = sweep.items()
        for cell in grid(sweep):
            assert default[name]._contains(default[name].to_internal_repr(cell[name])), cell


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_space_survives_being_stored_and_shows_each_parameter(path: Path) -> None:
    space = load_space(path.stem)
    assert parse_space(as_plain(space), source="stored") == space
    assert [line.partition(":")[0] for line in describe(space)] == list(space)


def test_a_grid_is_the_product_with_the_last_parameter_fastest() -> None:
    space = parse_space(
        {
            "knn_k": {"choices": [5, 10]},
            "gnn_layers": {"low": 1, "high": 2},
            "split_ratio": {"low": 0.2, "high": 0.6, "step": 0.2},
        },
        source="x",
    )
    cells = grid(space)
    assert [(cell["knn_k"], cell["gnn_layers"]) for cell in cells[::3]] == [(5, 1), (5, 2), (10, 1), (10, 2)]
    assert [cell["split_ratio"] for cell in cells[:3]] == pytest.approx([0.2, 0.4, 0.6])
    assert len(cells) == 12


def test_a_grid_over_a_continuous_range_says_what_to_do() -> None:
    space = parse_space({"knn_k": {"choices": [5]}, "temperature": {"low": 0.1, "high": 1.0}}, source="x")
    with pytest.raises(UserError, match=r"temperature is a continuous range.*'step'.*'choices'"):
        grid(space)


@settings(deadline=None)
@given(st.floats(0.05, 0.9), st.floats(0.05, 0.9), st.booleans())
def test_every_value_of_a_legal_range_is_a_legal_config(one: float, other: float, log: bool) -> None:
    low, high = sorted((one, other))
    space = parse_space({"split_ratio": {"low": low, "high": high, "log": log}}, source="x")
    assert (
        Config(split_ratio=space["split_ratio"].low).split_ratio
        <= Config(split_ratio=space["split_ratio"].high).split_ratio
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"temprature": {"low": 0.1, "high": 1}}, r"unknown config key 'temprature' in s; did you mean 'temperature'"),
        ({"temperature": {"lo": 0.1, "high": 1}}, r"unknown entry 'lo' of temperature in s; did you mean 'low'"),
        ({"temperature": {"low": 0.1}}, r"temperature in s lacks 'high'"),
        ({"temperature": {"low": 2, "high": 1}}, r"low of temperature in s must be <= high, got low 2.0 and high 1.0"),
        (
            {"image_weight": {"low": 0, "high": 1, "log": True}},
            r"low of image_weight in s must be > 0 on a log scale, got 0.0",
        ),
        ({"temperature": {"low": -1, "high": 1}}, r"temperature must be > 0, got -1.0 \(temperature in s\)"),
        ({"split_ratio": {"low": 0.1, "high": 1}}, r"split_ratio must be in \(0, 1\), got 1.0"),
        ({"temperature": {"low": "a", "high": 1}}, r"bounds of temperature in s must be finite numbers, got 'a'"),
        ({"temperature": {"low": 0.1, "high": float("nan")}}, r"finite numbers, got nan"),
        ({"temperature": 0.3}, r"temperature in s must be \{low, high\} or \{choices: \[...\]\}, got 0.3"),
        ({"temperature": {"low": 0.1, "high": 1, "log": "yes"}}, r"log of temperature in s must be true or false"),
        ({"temperature": {"low": 0.1, "high": 1, "log": True, "step": 0.1}}, r"both log and step"),
        ({"temperature": {"low": 0.1, "high": 1, "step": 0.4}}, r"step of temperature in s must divide the range"),
        ({"temperature": {"low": 0.1, "high": 1, "step": 0}}, r"step of temperature in s must be > 0"),
        ({"gnn_layers": {"low": 1, "high": 4, "step": 0.5}}, r"step of gnn_layers in s must be a whole number"),
        ({"gnn_layers": {"low": 1.5, "high": 4}}, r"gnn_layers must be a whole number, got 1.5"),
        ({"knn_k": {"choices": []}}, r"choices of knn_k in s must be a list with at least one value"),
        ({"knn_k": {"choices": 5}}, r"choices of knn_k in s must be a list"),
        ({"knn_k": {"choices": [5, 5]}}, r"choices of knn_k in s repeat a value"),
        ({"knn_k": {"choices": [5, 0]}}, r"knn_k must be >= 1, got 0"),
        ({"knn_k": {"choices": [5], "low": 1}}, r"unknown entry 'low' of knn_k"),
        ({"alignment": {"low": 1, "high": 2}}, r"alignment must be a string, got 1"),
        ({"club_clamp": {"low": 0, "high": 1}}, r"club_clamp must be true or false"),
        ({"modalities": {"choices": [["image"]]}}, r"choices of modalities in s must be numbers, strings"),
        ({"epochs": {"low": 1, "high": 9}}, r"epochs cannot be searched"),
        ({"valid_metric": {"choices": ["recall@20"]}}, r"valid_metric cannot be searched"),
        ({"model": {"choices": ["sea", "bpr"]}}, r"model cannot be searched \(s\).*search each with --model NAME"),
        ({}, r"s names no config key"),
    ],
)
def test_a_bad_space_is_one_line_that_helps(content: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        parse_space(content, source="s")
    assert "\n" not in str(caught.value)


def test_choices_may_be_any_scalar() -> None:
    content = {
        "alignment": {"choices": ["solosim", "none"]},
        "club_clamp": {"choices": [True, False]},
        "feature_rank": {"choices": [None, 8]},
    }
    space = parse_space(content, source="x")
    assert space["club_clamp"] == CategoricalDistribution([True, False])
    assert grid(space)[-1] == {"alignment": "none", "club_clamp": False, "feature_rank": 8}


def test_unknown_names_and_unreadable_files_are_user_errors(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown search space 'defalt'; did you mean 'default'"):
        load_space("defalt")
    with pytest.raises(UserError, match="unknown search space"):
        load_space("../spaces/default")
    with pytest.raises(UserError, match="cannot read"):
        load_space(str(tmp_path / "none.yaml"))
    (tmp_path / "bad.yaml").write_text("temperature: {low: 0.1\n")
    with pytest.raises(UserError, match=r"bad\.yaml, line 2"):
        load_space(str(tmp_path / "bad.yaml"))
    (tmp_path / "good.yaml").write_text("temperature: {low: 1e-2, high: 1, log: true}\n")
    assert load_space(str(tmp_path / "good.yaml")) == {"temperature": FloatDistribution(0.01, 1.0, log=True)}


def test_the_default_space_tries_the_settings_that_need_no_search_first() -> None:
    content, source = read_space("default")
    assert parse_first(content, source) == [
        {"learning_rate": 1e-3},
        {"learning_rate": 1e-3, "alignment_weight": 0.1, "temperature": 0.2, "distance_weight": 0.006},
    ]
    space = load_space("default")
    base = {name: getattr(Config(), name) for name in space}
    assert all(contains(space[name], value) for name, value in base.items())


@pytest.mark.parametrize(
    ("first", "message"),
    [
        ({"temperature": 0.2}, "must be a list of settings like"),
        ([{}], "must be a list of settings like"),
        ([0.2], "must be a list of settings like"),
        ([{"temperatur": 0.2}], "'temperatur', which is not searched; did you mean 'temperature'"),
        ([{"learning_rate": 1e-3}], "'learning_rate', which is not searched"),
        ([{"temperature": 2.0}], "sets temperature to 2.0, outside its range there"),
        ([{"temperature": "warm"}], "temperature must be a number"),
    ],
)
def test_a_first_list_that_the_space_cannot_have_is_refused(first: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_first({"temperature": {"low": 0.1, "high": 1}, "first": first}, "my.yaml")


def test_a_space_of_nothing_but_first_settings_is_refused() -> None:
    with pytest.raises(UserError, match="names no config key"):
        parse_space({"first": [{"temperature": 0.2}]}, "my.yaml")
