"""The program, from its command line to its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sea_core.errors import UserError
from study.bundle import main
from study.records.lock import hold_lock
from study.run_search import main as run_search
from tests.study.reporting.bundling.bundles import repack, write_bundle_of
from tests.study.results import write_search

DATA = "synthetic:users=40,items=30,interactions=8,dims=8/6"
SMALL = ["latent_dim=4", "item_mlp_hidden=6", "align_hidden=4", "align_out=4", "distance_dim=4", "club_steps=2"]


@pytest.fixture(autouse=True)
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plots.lib.pictures.study_pictures", lambda results, out: [])


def test_a_bundle_lies_beside_its_study_and_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = write_bundle_of(tmp_path)
    assert bundle == tmp_path / "tiny-search-bundle.zip"
    assert main(["--verify", str(bundle), "--no-replay"]) == 0
    assert "each with the content that was bundled\ntables: " in capsys.readouterr().out


@pytest.mark.slow
def test_without_the_data_the_hash_they_need_is_said_and_tables_are_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = write_bundle_of(tmp_path)
    assert main(["--verify", str(bundle), "--data-root", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert f"not trained again: trials/0 needs data with the hash {'d' * 16}" in printed
    assert "computed from the records again and equal" in printed
    assert main(["--verify", str(bundle), "--data-root", str(tmp_path), "--run", "0"]) == 1, "it was asked for"


def test_a_table_that_its_records_do_not_give_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = write_bundle_of(tmp_path)
    member = f"{bundle.stem}/results/tiny-search/tables/ablation.csv"

    def forge(members: dict[str, bytes]) -> None:
        members[member] = members[member].replace(b"no-club", b"no-clib")

    assert main(["--verify", str(repack(bundle, forge, honest=True)), "--no-replay"]) == 1
    assert "table ablation differs: row 5, name: 'no-clib'; computed 'no-club'" in capsys.readouterr().out


def test_a_study_that_is_still_driven_is_not_bundled(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    with hold_lock(root), pytest.raises(UserError, match=r"is being written by process \d+ .*; wait for it"):
        main([str(root)])
    assert not list(tmp_path.glob("*.zip"))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b'a,b\n1,2,3\n"'])
def test_a_table_that_is_no_csv_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    bundle = write_bundle_of(tmp_path)

    def forge(members: dict[str, bytes]) -> None:
        members[f"{bundle.stem}/results/tiny-search/tables/ablation.csv"] = content

    assert main(["--verify", str(repack(bundle, forge, honest=True)), "--no-replay"]) == 1
    assert "table ablation differs: ablation.csv is no table: " in capsys.readouterr().out


@pytest.mark.parametrize("commits", [5, [5], [None], "x"])
def test_commits_of_any_form_end_in_no_traceback(tmp_path: Path, commits: object) -> None:
    bundle = write_bundle_of(tmp_path)

    def forge(members: dict[str, bytes]) -> None:
        members[f"{bundle.stem}/environment.json"] = json.dumps({"commits": commits}).encode()

    forged = repack(bundle, forge, honest=True)
    if commits == 5:
        with pytest.raises(UserError, match=r"environment\.json is missing or damaged"):
            main(["--verify", str(forged), "--no-replay"])
    else:
        assert main(["--verify", str(forged), "--no-replay"]) == 0


def test_data_that_were_named_and_are_none_are_the_users_mistake(tmp_path: Path) -> None:
    bundle = write_bundle_of(tmp_path)
    with pytest.raises(UserError, match="unknown dataset 'nowhere'"):
        main(["--verify", str(bundle), "-d", "nowhere", "--run", "0"])


def test_bad_input_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    unfinished = write_search(tmp_path)
    (unfinished / "trials" / "1").mkdir()
    cases = {
        "no study folder": [str(tmp_path / "absent")],
        "holds no finished run": [str(tmp_path / "empty")],
        "1 run begun without a record, the first is trials/1": [str(unfinished)],
        "give a study to bundle, or a bundle to check": [],
        "or a bundle to check": [str(unfinished), "--verify", "x.zip"],
        "no bundle x.zip": ["--verify", "x.zip"],
        "keep one of them": ["--verify", "x.zip", "--no-replay", "--run", "0"],
        "--run belongs to --verify": [str(unfinished), "--run", "0"],
        "--no-replay belongs to --verify": [str(unfinished), "--no-replay"],
        "--dataset belongs to --verify": [str(unfinished), "-d", "synthetic"],
        "--out names the file of a new bundle": ["--verify", "x.zip", "--out", "y.zip"],
    }
    for message, arguments in cases.items():
        with pytest.raises(UserError) as caught:
            main(arguments)
        assert message in str(caught.value)


@pytest.mark.slow
def test_one_run_is_trained_again_to_the_bit_and_a_forged_one_is_found(
    tmp_path: Path, cache_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ["--n-trials", "1", "--finalists", "1", "--fresh-seeds", "2", "--no-ablations", "--quiet", "--threads", "1"]
    out = ["--out", str(tmp_path), "--study-name", "small"]
    assert run_search(["-d", DATA, *few, *out, "--set", "epochs=2", *SMALL]) == 0
    assert main([str(tmp_path / "small")]) == 0
    bundle = tmp_path / "small-bundle.zip"
    assert bundle.stat().st_size < 20e6
    capsys.readouterr()
    assert main(["--verify", str(bundle)]) == 0
    assert "(chosen at random; --run trains it again): reproduced to the bit" in capsys.readouterr().out
    record = f"{bundle.stem}/results/small/trials/0/record.json"

    def forge(members: dict[str, bytes]) -> None:
        members[record] = json.dumps({**json.loads(members[record]), "weights_hash": "0" * 16}).encode()

    assert main(["--verify", str(repack(bundle, forge, honest=True)), "--run", "0"]) == 1
    assert "run trials/0: first difference at final weights: recorded '0000" in capsys.readouterr().out

    def damage(members: dict[str, bytes]) -> None:
        kept = json.loads(members[record])
        del kept["weights_hash"]
        members[record] = json.dumps(kept).encode()

    with pytest.raises(UserError, match=r"record\.json does not say weights_hash"):
        main(["--verify", str(repack(bundle, damage, honest=True)), "--run", "0"])
