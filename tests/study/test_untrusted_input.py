"""Whatever a file or a name holds, a reader gives an error of ours or a result; never a crash, never code run."""

import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from sea_core.config import Config
from sea_core.data.feature_file import read_features
from sea_core.data.inter_file import read_interactions
from sea_core.data.mmrec_folder import read_all_features
from sea_core.errors import UserError
from sea_core.receipts import read_receipts
from sea_core.run_folder import RunFolder, read_run_folder
from sea_core.strict_yaml import read_yaml
from sea_core.training.checkpoint import CheckpointError, from_bytes, to_bytes
from sea_core.training.run import TrainingRun
from study.ablation.arms import read_arm
from study.records.folder import StudyFolder, study_folder
from study.records.spec import read_spec
from study.records.study import load_study
from study.searching.space import load_space
from tests.conftest import random_dataset
from tests.study.test_real_training import SMALL

fuzz = settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner))


def only_user_errors(read: Callable[[], Any]) -> None:
    """Read; an error must be ours, and have something to say."""
    message = complaint(read)
    assert message is None or len(message) > 10


def complaint(read: Callable[[], Any], kind: type[Exception] = UserError) -> str | None:
    """What a reader says in its own error, None if it read; any other error fails the test."""
    try:
        read()
    except kind as error:
        return str(error)
    return None


class Bomb:
    """Unpickling it would write a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._path,))


@fuzz
@given(content=st.binary(max_size=300) | st.text(alphabet="0123456789\t\n-.e:userIDtmx_labl\"'", max_size=200))
def test_interactions(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "x.inter"
    raw = content if isinstance(content, bytes) else f"userID\titemID\tx_label\n{content}".encode()
    path.write_bytes(raw)
    only_user_errors(lambda: read_interactions(path))


@fuzz
@given(data=st.data())
def test_feature_files_with_any_header(tmp_path: Path, data: st.DataObject) -> None:
    path, buffer = tmp_path / "x.npy", io.BytesIO()
    np.save(buffer, np.ones((4, 3), dtype=np.float32))
    whole = buffer.getvalue()
    shapes = st.lists(st.integers(-2, 2**70), max_size=4).map(tuple)
    header = st.fixed_dictionaries(
        {
            "descr": st.sampled_from(["<f4", "|O", "<U9", "<c8", "|V4", "x"]),
            "fortran_order": st.booleans(),
            "shape": shapes,
        }
    )
    text = data.draw(header.map(repr) | st.text(max_size=60) | st.just("(" * 5000) | st.just("__import__('os')"))
    encoded = text.encode("latin-1", "replace")
    path.write_bytes(whole[:8] + len(encoded).to_bytes(2, "little") + encoded + whole[128:])
    only_user_errors(lambda: read_features(path, items=4))


def test_a_feature_file_that_is_a_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    bomb, exploded = np.array([Bomb(tmp_path / "exploded")], dtype=object), tmp_path / "exploded"
    np.save(tmp_path / "x.npy", bomb, allow_pickle=True)
    (tmp_path / "y.npy").write_bytes(pickle.dumps(bomb))
    for name in ("x.npy", "y.npy"):
        with pytest.raises(UserError):
            read_features(tmp_path / name, items=1)
    assert not exploded.exists()


def test_a_header_that_claims_more_than_the_file_has_allocates_nothing(tmp_path: Path) -> None:
    path, buffer = tmp_path / "x.npy", io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (2**31, 2**31)}
    np.lib.format.write_array_header_1_0(buffer, header)
    path.write_bytes(buffer.getvalue())
    with pytest.raises(UserError, match="truncated: expected"):
        read_features(path, items=2**31)


@pytest.mark.parametrize("file", ["../secret.npy", "/etc/passwd", "a/../../b.npy", "C:\\x.npy", "x\n.npy", "x\0.npy"])
def test_a_modality_cannot_name_a_file_outside_its_folder(tmp_path: Path, file: str) -> None:
    with pytest.raises(UserError, match="must name a file inside"):
        read_all_features(tmp_path, {"image": file}, items=3)


YAML_TEXT = st.binary(max_size=80) | VALUES.map(lambda value: yaml.safe_dump(value).encode())
LIKE_A_FILE = st.dictionaries(st.sampled_from([*Config().as_dict(), "low", "high", "choices", "name", "title"]), VALUES)


@pytest.mark.parametrize(
    "read",
    [
        lambda path: Config.from_mapping(read_yaml(path), source=str(path)),
        lambda path: load_space(str(path)),
        read_arm,
    ],
    ids=["config", "space", "arm"],
)
@fuzz
@given(content=YAML_TEXT | LIKE_A_FILE.map(lambda value: yaml.safe_dump(value).encode()))
def test_configs_spaces_and_arms(tmp_path: Path, read: Callable[[Path], Any], content: bytes) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    only_user_errors(lambda: read(path))


def test_yaml_that_would_run_code_is_refused_and_not_run(tmp_path: Path) -> None:
    path, exploded = tmp_path / "config.yaml", tmp_path / "exploded"
    path.write_text(
        f"a: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{exploded}']]\n"
    )
    for read in (lambda: read_yaml(path), lambda: read_spec(StudyFolder(tmp_path))):
        with pytest.raises(UserError):
            read()
    assert not exploded.exists()


@pytest.fixture(scope="module")
def trained() -> TrainingRun:
    run = TrainingRun(SMALL.override(item_graph_layers=0), random_dataset(), seed=1)
    run.advance()
    return run


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_checkpoints(trained: TrainingRun, data: st.DataObject) -> None:
    whole = to_bytes(trained)
    length = int.from_bytes(whole[:8], "little")
    kind = data.draw(st.sampled_from(["cut", "flip", "junk", "values", "tensors", "pickle"]))
    if kind == "cut":
        broken = whole[: data.draw(st.integers(0, len(whole) - 1))]
    elif kind == "flip":
        position = data.draw(st.integers(0, len(whole) - 1))
        broken = (
            whole[:position] + bytes([whole[position] ^ (1 << data.draw(st.integers(0, 7)))]) + whole[position + 1 :]
        )
    elif kind == "junk":
        broken = data.draw(st.binary(max_size=200))
    elif kind == "pickle":
        broken = pickle.dumps({"model": 1})
    else:
        header = json.loads(whole[8 : 8 + length])
        if kind == "values":
            header["__metadata__"]["values"] = json.dumps(data.draw(VALUES))
        else:
            header[data.draw(st.text(max_size=8))] = data.draw(VALUES)
        encoded = json.dumps(header).encode()
        broken = len(encoded).to_bytes(8, "little") + encoded + whole[8 + length :]
    run = TrainingRun(trained.config, trained.dataset, seed=1, inputs=trained.inputs)
    assert "\n" not in (complaint(lambda: from_bytes(run, broken), CheckpointError) or "")


@fuzz
@given(content=st.binary(max_size=100) | VALUES.map(lambda value: json.dumps(value).encode()) | st.just(b"[" * 3_000))
@pytest.mark.slow
def test_records_receipts_and_study_folders(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "s/trials/0"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("record.json", "receipt.json"):
        (folder / name).write_bytes(content)
    (tmp_path / "s/config.yaml").write_bytes(content)
    only_user_errors(lambda: read_run_folder(folder))
    only_user_errors(lambda: read_receipts(folder / "receipt.json"))
    only_user_errors(lambda: load_study(tmp_path / "s"))


@fuzz
@given(changes=st.dictionaries(st.sampled_from(["config", "seed", "trial", "epochs", "dataset", "data_hash"]), VALUES))
def test_records_of_the_right_form_with_any_values(tmp_path: Path, changes: dict[str, Any]) -> None:
    record = {"schema_version": 1, "config": {}, "seed": 1, "dataset": "x", "data_hash": "y", **changes}
    folder = tmp_path / "s/trials/0"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "record.json").write_text(json.dumps(record))
    (tmp_path / "s/config.yaml").unlink(missing_ok=True)
    only_user_errors(
        lambda: [(r.config, r.state, r.value, r.params, r.failure) for r in load_study(tmp_path / "s").trials]
    )
    only_user_errors(lambda: read_run_folder(folder).differences(Config(), seed=1, data_hash="y"))


@fuzz
@given(content=st.binary(max_size=200))
@pytest.mark.parametrize("name", ["history.csv", "validation.parquet", "test.parquet", "embeddings.safetensors"])
def test_the_parts_of_a_run_folder(tmp_path: Path, name: str, content: bytes) -> None:
    tensors = save({"other": np.zeros(2)})
    for raw in (content, b"PAR1" + content + b"PAR1", tensors[:20] + content):
        (tmp_path / name).write_bytes(raw)
        only_user_errors(getattr(RunFolder(tmp_path, {"epochs": 2}), f"read_{name.partition('.')[0]}"))


@fuzz
@given(name=st.text(max_size=20) | st.sampled_from(["..", ".", "a/b", "a\nb", "-rf", "$(x)", "a\0b", "C:x", "~"]))
def test_a_study_name_is_a_plain_folder_in_its_parent(tmp_path: Path, name: str) -> None:
    message = complaint(lambda: study_folder(tmp_path, name))
    if message is not None:
        assert "\n" not in message
        return
    assert study_folder(tmp_path, name).root.parent == tmp_path
    assert name.isascii()
    assert name.isprintable()
    assert not name.startswith(("-", "."))
