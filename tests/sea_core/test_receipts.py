"""Receipt files: read back as written, and refused with a reason when they are anything else."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sea_core.errors import UserError
from sea_core.receipts import append_receipt, read_receipts

RECEIPT = {
    "schema_version": 1,
    "subject": {"name": "popularity"},
    "subject_hash": "a",
    "seed": None,
    "dataset": "d",
    "data_hash": "b",
    "split_hash": "c",
    "test_hash": "e",
    "time": "2026-01-01T00:00:00+00:00",
}


def test_receipts_are_read_back_in_the_order_they_were_written(tmp_path):
    path = tmp_path / "receipt.json"
    written = [RECEIPT | {"seed": seed} for seed in (3, 1, 2)]
    for receipt in written:
        append_receipt(path, receipt)
    assert read_receipts(path) == written


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "must be a list of receipts with at least one entry"),
        ("[]", "must be a list of receipts with at least one entry"),
        ("[1]", "receipt 0 has no valid 'schema_version'"),
        (json.dumps([RECEIPT, RECEIPT | {"seed": "7"}]), "receipt 1 has no valid 'seed'"),
        (
            json.dumps([{key: value for key, value in RECEIPT.items() if key != "time"}]),
            "receipt 0 has no valid 'time'",
        ),
        (json.dumps([RECEIPT | {"schema_version": 99}]), "has schema_version 99, this version reads up to 1"),
        ("[" * 100_000, "cannot read the receipt"),
    ],
)
def test_a_faulty_receipt_file_is_refused(content, message, tmp_path):
    path = tmp_path / "receipt.json"
    path.write_text(content)
    with pytest.raises(UserError, match=message):
        read_receipts(path)


def test_a_missing_receipt_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no receipt .*: test metrics without one are not trusted"):
        read_receipts(tmp_path / "receipt.json")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(RECEIPT)), inner, max_size=9),
    max_leaves=12,
)


@given(st.one_of(json_values.map(json.dumps).map(str.encode), st.binary(max_size=30)))
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_content_is_read_or_refused_in_one_line(tmp_path, content):
    path = tmp_path / "receipt.json"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_receipts(path)
    assert "\n" not in str(caught.value)
