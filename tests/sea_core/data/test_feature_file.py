"""Features are float32 rows in C order, or refused in one line that names the file."""

import pickle
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sea_core.data import feature_file
from sea_core.data.feature_file import read_features
from sea_core.errors import UserError
from tests.sea_core.data.refusal import value_or_refusal

GOOD = np.arange(1, 21, dtype=np.float32).reshape(4, 5)


def _with(value: float, row: int, column: int | slice) -> np.ndarray:
    array = GOOD.copy()
    array[row, column] = value
    return array


ARRAYS: dict[str, tuple[np.ndarray, str]] = {
    "fewer rows": (GOOD[:3], "expected 4 rows, one per item .* found 3"),
    "more rows": (np.vstack([GOOD, GOOD]), "expected 4 rows, .* found 8"),
    "vector": (GOOD.ravel(), "rank 1"),
    "scalar": (np.float32(1), "rank 0"),
    "cube": (GOOD[:, :, None], "rank 3"),
    "no dimensions": (GOOD[:, :0], "at least one feature dimension"),
    "NaN": (_with(np.nan, 2, 3), "row 2, column 3: expected a finite .* found nan"),
    "infinity": (_with(np.inf, 1, 0), "row 1, column 0: .* found inf"),
    "beyond float32": (GOOD.astype(np.float64) * 1e38, "row 0, column 3: .* found inf"),
    "zero row": (_with(0, 3, slice(None)), "row 3: expected a direction .* only zeros"),
    "below float32": (GOOD.astype(np.float64) * 1e-60, "row 0: .* only zeros"),
    "text": (GOOD.astype(str), "expected numbers, found dtype <U32"),
    "complex": (GOOD.astype(complex), "expected numbers, found dtype complex128"),
    "records": (np.zeros(4, dtype=[("a", "f4")]), "expected numbers"),
    "objects": (GOOD.astype(object), "expected numbers, found dtype object"),
}


@pytest.mark.parametrize("fault", ARRAYS)
def test_an_unfit_array_is_refused(tmp_path: Path, fault: str) -> None:
    array, message = ARRAYS[fault]
    np.save(tmp_path / "f.npy", array)
    with pytest.raises(UserError, match=message) as error:
        read_features(tmp_path / "f.npy", items=4)
    assert len(str(error.value).splitlines()) == 1
    assert str(tmp_path / "f.npy") in str(error.value)


def _bytes(save: Callable[[BytesIO], None]) -> bytes:
    buffer = BytesIO()
    save(buffer)
    return buffer.getvalue()


WHOLE = _bytes(lambda file: np.save(file, GOOD))


class _Boobytrap:
    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return pytest.fail, ("the file was unpickled",)


BYTES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "not a .npy file"),
    "pickle": (pickle.dumps(_Boobytrap()), "not a .npy file .pickled files"),
    "pickled object array": (
        _bytes(lambda file: np.save(file, np.array([[_Boobytrap()]], dtype=object))),
        "expected numbers, found dtype object",
    ),
    "archive": (_bytes(lambda file: np.savez(file, GOOD)), "not a .npy file"),
    "truncated": (WHOLE[:-1], f"truncated: expected {len(WHOLE)} bytes .* found {len(WHOLE) - 1}"),
    "header only": (WHOLE[:-80], "truncated"),
    "half a header": (WHOLE[:40], "cannot be read"),
    "unknown version": (WHOLE[:6] + b"\x09\x00" + WHOLE[8:], "cannot be read"),
    "negative shape": (WHOLE.replace(b"(4, 5)", b"(-4,5)"), "expected 4 rows"),
    "huge shape": (WHOLE.replace(b"(4, 5), }        ", b"(4, 5000000000)}"), "cannot be read|truncated"),
}


@pytest.mark.parametrize("fault", BYTES)
def test_a_broken_file_is_refused(tmp_path: Path, fault: str) -> None:
    content, message = BYTES[fault]
    (tmp_path / "f.npy").write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        read_features(tmp_path / "f.npy", items=4)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "f2", "f8", "i8", "u1"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("threshold", [0, 2**30])
def test_numbers_of_any_type_and_order_become_float32_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str, order: str, threshold: int
) -> None:
    monkeypatch.setattr(feature_file, "MAP_FROM_BYTES", threshold)
    np.save(tmp_path / "f.npy", np.asarray(GOOD, dtype=dtype, order=order))  # type: ignore[call-overload]
    features = read_features(tmp_path / "f.npy", items=4)
    assert features.dtype == np.float32
    assert features.flags.c_contiguous
    np.testing.assert_array_equal(features, GOOD)


def test_a_mapped_file_is_never_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_file, "MAP_FROM_BYTES", 0)
    np.save(tmp_path / "f.npy", GOOD)
    read_features(tmp_path / "f.npy", items=4)[:] = 7
    np.testing.assert_array_equal(np.load(tmp_path / "f.npy"), GOOD)


@given(position=st.integers(0, 127), value=st.integers(0, 255))
def test_any_changed_header_byte_loads_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, position: int, value: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "changed.npy"
    path.write_bytes(WHOLE[:position] + bytes([value]) + WHOLE[position + 1 :])
    features = value_or_refusal(lambda: read_features(path, items=4))
    assert features is None or features.shape[0] == 4


@given(content=st.binary(max_size=300))
def test_random_bytes_after_the_magic_never_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "random.npy"
    path.write_bytes(b"\x93NUMPY" + content)
    with pytest.raises(UserError):
        read_features(path, items=4)
