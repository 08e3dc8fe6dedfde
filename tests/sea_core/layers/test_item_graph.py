"""Weights of the modalities' item graphs: two are one number, three and more are equal or named."""

import pytest

from sea_core.config import Config
from sea_core.errors import UserError
from sea_core.layers.item_graph import item_graph_weights


def test_one_and_two_modalities() -> None:
    assert item_graph_weights(Config(), ("audio",)) == {"audio": 1.0}
    assert item_graph_weights(Config(image_weight=0.3), ("image", "text")) == {"image": 0.3, "text": 0.7}


def test_three_modalities_weigh_the_same_unless_each_is_named() -> None:
    names = ("image", "text", "vggish")
    assert item_graph_weights(Config(), names) == dict.fromkeys(names, 1 / 3)
    weights = {"text": 0.5, "vggish": 0.3, "image": 0.2}
    assert list(item_graph_weights(Config(item_graph_weights=weights), names).items()) == [
        ("image", 0.2),
        ("text", 0.5),
        ("vggish", 0.3),
    ]


def test_the_weight_of_one_modality_is_refused_with_three() -> None:
    with pytest.raises(
        UserError, match=r"image_weight is for two modalities.* item_graph_weights: \{image: 0\.33, text: 0\.33, audio"
    ):
        item_graph_weights(Config(image_weight=0.3), ("image", "text", "audio"))
    with pytest.raises(UserError, match="item_graph_weights must name each modality once"):
        item_graph_weights(Config(item_graph_weights={"image": 1.0}), ("image", "text", "audio"))
