from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sea_core.config import Config
from sea_core.errors import UserError
from sea_core.models.sea import SEA


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("temprature", 1, "unknown config key 'temprature' in my.yaml; did you mean 'temperature'?"),
        ("temperature", -0.1, "temperature must be > 0, got -0.1 (my.yaml)"),
        ("temperature", "hot", "temperature must be a number, got 'hot' (my.yaml)"),
        ("temperature", None, "temperature must not be null; expected a number (my.yaml)"),
        ("temperature", float("nan"), "temperature must be a finite number, got nan (my.yaml)"),
        ("temperature", float("inf"), "temperature must be a finite number, got inf (my.yaml)"),
        ("epochs", 1.5, "epochs must be a whole number, got 1.5 (my.yaml)"),
        ("epochs", True, "epochs must be a whole number, got True (my.yaml)"),
        ("club_clamp", 1, "club_clamp must be true or false, got 1 (my.yaml)"),
        ("split_ratio", 1.0, "split_ratio must be in (0, 1), got 1.0 (my.yaml)"),
        (
            "split_stage",
            "feature",
            "split_stage must be one of features, representation, got 'feature'; did you mean 'features'? (my.yaml)",
        ),
        ("alignment", "solosin", "alignment must be one of solosim, symmetric_infonce, none, got 'solosin' (my.yaml)"),
        ("alignment_items", "sample:1", "alignment_items must be all, sample:N (N >= 2) or batch, got 'sample:1'"),
        (
            "valid_metric",
            "recall",
            "valid_metric must be one of recall, ndcg, precision, map, then @K, with K from 1 to 10000, got 'recall'",
        ),
        ("item_graph_weights", {"image": 0.5}, "item_graph_weights must be non-negative weights that sum to 1"),
        ("modalities", {}, "modalities must be a map with at least one modality"),
        ("modalities", {"a.b": "x.npy"}, "modalities must be a map with at least one modality, named by letters"),
    ],
)
def test_a_wrong_value_is_one_line_that_says_what_was_expected(key: str, value: Any, message: str) -> None:
    with pytest.raises(UserError) as raised:
        Config.from_mapping({key: value}, source="my.yaml")
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    ("key", "most"), [("gnn_layers", 64), ("item_graph_layers", 64), ("club_steps", 100_000), ("latent_dim", 2**31 - 1)]
)
def test_a_number_that_would_never_end_is_refused(key: str, most: int) -> None:
    for value in (most + 1, 10**23):
        with pytest.raises(UserError, match=f"{key} must be at most {most}, got {value}"):
            Config(**{key: value})
    assert getattr(Config(**{key: most}), key) == most


def test_an_unknown_preset_suggests_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown preset 'relased'; did you mean 'released'\?"):
        Config.from_mapping({}, preset="relased")


def test_the_released_preset_is_the_table_of_departures() -> None:
    released = Config.from_mapping({}, preset="released").as_dict()
    paper = Config().as_dict()
    assert {key: value for key, value in released.items() if value != paper[key]} == SEA.presets["released"]


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "temperature": st.floats(1e-3, 10),
            "split_ratio": st.floats(0.01, 0.99),
            "gnn_layers": st.integers(0, 4),
            "stopping_decimals": st.none() | st.integers(0, 8),
            "club_clamp": st.booleans(),
            "bpr_log_base": st.sampled_from([2, "2", "e"]),
            "modalities": st.none() | st.just(["image", "text"]) | st.just({"audio": "a.npy"}),
        },
    )
)
def test_a_config_survives_its_plain_values(values: dict[str, Any]) -> None:
    config = Config.from_mapping(values)
    again = Config(**config.as_dict())
    assert again == config
    assert again.hash() == config.hash()
    assert config.override(knn_k=11).hash() != config.hash()


def test_the_order_of_modalities_is_part_of_the_hash() -> None:
    assert Config(modalities=["image", "text"]).hash() != Config(modalities=["text", "image"]).hash()  # type: ignore[arg-type]


def test_a_field_at_its_default_leaves_the_hash_alone() -> None:
    """Old records, written before a field existed, keep their hash."""
    assert Config().hash() == Config(temperature=0.2, knn_k=10).hash()
    assert Config(temperature=0.3).hash() == "d6b0453b9dcb6c88"


def test_metrics_are_a_list_whose_cut_offs_are_evaluated_beside_10_and_20():
    config = Config(metrics=["recall@5", "ndcg@50"], valid_metric="map@7")
    assert config.metrics == ("recall@5", "ndcg@50")
    assert config.ks == (5, 7, 10, 20, 50)
    assert config.as_dict()["metrics"] == ["recall@5", "ndcg@50"]
    assert Config.from_record(config.as_dict()) == config
    assert Config().hash() == Config(metrics=Config.metrics).hash()


@pytest.mark.parametrize(
    "wrong", [["recal@5"], ["recall@0"], [], ["recall@5", "recall@5"], ["recall@99999"], ["recall"]]
)
def test_metrics_that_cannot_be_are_refused(wrong):
    with pytest.raises(UserError, match="metrics must be a list without repetition, each one of"):
        Config(metrics=wrong)


def test_metrics_as_one_word_are_answered_with_what_to_write():
    with pytest.raises(UserError, match=r"metrics must be a list, got 'recall@5'; write \[recall@20, ndcg@20\]"):
        Config(metrics="recall@5")
