import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from sea_core.config import Config
from sea_core.errors import UserError
from sea_core.files import write_json
from sea_core.run_folder import read_run_folder, write_run_folder
from sea_core.training.run import TrainingRun
from tests.conftest import random_dataset


@pytest.fixture
def run(cache_folder: Path) -> TrainingRun:
    config = Config(latent_dim=4, item_mlp_hidden=6, batch_size=64, knn_k=3, epochs=2, club_steps=2)
    run = TrainingRun(config, random_dataset(), seed=1)
    while not run.finished:
        run.advance()
    return run


def test_a_run_folder_gives_back_what_was_written(run: TrainingRun, tmp_path: Path) -> None:
    write_run_folder(tmp_path / "run", run, extra={"arm": "full"}, keep_embeddings=True)
    read_back = read_run_folder(tmp_path / "run")
    assert read_back.config == run.config
    assert read_back.record["arm"] == "full"
    assert read_back.record["validation"] == run.best.validation.means()
    assert read_back.read_history()["recall@20"].tolist() == [report.validation["recall@20"] for report in run.reports]
    assert read_back.read_history()["total"].tolist() == [report.losses["total"] for report in run.reports]
    for name, values in run.best.validation.values.items():
        np.testing.assert_array_equal(read_back.read_validation().values[name], values)
    embeddings = read_back.read_embeddings()
    assert embeddings is not None
    assert torch.equal(embeddings["item"], run.best.item_embedding)
    assert read_back.read_test() is None


def test_means_are_computed_from_the_per_user_metrics_on_disk(run: TrainingRun, tmp_path: Path) -> None:
    record = write_run_folder(tmp_path, run)
    assert read_run_folder(tmp_path).read_validation().means() == record["validation"]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"schema_version": 99}', '{"schema_version": "one"}'])
def test_an_unreadable_record_is_one_line_that_names_the_file(tmp_path: Path, content: str) -> None:
    (tmp_path / "record.json").write_text(content)
    with pytest.raises(UserError, match=r"record\.json"):
        read_run_folder(tmp_path)


def test_a_folder_without_a_record_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no record\.json"):
        read_run_folder(tmp_path)


def test_no_temporary_file_is_left_behind(run: TrainingRun, tmp_path: Path) -> None:
    write_run_folder(tmp_path, run)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "history.csv",
        "record.json",
        "validation.parquet",
    ]


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *itertools.product(
            ["history.csv", "validation.parquet", "test.parquet", "embeddings.safetensors"],
            ["truncated", "emptied", "garbage"],
        ),
        ("history.csv", "a row less"),  # which is a whole table still
        ("history.csv", "a digit less"),  # and so is this, with another number
    ],
)
def test_a_damaged_file_is_named_with_what_to_do(run: TrainingRun, tmp_path: Path, name: str, damage: str) -> None:
    write_run_folder(tmp_path, run, keep_embeddings=True)
    (tmp_path / "test.parquet").write_bytes((tmp_path / "validation.parquet").read_bytes())
    path = tmp_path / name
    whole = path.read_bytes()
    contents = {
        "truncated": whole[: len(whole) // 3],
        "emptied": b"",
        "garbage": b"\x00\xff" * 50,
        "a digit less": whole[:-2],
    }
    path.write_bytes(contents.get(damage, whole[: whole[:-1].rindex(b"\n") + 1]))
    read_back, part = read_run_folder(tmp_path), name.partition(".")[0]
    with pytest.raises(UserError) as caught:
        getattr(read_back, f"read_{part}")()
    message = str(caught.value)
    assert message.startswith(f"cannot read {path}: ")
    assert f"delete {tmp_path / 'record.json'} and repeat the command that wrote it" in message
    assert "\n" not in message


def test_a_record_from_before_a_field_existed_is_of_the_config_with_its_default(
    run: TrainingRun, tmp_path: Path
) -> None:
    record = write_run_folder(tmp_path, run)
    del record["config"]["neighbour_search"], record["config"]["feature_rank"]
    write_json(tmp_path / "record.json", {**record, "config_hash": "of fewer fields"})
    read_back, same = read_run_folder(tmp_path), {"seed": 1, "data_hash": run.dataset.data_hash}
    assert read_back.differences(run.config, **same) == []
    assert read_back.differences(run.config.override(neighbour_search="nndescent"), **same) == [
        "neighbour_search: exact there, nndescent now"
    ]
    assert read_back.differences(run.config, seed=2, data_hash="x") == [
        "seed: 1 there, 2 now",
        f"data_hash: {run.dataset.data_hash} there, x now",
    ]
