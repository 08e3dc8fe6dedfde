"""Tables of one's own: what is understood, and what is refused with its line."""

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from sea_core.data.catalogue import load_dataset
from sea_core.errors import UserError
from tests.sea_core.data.prepare.raw_files import Row, items_of, manifest, run_prepare, shop, write_csv

ROWS = shop()


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "raw", ROWS)


def prepared(raw: Path, *words: object) -> Path:
    out = raw.parent / "out"
    assert run_prepare("csv", raw, out, "--k-core", 2, "--dims", 4, *words) == 0
    return out


def original(out: Path, name: str) -> list[str]:
    return [line.split("\t")[1] for line in (out / name).read_text().splitlines()[1:]]


def test_every_row_is_there_under_its_original_ids(raw: Path) -> None:
    out = prepared(raw)
    users, items = original(out, "users.tsv"), original(out, "items.tsv")
    header, *lines = (line.split("\t") for line in (out / "out.inter").read_text().splitlines())
    assert header == ["userID", "itemID", "rating", "timestamp", "x_label"]
    rows = {Row(users[int(user)], items[int(item)], float(r), int(t)) for user, item, r, t, _ in lines}
    assert rows == set(ROWS)
    assert users == sorted(users)


def test_the_order_of_the_rows_changes_nothing(raw: Path, tmp_path: Path) -> None:
    first = prepared(raw)
    other = write_csv(tmp_path / "other" / "raw", ROWS[::-1])
    second = prepared(other)
    for name in ("out.inter", "users.tsv", "items.tsv", "text_feat.npy", "text_feat.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_other_separators_names_and_compression_are_understood(raw: Path, separator: str) -> None:
    text = (raw / "interactions.csv").read_text().replace(",", separator)
    (raw / "interactions.csv").unlink()
    text = text.replace("user", "UID", 1).replace("\n", "\r\n")
    (raw / "interactions.csv.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + text.encode()))
    out = prepared(raw, "--columns", "user=UID")
    assert manifest(out)["steps"][0]["interactions"] == len(ROWS)


def test_parquet_serves_too(raw: Path) -> None:
    columns = {name: [getattr(row, name) for row in ROWS] for name in ("user", "item", "rating", "time")}
    pyarrow.parquet.write_table(pa.table(columns), raw / "interactions.parquet")
    (raw / "interactions.csv").unlink()
    assert manifest(prepared(raw))["steps"][0]["interactions"] == len(ROWS)


def test_dates_are_seconds(raw: Path) -> None:
    lines = ["user,item,time", *(f"{r.user},{r.item},2024-01-0{1 + r.time % 9}T00:00:00Z" for r in ROWS)]
    (raw / "interactions.csv").write_text("\n".join(lines) + "\n")
    out = prepared(raw, "--split", "user-time")
    first = (out / "out.inter").read_text().splitlines()[1].split("\t")
    assert (int(first[2]) - 1_704_067_200) % 86_400 == 0


def test_vectors_are_taken_as_they_are_whatever_their_file(raw: Path) -> None:
    items = items_of(ROWS)
    vectors = np.random.default_rng(0).standard_normal((len(items), 3)).astype(np.float32)
    np.save(raw / "image_feat.npy", vectors)
    backwards = [*range(len(items))][::-1]
    table = pa.table({"item": [items[n] for n in backwards], "v": [vectors[n].tolist() for n in backwards]})
    pyarrow.parquet.write_table(table, raw / "audio.parquet")
    lines = ["item,a,b,c", *(f"{items[n]},{','.join(map(repr, vectors[n].tolist()))}" for n in backwards)]
    (raw / "video_features.csv").write_text("\n".join(lines) + "\n")
    out = prepared(raw)
    assert manifest(out)["modalities"].keys() == {"audio", "image", "video", "text"}
    assert load_dataset(str(out)).modalities == ("audio", "image", "video", "text")
    place = [items.index(name) for name in original(out, "items.tsv")]
    for name in ("image", "audio", "video"):
        np.testing.assert_array_equal(np.load(out / f"{name}_feat.npy"), vectors[place])


def test_rows_of_zeros_and_empty_texts_get_the_mean_and_are_listed(raw: Path) -> None:
    items = items_of(ROWS)
    vectors = np.random.default_rng(0).standard_normal((len(items), 3)).astype(np.float32)
    vectors[4] = 0
    np.save(raw / "image.npy", vectors)
    text = (raw / "items.csv").read_text().splitlines()
    text[1] = f"{items[0]},,"
    (raw / "items.csv").write_text("\n".join(text) + "\n")
    out = prepared(raw)
    np.testing.assert_allclose(
        np.load(out / "image_feat.npy")[4], np.delete(vectors, 4, axis=0).mean(axis=0), rtol=1e-5
    )
    assert '"mask": [4]' in (out / "image_feat.json").read_text()
    assert '"mask": [0]' in (out / "text_feat.json").read_text()


def test_duplicates_keep_the_first_or_the_last_in_time(raw: Path) -> None:
    row = ROWS[0]
    with (raw / "interactions.csv").open("a") as file:
        file.write(f"{row.user},{row.item},{row.time + 5},1\n{row.user},{row.item},{row.time - 5},2\n")
    for keep, time in (("first", row.time - 5), ("last", row.time + 5)):
        out = raw.parent / keep
        run_prepare("csv", raw, out, "--k-core", 2, "--duplicates", keep)
        times = [int(line.split("\t")[3]) for line in (out / f"{keep}.inter").read_text().splitlines()[1:]]
        assert len(times) == len(ROWS)
        assert time in times


def test_a_rating_threshold_leaves_likes(raw: Path) -> None:
    out = prepared(raw, "--min-rating", 3)
    assert manifest(out)["steps"][2]["interactions"] == sum(row.rating >= 3 for row in ROWS)


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        (3, "U00,B1,soon,3", r"interactions\.csv, line 3: expected a number in the column 'time', found 'soon'"),
        (4, "U00,,5,3", r"interactions\.csv, line 4: expected an id in the column 'item', found 'nothing'"),
        (2, "U00,B1,5", r"interactions\.csv, line 2: expected 4 values as in the header, found '3'"),
        (5, "U00,B1,5,good", r"line 5: expected a number in the column 'rating', found 'good'"),
        (5, "U00,B1,5,inf", r"line 5: expected a finite number in the column 'rating'"),
        (1, "user,item,time,time", r"line 1: column 'time' appears twice"),
        (1, "person,item,time,rating", r"line 1: missing column 'user', found person.*--columns user=NAME"),
    ],
)
def test_a_faulty_line_is_named(raw: Path, line: int, text: str, message: str) -> None:
    lines = (raw / "interactions.csv").read_text().splitlines()
    lines[line - 1] = text
    (raw / "interactions.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(UserError, match=message):
        prepared(raw)
    assert not (raw.parent / "out").exists()


def test_lines_are_counted_through_values_of_several_lines(raw: Path) -> None:
    lines = (raw / "items.csv").read_text().splitlines()
    lines[2] = lines[2].replace('"Thing,', '"Thing\non\nthree lines,')
    lines[5] = ",no id,at all"
    (raw / "items.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(UserError, match=r"items\.csv, line 8: expected an id in the column 'item'"):
        prepared(raw)


def test_items_without_content_are_refused_kept_or_dropped(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items = items_of(ROWS)
    write_csv(raw, ROWS, items=[*items[2:], "B999999999"])
    with pytest.raises(
        UserError, match=r"2 items have interactions and no text, first 'B00000000[01]'; .*--items-without-content keep"
    ):
        prepared(raw)
    for choice, count in (("keep", len(items)), ("drop", len(items) - 2)):
        out = raw.parent / choice
        run_prepare("csv", raw, out, "--k-core", 2, "--items-without-content", choice)
        assert len(original(out, "items.tsv")) == count
    assert "1 items have content and no interactions, first 'B999999999' (left out)" in capsys.readouterr().err


def test_content_without_interactions_is_refused_kept_or_dropped(raw: Path) -> None:
    items = items_of(ROWS)
    write_csv(raw, ROWS, items=[*items, "B999999999"])
    flag = "--content-without-items"
    with pytest.raises(UserError, match=f"1 items have content and no interactions.*{flag} drop or keep"):
        prepared(raw, flag, "refuse")
    out = prepared(raw, flag, "keep")
    assert sorted(original(out, "items.tsv")) == [*items, "B999999999"]
    dataset = load_dataset(str(out))  # the item without rows does not come last, where nobody would see it
    assert dataset.items == len(items) + 1


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda raw: np.save(raw / "image.npy", np.ones((3, 2))), r"image\.npy: expected 12 rows, one per item of"),
        (lambda raw: (raw / "image.npy").write_bytes(b"no"), r"image\.npy: cannot be read: not a \.npy file"),
        (lambda raw: (raw / "image.parquet").write_bytes(b"no"), r"image\.parquet: cannot be read"),
        (
            lambda raw: (raw / "image.csv").write_text("item,a\nB000000000,x\n"),
            r"image\.csv, line 2: expected a number",
        ),
        (lambda raw: (raw / "image.csv").write_text("thing,a\nB000000000,1\n"), r"image\.csv, line 1: missing column"),
        (lambda raw: np.save(raw / "text.npy", np.ones((12, 2))), "another file gives the modality 'text' too"),
        (lambda raw: np.save(raw / "image.npy", np.full((12, 2), np.nan)), "expected finite float32 numbers"),
        (lambda raw: np.save(raw / "1.npy", np.ones((12, 2))), "its name gives its modality's"),
        (lambda raw: (raw / "items.csv").unlink(), "no content to make features of"),
        (
            lambda raw: (raw / "items.csv").write_text("item,a\n" + "B000000000,x\n" * 2),
            r"line 3: expected one row per",
        ),
        (lambda raw: (raw / "interactions.csv").write_text(""), r"interactions\.csv: the file is empty"),
        (lambda raw: (raw / "interactions.csv").write_text("user,item\n"), "no interactions"),
    ],
)
def test_faulty_files_are_named(raw: Path, break_it: object, message: str) -> None:
    break_it(raw)  # type: ignore[operator]
    with pytest.raises(UserError, match=message):
        prepared(raw)


def test_text_that_is_not_utf_8_is_named_with_its_line(raw: Path) -> None:
    lines = (raw / "items.csv").read_bytes().splitlines()
    lines[3] = "B000000002,Möbel,x".encode("latin-1")
    (raw / "items.csv").write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(UserError, match=r"items\.csv, line 4: expected UTF-8 text, found 'other bytes'"):
        prepared(raw)


def test_a_truncated_gzip_is_named(raw: Path) -> None:
    whole = gzip.compress((raw / "interactions.csv").read_bytes())
    (raw / "interactions.csv").unlink()
    (raw / "interactions.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"interactions\.csv\.gz: .*copy the file again"):
        prepared(raw)
