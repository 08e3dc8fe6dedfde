"""Search spaces of models other than SEA."""

import pytest

from sea_core.config import Config
from sea_core.errors import UserError
from sea_core.models.registry import find_model, keys_read, model_names
from study.searching.space import check_space, load_space, parse_space, space_of_model

TRAINED = [name for name in model_names() if find_model(name).trains]


@pytest.mark.parametrize("model", TRAINED)
def test_every_trained_model_has_a_space_of_keys_that_it_reads(model: str) -> None:
    space = load_space(space_of_model(model))
    assert space.keys() <= keys_read(find_model(model))
    assert "learning_rate" in space
    check_space(space, model, source="the test")


@pytest.mark.parametrize("model", TRAINED)
def test_the_default_presets_of_mmrec_lie_within_their_space(model: str) -> None:
    config, space = Config.from_mapping({"model": model}), load_space(space_of_model(model))
    outside = [key for key in space if not space[key]._contains(space[key].to_internal_repr(getattr(config, key)))]
    assert outside == []


def test_a_parameter_that_the_model_does_not_read_is_refused_with_the_nearest() -> None:
    space = parse_space({"temperature": {"low": 0.1, "high": 1}}, "mine.yaml")
    with pytest.raises(UserError, match=r"mine.yaml searches 'temperature', which model 'bpr' does not read; the near"):
        check_space(space, "bpr", source="mine.yaml")


def test_a_model_without_a_space_asks_for_one() -> None:
    with pytest.raises(UserError, match="no search space of model 'popularity' is shipped; write one and give --space"):
        space_of_model("popularity")
