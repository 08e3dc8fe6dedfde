"""The worked example of docs/data.md is run, and prints what the page says it prints."""

import re
import shlex
from pathlib import Path

import pytest

from sea_core.data.catalogue import load_dataset
from tests.sea_core.data.prepare.raw_files import run_prepare

PAGE = (Path(__file__).parents[3] / "docs" / "data.md").read_text()


def block(kind: str, after: str) -> str:
    """The first block of a kind below some words."""
    match = re.search(rf"```{kind}\n(.*?)```", PAGE[PAGE.index(after) :], re.S)
    assert match is not None
    return match[1]


def test_the_example_prints_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    raw = tmp_path / "shop-raw"
    raw.mkdir()
    for name in ("interactions.csv", "items.csv"):
        (raw / name).write_text(block("csv", f"\n`{name}` has"))
    *_, data, command, layout, source, out = (words := shlex.split(block("sh", "One command makes")))[:8]
    assert (data, command, layout) == ("data", "prepare", "csv")
    assert run_prepare(layout, source, out, *words[8:]) == 0
    assert capsys.readouterr().out == block("text", "It tells what is left")
    listed = re.findall(r"^\| (`.*?`) \|", PAGE[PAGE.index("The folder holds:") : PAGE.index("If your columns")], re.M)
    names = {name for cell in listed for name in re.findall(r"`([^`]+)`", cell)}
    assert names == {path.name for path in (tmp_path / out).iterdir()}
    assert load_dataset("shop").modalities == ("text",)


def test_every_command_and_choice_of_the_page_exists() -> None:
    from sea_core.data.prepare.layouts.registry import layouts
    from sea_core.data.prepare.splitting import PROTOCOLS
    from sea_core.data.transforms import transform_names

    tables = {
        "## Raw files that are understood": layouts().keys(),
        "## What a split allows you to claim": PROTOCOLS.keys(),
    }
    for heading, expected in tables.items():
        part = PAGE[PAGE.index(heading) :]
        part = part[: part.index("\n## ", 5)]
        assert set(re.findall(r"^\| `([^`-][^`]*)` \|", part, re.M)) == set(expected), heading
    part = PAGE[PAGE.index("## Does a modality matter?") :]
    for name in transform_names():
        assert f"`{name}" in part, name
