"""Amazon's files of three years: equal reviews give equal interactions, and faults are named with their line."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from sea_core.data.catalogue import load_dataset
from sea_core.data.prepare import lines, records
from sea_core.data.prepare.layouts.amazon import category, text_of
from sea_core.errors import UserError
from tests.sea_core.data.prepare.raw_files import (
    image_vector,
    items_of,
    manifest,
    run_prepare,
    shop,
    write_amazon,
    write_csv,
)

ROWS = shop()
YEARS = (2014, 2018, 2023)


def prepared(raw: Path, *words: object, name: str = "out") -> Path:
    out = raw.parent / name
    assert run_prepare("amazon", raw, out, "--k-core", 2, "--dims", 4, *words) == 0
    return out


def rewrite(path: Path, change: dict[int, str]) -> None:
    """Replace lines of a compressed file by number, the first is 1."""
    text = gzip.decompress(path.read_bytes()).decode().splitlines()
    for number, line in change.items():
        text[number - 1] = line
    path.write_bytes(gzip.compress(("\n".join(text) + "\n").encode()))


@pytest.mark.parametrize("year", YEARS)
def test_reviews_of_every_year_are_the_interactions_of_the_same_rows_as_csv(tmp_path: Path, year: int) -> None:
    out = prepared(write_amazon(tmp_path / "amazon" / "raw", ROWS, year))
    run_prepare("csv", write_csv(tmp_path / "raw", ROWS), tmp_path / "out", "--k-core", 2, "--dims", 4)
    for file in ("users.tsv", "items.tsv"):
        assert (out / file).read_text() == (tmp_path / "out" / file).read_text()
    mine, theirs = (
        [line.split("\t") for line in (folder / "out.inter").read_text().splitlines()[1:]]
        for folder in (out, tmp_path / "out")
    )
    scale = 1000 if year == 2023 else 1
    assert mine == [[user, item, rating, str(int(time) * scale), label] for user, item, rating, time, label in theirs]
    expected = ("text",) if year == 2023 else ("image", "text")
    assert load_dataset(str(out)).modalities == expected
    assert manifest(out)["features"]["text"]["items_without_content"] == 0


def test_images_belong_to_their_items_bit_by_bit(tmp_path: Path) -> None:
    out = prepared(write_amazon(tmp_path / "raw", ROWS, 2014))
    features = np.load(out / "image_feat.npy")
    names = [line.split("\t")[1] for line in (out / "items.tsv").read_text().splitlines()[1:]]
    for row, name in enumerate(names):
        np.testing.assert_array_equal(features[row], image_vector(items_of(ROWS).index(name)))


def test_small_blocks_give_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = write_amazon(tmp_path / "raw", ROWS, 2018)
    whole = prepared(raw, name="whole")
    monkeypatch.setattr(lines.blocks_of_lines, "__kwdefaults__", {"size": 700})
    cut = prepared(raw, name="cut")
    assert (whole / "whole.inter").read_bytes() == (cut / "cut.inter").read_bytes()
    assert (whole / "text_feat.npy").read_bytes() == (cut / "text_feat.npy").read_bytes()


def test_python_literals_and_text_for_numbers_are_understood_in_reviews(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = write_amazon(tmp_path / "raw", ROWS, 2014)
    path = raw / "reviews_Baby.json.gz"
    expected = (prepared(raw, name="json") / "json.inter").read_bytes()
    records = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    written = [
        repr(record) if number % 2 else json.dumps({**record, "overall": str(record["overall"])})
        for number, record in enumerate(records)
    ]
    path.write_bytes(gzip.compress("\n".join(written).encode()))
    assert (prepared(raw, name="mixed") / "mixed.inter").read_bytes() == expected


def test_usual_files_are_never_read_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = write_amazon(tmp_path / "raw", ROWS, 2018)
    monkeypatch.setattr(records, "_read_lines", None)
    prepared(raw)


def test_a_path_to_reviews_takes_the_content_of_their_category(tmp_path: Path) -> None:
    raw = write_amazon(tmp_path / "raw", ROWS, 2014)
    for file in list(raw.iterdir()):
        (raw / file.name.replace("Baby", "Toys")).write_bytes(b"nonsense")
    assert prepared(raw / "reviews_Baby.json.gz", name="../out").is_dir()


def test_the_whole_and_the_5_core_of_a_category_are_not_read_together(tmp_path: Path) -> None:
    raw = write_amazon(tmp_path / "raw", ROWS, 2018)
    (raw / "Baby_5.json.gz").write_bytes((raw / "Baby.json.gz").read_bytes())
    with pytest.raises(UserError, match=r"Baby\.json\.gz and Baby_5\.json\.gz are reviews of one category"):
        prepared(raw)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("reviews_Baby_5.json.gz", "Baby"),
        ("meta_Sports_and_Outdoors.json.gz", "Sports_and_Outdoors"),
        ("image_features_Baby.b", "Baby"),
        ("All_Beauty.jsonl.gz", "All_Beauty"),
        ("AMAZON_FASHION_5.json", "AMAZON_FASHION"),
    ],
)
def test_categories_are_read_from_names(name: str, expected: str) -> None:
    assert category(Path(name)) == expected


def test_texts_lose_markup_and_keep_words() -> None:
    record = {
        "title": "A &amp; B",
        "description": ["<p>red<br/>oak</p>", None],
        "categories": [["X", ["Y"]]],
        "price": 3,
    }
    assert text_of(record) == "A & B X Y red oak"


@pytest.mark.parametrize(
    ("number", "line", "message"),
    [
        (3, '{"reviewerID": "A", "asin": ', r"reviews_Baby\.json\.gz, line 3: expected a record as a JSON object"),
        (3, "[1, 2]", r"line 3: expected a record as a JSON object or a Python dictionary, found '\[1, 2\]'"),
        (5, '{"reviewerID": "A", "overall": 5}', r"line 5: expected an id in 'asin', found 'nothing'"),
        (5, '{"reviewerID": "", "asin": "B"}', r"line 5: expected an id in 'reviewerID', found ''"),
        (5, '{"reviewerID": "A", "asin": "B", "overall": "good"}', r"line 5: expected a finite number in 'overall'"),
        (5, '{"reviewerID": "A", "asin": "B", "overall": NaN}', r"line 5: expected a finite number in 'overall'"),
        (2, "__import__('os').system('true')", r"line 2: expected a record"),
        (1, '{"who": 1}', r"line 1: expected a review with reviewerID and asin or user_id and parent_asin"),
    ],
)
def test_a_faulty_review_is_named(tmp_path: Path, number: int, line: str, message: str) -> None:
    raw = write_amazon(tmp_path / "raw", ROWS, 2014)
    rewrite(raw / "reviews_Baby.json.gz", {number: line})
    with pytest.raises(UserError, match=message):
        prepared(raw)


@pytest.mark.parametrize("year", [2014, 2018])
def test_a_faulty_line_of_metadata_is_named(tmp_path: Path, year: int) -> None:
    raw = write_amazon(tmp_path / "raw", ROWS, year)
    rewrite(raw / "meta_Baby.json.gz", {4: "{'asin': 'B1', 'title': 'cut"})
    with pytest.raises(UserError, match=r"meta_Baby\.json\.gz, line 4: expected a record"):
        prepared(raw)


def test_truncated_files_are_named(tmp_path: Path) -> None:
    raw = write_amazon(tmp_path / "raw", ROWS, 2014)
    images, reviews = raw / "image_features_Baby.b", raw / "reviews_Baby.json.gz"
    whole = images.read_bytes()
    images.write_bytes(whole[:-100])
    with pytest.raises(UserError, match=r"image_features_Baby\.b: truncated .* records of 16,394 bytes"):
        prepared(raw)
    images.write_bytes(whole[4:] + b"oops")
    with pytest.raises(UserError, match=r"image_features_Baby\.b, record 1: expected an item's id"):
        prepared(raw)
    images.write_bytes(whole)
    reviews.write_bytes(reviews.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"reviews_Baby\.json\.gz: truncated after line"):
        prepared(raw)
    reviews.write_bytes(b"{}\n")
    with pytest.raises(UserError, match=r"reviews_Baby\.json\.gz: not a whole gzip file"):
        prepared(raw)


def test_missing_files_are_named(tmp_path: Path) -> None:
    raw = write_amazon(tmp_path / "raw", ROWS, 2014)
    (raw / "reviews_Baby.json.gz").unlink()
    with pytest.raises(UserError, match="no reviews; expected reviews_"):
        prepared(raw)


def test_items_without_an_image_are_refused_kept_or_dropped(tmp_path: Path) -> None:
    raw = write_amazon(tmp_path / "raw", ROWS, 2014)
    images = raw / "image_features_Baby.b"
    images.write_bytes(images.read_bytes()[16_394:])
    with pytest.raises(UserError, match="1 items have interactions and no image, first 'B000000000'"):
        prepared(raw)
    kept = prepared(raw, "--items-without-content", "keep", name="kept")
    about = json.loads((kept / "image_feat.json").read_text())
    assert (about["mask"], about["they_got"]) == ([0], "the mean of the others")
    dropped = prepared(raw, "--items-without-content", "drop", name="dropped")
    assert "B000000000" not in (dropped / "items.tsv").read_text()
