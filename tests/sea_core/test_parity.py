import json
from pathlib import Path

import numpy as np
import pytest

from sea_core.errors import UserError
from sea_core.models.sea import SEA
from sea_core.parity import TOLERANCES, config_of, golden_name, load_record, replay

RECORD = Path(__file__).parents[1] / "golden" / "sea_step_A.npz"


@pytest.fixture(scope="module")
def record() -> dict[str, np.ndarray]:
    return load_record(RECORD)


def test_every_quantity_of_the_golden_record_is_within_tolerance(record: dict[str, np.ndarray]) -> None:
    errors = replay(record)
    assert {name: error.absolute for name, error in errors.items() if error.absolute > TOLERANCES[name]} == {}
    assert all(error.compared > 0 for error in errors.values())


@pytest.mark.parametrize(
    ("key", "quantity"),
    [
        ("step1/loss/alignment", "loss"),
        ("step2/club_fit_loss", "club_fit"),
        ("step0/grad/image/projection/weight", "gradient"),
        ("step0/head/text_generic", "head"),
        ("step2/item_representation", "representation_later"),
        ("final/club/mean/0/weight", "final_parameters"),
        ("final/scores", "scores"),
        ("final/test/ndcg@20", "metrics"),
        ("item_graph", "item_graph"),
    ],
)
def test_a_changed_entry_of_the_record_is_found(record: dict[str, np.ndarray], key: str, quantity: str) -> None:
    errors = replay({**record, key: record[key] * 1.01})
    assert [name for name, error in errors.items() if error.absolute > TOLERANCES[name]] == [quantity]


def test_metrics_may_be_kept_in_single_precision(record: dict[str, np.ndarray]) -> None:
    single = {
        key: value.astype(np.float32) for key, value in record.items() if key.startswith(("final/valid", "final/test"))
    }
    assert replay({**record, **single})["metrics"].within(TOLERANCES["metrics"])


def test_every_parameter_of_the_record_is_read(record: dict[str, np.ndarray]) -> None:
    settings = json.loads(str(record["config"]))
    dims = {m: record[f"feat/{m}"].shape[1] for m in ("image", "text")}
    model = SEA(config_of(settings), users=settings["n_users"], feature_dims=dims, seed=0)
    names = {f"init/{golden_name(name)}" for name, _ in model.named_parameters()}
    assert names == {key for key in record if key.startswith("init/")}


def test_a_file_that_is_no_record_is_a_user_error(tmp_path: Path) -> None:
    for name, content in {"text.npz": b"hello", "empty.npz": b""}.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"cannot read the record"):
            load_record(path)
    np.savez(tmp_path / "other.npz", a=np.ones(1))
    with pytest.raises(UserError, match="not a golden record"):
        load_record(tmp_path / "other.npz")
