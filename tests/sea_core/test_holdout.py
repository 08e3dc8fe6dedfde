"""Opening the test split: what is evaluated, and that no number exists without its receipt."""

import numpy as np
import pytest
import torch

from sea_core.config import Config
from sea_core.data.catalogue import load_dataset
from sea_core.errors import UserError
from sea_core.evaluation.full_ranking import NonFiniteScoresError
from sea_core.holdout import open_test
from sea_core.receipts import check_receipt, read_receipts
from tests.reference.naive_ranking import naive_evaluate

USERS, ITEMS = 6, 12
TRAIN = [(user, (user + step) % ITEMS) for user in range(USERS) for step in (0, 1, 2, 4)]
VALID = [(user, (user + 5) % ITEMS) for user in range(USERS)]
TEST = [(user, (user + step) % ITEMS) for user in range(USERS) for step in (7, 9)] + [(5, 11), (0, 11)]


def write_folder(folder, test=TEST):
    folder.mkdir(exist_ok=True)
    rows = [(*pair, label) for label, pairs in enumerate((TRAIN, VALID, test)) for pair in pairs]
    lines = ["userID\titemID\tx_label", *("\t".join(map(str, row)) for row in rows)]
    (folder / f"{folder.name}.inter").write_text("\n".join(lines) + "\n")
    rng = np.random.default_rng(0)
    for modality in ("image", "text"):
        np.save(folder / f"{modality}_feat.npy", rng.standard_normal((ITEMS, 5)).astype(np.float32))
    return folder


@pytest.fixture
def dataset(tmp_path):
    return load_dataset(str(write_folder(tmp_path / "tiny")))


SCORES = torch.from_numpy(np.random.default_rng(1).permutation(USERS * ITEMS).reshape(USERS, ITEMS).astype(np.float32))


def open_once(dataset, path, **changes):
    options = {"subject": {"name": "fixed"}, "seed": None, "receipt": path} | changes
    return open_test(dataset, lambda users: SCORES[users], **options)


def test_test_rows_are_ranked_among_all_but_training_items(dataset, tmp_path):
    result = open_once(dataset, tmp_path / "receipt.json", ks=(3, 5))
    expected = naive_evaluate(SCORES.numpy(), TRAIN, TEST, (3, 5))
    masked_validation = naive_evaluate(SCORES.numpy(), TRAIN + VALID, TEST, (3, 5))
    assert expected != masked_validation  # so that this test can tell them apart
    for row, user in enumerate(result.users.tolist()):
        assert {key: value[row] for key, value in result.values.items()} == pytest.approx(expected[user])


def test_a_receipt_tells_what_was_opened(dataset, tmp_path):
    config, path = Config(temperature=0.3), tmp_path / "new" / "receipt.json"
    open_once(dataset, path, subject=config.as_dict(), seed=7)
    [receipt] = read_receipts(path)
    assert Config(**receipt["subject"]) == config
    assert receipt["subject_hash"] == config.hash()
    assert (receipt["seed"], receipt["dataset"]) == (7, "tiny")
    assert (receipt["data_hash"], receipt["split_hash"]) == (dataset.data_hash, dataset.split_hash)
    assert receipt["time"].endswith("+00:00")


def test_every_opening_is_counted(dataset, tmp_path):
    path = tmp_path / "receipt.json"
    for count in (1, 2, 3):
        open_once(dataset, path)
        assert len(read_receipts(path)) == count


def test_other_test_rows_change_the_test_hash_and_nothing_that_training_sees(dataset, tmp_path):
    path = tmp_path / "receipt.json"
    open_once(dataset, path)
    write_folder(tmp_path / "tiny", test=[(user, (user + 8) % ITEMS) for user in range(USERS)])
    open_once(load_dataset(dataset.source), path)
    first, second = read_receipts(path)
    assert first["test_hash"] != second["test_hash"]
    assert (first["data_hash"], first["split_hash"]) == (second["data_hash"], second["split_hash"])


def test_a_scorer_that_fails_has_opened_the_split_all_the_same(dataset, tmp_path):
    path = tmp_path / "receipt.json"
    with pytest.raises(NonFiniteScoresError):
        open_test(dataset, lambda users: SCORES[users] * float("nan"), subject={"name": "nan"}, seed=None, receipt=path)
    assert len(read_receipts(path)) == 1


def test_the_split_stays_closed_where_no_receipt_can_be_written(dataset, tmp_path):
    (tmp_path / "file").write_text("")
    asked = []
    with pytest.raises(UserError, match=r"cannot write the receipt .*; the test split stays closed"):
        open_test(dataset, asked.append, subject={}, seed=None, receipt=tmp_path / "file" / "receipt.json")
    assert asked == []


def test_the_split_stays_closed_beside_a_broken_receipt(dataset, tmp_path):
    path = tmp_path / "receipt.json"
    path.write_text("[{")
    with pytest.raises(UserError, match="cannot read the receipt"):
        open_once(dataset, path)
    assert path.read_text() == "[{"


def test_data_that_changed_since_training_are_refused(dataset, tmp_path):
    inter = tmp_path / "tiny" / "tiny.inter"
    inter.write_text(inter.read_text().replace("\n0\t5\t1\n", "\n0\t6\t1\n"))
    with pytest.raises(UserError, match="changed"):
        open_once(dataset, tmp_path / "receipt.json")
    assert not (tmp_path / "receipt.json").exists()


def test_a_receipt_is_accepted_for_its_own_run_alone(dataset, tmp_path):
    config, path = Config(), tmp_path / "receipt.json"
    open_once(dataset, path, subject=config.as_dict(), seed=7)
    [receipt] = read_receipts(path)
    record = {
        "data_hash": dataset.data_hash,
        "split_hash": dataset.split_hash,
        "config_hash": config.hash(),
        "seed": 7,
    }
    check_receipt(record, receipt)
    check_receipt({key: record[key] for key in ("data_hash", "split_hash")}, receipt)  # a baseline has no config
    for key in record:
        with pytest.raises(UserError, match=f"{path} is not of this run: .*the run's {key} is other"):
            check_receipt(record | {key: "other"}, receipt, source=str(path))
