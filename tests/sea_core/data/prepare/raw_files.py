"""Small raw files in every layout, from one made-up shop, and a way to prepare them."""

import argparse
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
