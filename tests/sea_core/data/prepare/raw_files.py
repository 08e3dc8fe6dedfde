"""Small raw files in every layout, from one made-up shop, and a way to prepare them."""

import argparse
import gzip
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sea_core.data.commands import add_data_parser

WORDS = ["lamp", "chair", "red", "blue", "oak", "steel", "soft", "large", "garden", "desk"]


class Row(NamedTuple):
    user: str
    item: str
    rating: float
    time: int


def shop(users: int = 14, items: int = 12, *, seed: int = 0) -> list[Row]:
    """Every user rates 7 items or so, at different times."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        rows += [
            Row(f"U{user:02}", f"B{item:09}", float(rng.integers(1, 6)), int(rng.integers(1, 10**6)))
            for item in rng.permutation(items)[: rng.integers(6, 9)]
        ]
    return rows


def description(item: str) -> str:
    rng = np.random.default_rng(int(item.strip("B")))
    return " ".join(rng.choice(WORDS, 5))


def items_of(rows: list[Row]) -> list[str]:
    return sorted({row.item for row in rows})


def write_csv(folder: Path, rows: list[Row], *, items: list[str] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["user,item,time,rating", *(f"{r.user},{r.item},{r.time},{r.rating:g}" for r in rows)]
    (folder / "interactions.csv").write_text("\n".join(lines) + "\n")
    known = items_of(rows) if items is None else items
    lines = ["item,title,about", *(f'{item},"Thing, {item}",{description(item)}' for item in known)]
    (folder / "items.csv").write_text("\n".join(lines) + "\n")
    return folder


def write_citeulike(folder: Path, lists: list[list[int]], items: int, *, seed: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)

    def line(values: list[object]) -> str:
        return " ".join(map(str, [len(values), *values]))

    (folder / "users.dat").write_text("\n".join(line([*values]) for values in lists))
    words = [[f"{word}:{rng.integers(1, 4)}" for word in rng.permutation(20)[:6]] for _ in range(items)]
    (folder / "mult.dat").write_text("\n".join(line([*values]) for values in words) + "\n")
    cited = [rng.permutation(items)[: rng.integers(1, 4)].tolist() for _ in range(items)]
    (folder / "citations.dat").write_text("\n".join(line(values) for values in cited) + "\n")
    (folder / "vocabulary.dat").write_text("\n".join(f"word{n}" for n in range(20)) + "\n")
    return folder


def run_prepare(*words: object) -> int:
    """``data prepare`` with these arguments; returns the exit code, errors are raised."""
    parser = argparse.ArgumentParser()
    add_data_parser(parser.add_subparsers())
    arguments = parser.parse_args(["data", "prepare", *map(str, words)])
    code: int = arguments.run(arguments)
    return code


def manifest(folder: Path) -> dict:
    return json.loads((folder / "dataset.json").read_text())


def write_amazon(folder: Path, rows: list[Row], year: int, *, images: bool = True) -> Path:
    """Reviews, metadata and image features as they were published in 2014, 2018 or 2023."""
    folder.mkdir(parents=True, exist_ok=True)
    if year == 2023:
        reviews = [
            {"rating": r.rating, "title": "ok", "text": "a\nb", "images": [], "asin": "X", "parent_asin": r.item}
            | {"user_id": r.user, "timestamp": r.time * 1000, "helpful_vote": 0, "verified_purchase": True}
            for r in rows
        ]
    else:
        reviews = [
            {"reviewerID": r.user, "asin": r.item, "reviewerName": 'J. "Jo" O\'Neil', "helpful": [0, 0]}
            | {"reviewText": "It's {'fine'}", "overall": r.rating, "unixReviewTime": r.time, "reviewTime": "01 1, 2014"}
            for r in rows
        ]
    items = items_of(rows)
    if year == 2014:
        meta = [
            {"asin": i, "title": f"Thing's {i}", "categories": [["Baby", "Feeding"]], "description": description(i)}
            | {"related": {"also_bought": ["B1", "B2"]}, "price": 9.99, "imUrl": "http://x/y.jpg"}
            for i in items
        ]
    elif year == 2018:
        meta = [
            {"asin": i, "title": i, "category": ["Baby"], "description": [f"<p>{description(i)}</p>", "Tom &amp; I"]}
            | {"brand": "Oak", "feature": ["soft"], "also_buy": ["B1"], "price": "$9.99"}
            for i in items
        ]
    else:
        meta = [
            {"main_category": "Baby", "title": i, "features": [], "description": [description(i)], "price": None}
            | {"store": "Oak", "categories": ["Baby"], "details": {"asin": "B1"}, "parent_asin": i}
            for i in items
        ]
    names = {
        2014: ("reviews_Baby.json.gz", "meta_Baby.json.gz"),
        2018: ("Baby.json.gz", "meta_Baby.json.gz"),
        2023: ("Baby.jsonl.gz", "meta_Baby.jsonl.gz"),
    }[year]
    write = repr if year == 2014 else json.dumps
    for name, records, form in ((names[0], reviews, json.dumps), (names[1], meta, write)):
        (folder / name).write_bytes(gzip.compress("".join(form(record) + "\n" for record in records).encode()))
    if images and year != 2023:
        with (folder / "image_features_Baby.b").open("wb") as file:
            for number, item in enumerate(items):
                file.write(item.encode())
                image_vector(number).tofile(file)
    return folder


def image_vector(number: int) -> np.ndarray:
    return np.random.default_rng(number).standard_normal(4096).astype("<f4")


def write_recbole(folder: Path, rows: list[Row]) -> Path:
    """Atomic files of one name, every second item with the same fact."""
    folder.mkdir(parents=True, exist_ok=True)
    items = items_of(rows)
    files = {
        "inter": ["user_id:token\titem_id:token\trating:float\ttimestamp:float"]
        + [f"{r.user}\t{r.item}\t{r.rating}\t{r.time}" for r in rows],
        "item": ["item_id:token\ttitle:token_seq\tclass:token\tpicture_emb:float_seq\tprice:float"]
        + [f'{i}\tThe "{description(i)}\tA\t{n} 1 {n * n}\t5' for n, i in enumerate(items)],
        "link": ["item_id:token\tentity_id:token", *(f"{i}\tm.{n}" for n, i in enumerate(items[:-1]))],
        "kg": ["head_id:token\trelation_id:token\ttail_id:token"]
        + [f"m.{n}\tfilm.genre\tm.genre{n % 2}" for n in range(len(items))]
        + [f"m.{n}\tfilm.place\tm.place{n % 3}" for n in range(len(items))],
    }
    for kind, lines in files.items():
        (folder / f"shop.{kind}").write_text("\n".join(lines) + "\n")
    return folder


def write_mmrec(folder: Path, *, users: int = 12, items: int = 12) -> Path:
    """A folder with placeholder times, as MMRec distributes them."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["userID\titemID\trating\ttimestamp\tx_label"]
    for user in range(users):
        lines += [f"{user}\t{(user + step) % items}\t5.0\t0\t{label}" for step, label in enumerate([0, 0, 0, 0, 1, 2])]
    (folder / f"{folder.name}.inter").write_text("\n".join(lines) + "\n")
    for number, (name, dim) in enumerate((("image", 5), ("text", 3), ("audio", 4))):
        features = np.random.default_rng(number).standard_normal((items, dim))
        np.save(folder / f"{name}_feat.npy", features.astype(np.float32))
    return folder
