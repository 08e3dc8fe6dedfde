"""What comes before the sampler's proposals."""

from sea_core.config import Config
from study.planning.study_plan import first_trials
from study.searching.space import parse_space

SPACE = parse_space(
    {"temperature": {"low": 0.1, "high": 1.0}, "knn_k": {"choices": [5, 10]}, "gnn_layers": {"low": 1, "high": 3}},
    "test",
)
BASE = Config(temperature=0.3, knn_k=5)
DEFAULT = {"temperature": 0.3, "knn_k": 5, "gnn_layers": 2}


def test_the_base_configuration_comes_first_then_the_spaces_settings_then_a_warm_start() -> None:
    first = first_trials(BASE, SPACE, [{"temperature": 0.5}, {"knn_k": 10}], [{"gnn_layers": 1}])
    assert first == [DEFAULT, DEFAULT | {"temperature": 0.5}, DEFAULT | {"knn_k": 10}, {"gnn_layers": 1}]


def test_equal_trials_come_once() -> None:
    first = first_trials(BASE, SPACE, [{"temperature": 0.3}], [DEFAULT, {"knn_k": 10}, {"knn_k": 10}])
    assert first == [DEFAULT, {"knn_k": 10}]


def test_what_lies_outside_the_space_is_no_trial() -> None:
    outside = BASE.override(knn_k=20)
    assert first_trials(outside, SPACE, [{"temperature": 0.5}, {"knn_k": 10}], []) == [DEFAULT | {"knn_k": 10}]


def test_settings_of_a_parameter_that_is_not_searched_are_left_out() -> None:
    less = {"temperature": SPACE["temperature"]}
    assert first_trials(BASE, less, [{"knn_k": 10}, {"temperature": 0.5, "knn_k": 10}], []) == [
        {"temperature": 0.3},
        {"temperature": 0.5},
    ]
