"""A model from one file of the user's own."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from sea_core.config import Config
from sea_core.errors import UserError
from sea_core.models import registry
from sea_core.models.protocol import TrainedModel
from sea_core.models.registry import find_model, keys_read, model_names, register
from sea_core.run_folder import read_run_folder, write_run_folder
from sea_core.training.run import TrainingRun
from tests.conftest import random_dataset

FILE = (Path(__file__).parents[2] / "toy_model.py").read_text()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "toy.py"
    path.write_text(FILE)
    yield path
    registry._REGISTERED.pop("toy", None)


def load(path: Path) -> None:
    spec = importlib.util.spec_from_file_location("toy", path)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_a_model_of_one_file_trains_and_leaves_a_record_that_is_read_again(file: Path, tmp_path: Path) -> None:
    load(file)
    load(file)  # a second time replaces the first
    config = Config.from_mapping({"model": "toy", "epochs": 5, "batch_size": 64})
    run = TrainingRun(config, random_dataset(), seed=1)
    while not run.finished:
        run.advance()
    assert run.reports[-1].losses["bpr"] < run.reports[0].losses["bpr"]
    write_run_folder(tmp_path / "run", run, keep_embeddings=True)
    read_back = read_run_folder(tmp_path / "run")
    assert read_back.config == config
    assert config.as_dict()["latent_dim"] == 3
    embeddings = read_back.read_embeddings()
    assert embeddings is not None
    assert torch.equal(embeddings["user"], run.best.user_embedding)
    assert "toy" in model_names()
    assert "temperature" not in keys_read(find_model("toy"))


def test_a_record_of_a_model_that_is_not_loaded_says_so(file: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"unknown model 'toy'.*--plugin FILE"):
        Config.from_mapping({"model": "toy"})


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"name": "Sea!"}, "must be named by small letters"),
        ({"name": "sea"}, r"is named 'sea', as is SEA \(sea_core.models.sea\); rename one"),
        (
            {"reads": frozenset({"temprature"})},
            "reads 'temprature', which is no config key; did you mean 'temperature'",
        ),
        ({"presets": {}}, "must have at least one preset"),
    ],
)
def test_a_faulty_model_is_refused_where_it_registers(attributes: dict[str, object], message: str) -> None:
    model_names()
    whole = {"name": "faulty", "title": "F", "paper": "none", "reads": frozenset(), "presets": {"a": {}}, **attributes}
    with pytest.raises(UserError, match=message):
        register(type("Faulty", (TrainedModel,), whole))
