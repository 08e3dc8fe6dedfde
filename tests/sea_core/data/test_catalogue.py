"""What ``load_dataset`` lets through: everything but the test rows."""

from pathlib import Path

import numpy as np
import pytest

from sea_core.data.catalogue import count_rows, dataset_names, load_dataset
from sea_core.data.mmrec_folder import PUBLISHED_SIZES, open_folder
from sea_core.errors import UserError
from sea_core.holdout import _load_test_rows


def _rewrite(folder: Path, change: dict[int, str] | None = None, more: str = "") -> None:
    """Replace lines by number, first line 1, and append some."""
    path = folder / "shop.inter"
    rows = path.read_text().splitlines()
    for number, row in (change or {}).items():
        rows[number - 1] = row
    path.write_text("\n".join(rows) + "\n" + more)


def test_a_folder_is_found_by_name_and_by_path(folder: Path) -> None:
    by_name = load_dataset("shop", data_root=folder.parent)
    by_path = load_dataset(str(folder))
    assert by_name.source == by_path.source == str(folder)
    assert by_name.name == by_path.name == "shop"
    assert by_name.data_hash == by_path.data_hash
    assert (by_name.users, by_name.items, by_name.modalities) == (6, 12, ("image", "text"))


def test_the_only_inter_file_serves_whatever_its_name(folder: Path) -> None:
    (folder / "shop.inter").rename(folder / "other.inter")
    assert load_dataset(str(folder)).users == 6
    (folder / "third.inter").write_text("")
    with pytest.raises(
        UserError, match=r"expected shop\.inter or exactly one \.inter file, found other\.inter, third\.inter"
    ):
        load_dataset(str(folder))


def test_permuting_test_rows_changes_nothing_that_training_sees(folder: Path) -> None:
    before = load_dataset(str(folder))
    test_before = _load_test_rows(before)
    rows = (folder / "shop.inter").read_text().splitlines()
    # Users 0 to 5 have the test items 4, 6, 8, 10, 0, 2; these items are new to the users they go to.
    moved = {6: "0\t8\t5\t2", 11: "1\t10\t5\t2", 16: "2\t0\t5\t2", 21: "3\t2\t5\t2", 26: "4\t4\t5\t2", 31: "5\t6\t5\t2"}
    assert all(rows[number - 1].endswith("\t2") for number in moved)
    _rewrite(folder, moved)
    after = load_dataset(str(folder))
    assert not np.array_equal(_load_test_rows(after).item, test_before.item)
    assert (after.data_hash, after.split_hash, after.notes) == (before.data_hash, before.split_hash, before.notes)
    for split in ("train", "valid"):
        np.testing.assert_array_equal(getattr(after, split).item, getattr(before, split).item)


def test_a_dataset_holds_no_test_row(folder: Path) -> None:
    _rewrite(folder, more="0\t11\t5\t2\n")
    dataset = load_dataset(str(folder))
    held = {
        *zip(dataset.train.user, dataset.train.item, strict=True),
        *zip(dataset.valid.user, dataset.valid.item, strict=True),
    }
    test = _load_test_rows(dataset)
    assert not held & {*zip(test.user, test.item, strict=True)}
    assert count_rows(dataset) == {"training": 18, "validation": 6, "test": 7}
    assert len(dataset.train) + len(dataset.valid) == 24


def test_users_without_training_rows_are_dropped_from_validation_and_test_and_counted(folder: Path) -> None:
    _rewrite(folder, more="6\t1\t5\t1\n6\t2\t5\t2\n")
    dataset = load_dataset(str(folder))
    assert dataset.users == 7
    assert 6 not in dataset.valid.user
    assert 6 not in _load_test_rows(dataset).user
    assert any(note.startswith("1 of 7 users have no training interaction") for note in dataset.notes)


def test_items_without_training_rows_are_counted(folder: Path) -> None:
    _rewrite(folder, more="5\t13\t5\t2\n")  # item 12 appears nowhere, item 13 in test alone
    for modality in ("image", "text"):
        np.save(folder / f"{modality}_feat.npy", np.ones((14, 2), dtype=np.float32))
    dataset = load_dataset(str(folder))
    assert dataset.items == 14
    assert any(note.startswith("2 of 14 items have no training interaction") for note in dataset.notes)


def test_opening_the_test_rows_of_data_that_changed_is_refused(folder: Path) -> None:
    dataset = load_dataset(str(folder))
    _rewrite(folder, {2: "0\t11\t5\t0"})
    with pytest.raises(UserError, match="the data changed since they were loaded"):
        _load_test_rows(dataset)


@pytest.mark.parametrize("name", ["synthetic", "synthetic:users=20,interactions=6"])
def test_test_rows_of_planted_data_are_those_that_were_held_out(name: str) -> None:
    dataset = load_dataset(name)
    test = _load_test_rows(dataset)
    seen = dataset.train_matrix + dataset.valid.matrix(dataset.users, dataset.items)
    assert seen[test.user, test.item].max() == 0
    assert np.array_equal(np.unique(test.user), np.arange(dataset.users))


def test_modalities_follow_the_order_of_the_map(folder: Path) -> None:
    swapped = load_dataset(str(folder), modalities={"text": "text_feat.npy", "image": "image_feat.npy"})
    assert swapped.modalities == ("text", "image")
    assert swapped.data_hash != load_dataset(str(folder)).data_hash
    sound = load_dataset(str(folder), modalities={"sound": "text_feat.npy"})
    np.testing.assert_array_equal(sound.features["sound"], swapped.features["text"])


@pytest.mark.parametrize(
    "file", ["../secret.npy", "/etc/passwd", "a/../../secret.npy", "C:\\x.npy", "x\0.npy", "a\nb.npy"]
)
def test_a_modality_cannot_name_a_file_outside_the_folder(folder: Path, file: str) -> None:
    np.save(folder.parent / "secret.npy", np.ones((12, 2)))
    with pytest.raises(UserError, match=r"modalities\.image must name a file inside"):
        load_dataset(str(folder), modalities={"image": file})


def test_a_missing_feature_file_is_named_with_what_there_is(folder: Path) -> None:
    (folder / "text_feat.npy").rename(folder / "texts.npy")
    with pytest.raises(UserError, match=r"text_feat\.npy: no such feature file .* found: image_feat\.npy, texts\.npy"):
        load_dataset(str(folder))
    for file in folder.glob("*.npy"):
        file.unlink()
    with pytest.raises(UserError, match="found: none, the folder holds interactions only"):
        load_dataset(str(folder))
    with pytest.raises(UserError, match="at least one modality"):
        load_dataset(str(folder), modalities={})


@pytest.mark.parametrize("file", ["", ".", "x" * 5000, "shop.inter/x.npy"])
def test_odd_file_names_are_refused(folder: Path, file: str) -> None:
    with pytest.raises(UserError, match="no such feature file for modality 'image'"):
        load_dataset(str(folder), modalities={"image": file})


def test_published_sizes_are_compared_for_data_of_that_name(folder: Path) -> None:
    (folder / "shop.inter").rename(folder / "baby.inter")
    (note,) = [note for note in load_dataset(str(folder)).notes if "published" in note]
    assert str(PUBLISHED_SIZES["baby"]) in note
    assert "(6, 12, 18, 6, 6)" in note


def test_an_unknown_name_gets_the_nearest_and_the_known(folder: Path) -> None:
    with pytest.raises(UserError, match=r"unknown dataset 'shopp'.* did you mean 'shop'"):
        load_dataset("shopp", data_root=folder.parent)
    with pytest.raises(UserError, match=r"known: .*shop, synthetic"):
        load_dataset("qqq", data_root=folder.parent)
    assert dataset_names(folder.parent) == ["citeulike-t", "lfm2k", "ml-100k", "synthetic", "shop"]


@pytest.mark.parametrize("name", ["", "\0", "synthetic:", "a\nb", "x" * 5000])
def test_odd_names_do_not_crash(name: str, tmp_path: Path) -> None:
    if name == "synthetic:":
        assert load_dataset(name).source == "synthetic"
    else:
        with pytest.raises(UserError, match="unknown dataset"):
            load_dataset(name, data_root=tmp_path)


@pytest.mark.parametrize(
    ("name", "sizes"), [("lfm2k", (1858, 1425, 44327, 4799, 7219)), ("baby-surrogate", PUBLISHED_SIZES["baby"])]
)
def test_real_data_load_with_their_published_sizes(shared_data: Path, name: str, sizes: tuple[int, ...]) -> None:
    dataset = load_dataset(name, data_root=shared_data)
    assert (dataset.users, dataset.items, *count_rows(dataset).values()) == sizes


@pytest.mark.parametrize("name", ["sports", "clothing"])
def test_real_interactions_have_the_published_sizes_and_lack_only_features(shared_data: Path, name: str) -> None:
    folder = shared_data / f"{name}-interactions"
    splits, _, notes, _ = open_folder(folder)
    assert (splits.users, splits.items, len(splits.train), len(splits.valid), len(splits.test)) == PUBLISHED_SIZES[name]
    assert notes == ()
    with pytest.raises(UserError, match="interactions only"):
        load_dataset(str(folder))
