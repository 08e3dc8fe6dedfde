"""The folder as a whole: new or not at all, gone on with after an interruption, equal bytes for equal input."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sea_core.data.catalogue import load_dataset
from sea_core.data.prepare import folder as parts
from sea_core.data.prepare import pipeline
from sea_core.errors import UserError
from tests.sea_core.data.prepare.raw_files import manifest, run_prepare, shop, write_csv

FILES = {
    "items.tsv",
    "users.tsv",
    "dataset.json",
    "text_feat.npy",
    "text_feat.json",
    "image_feat.npy",
    "image_feat.json",
}


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    raw = write_csv(tmp_path / "raw", shop())
    np.save(raw / "image.npy", np.random.default_rng(0).standard_normal((12, 3)))
    return raw


def prepared(raw: Path, out: Path, *words: object) -> dict[str, bytes]:
    assert run_prepare("csv", raw, out, "--k-core", 2, "--dims", 4, *words) == 0
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_a_folder_holds_what_it_should_and_nothing_else(raw: Path, tmp_path: Path) -> None:
    files = prepared(raw, tmp_path / "data" / "shop")
    assert files.keys() == FILES | {"shop.inter"}
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["shop"]


def test_equal_input_gives_equal_bytes(raw: Path, tmp_path: Path) -> None:
    assert prepared(raw, tmp_path / "a" / "shop") == prepared(raw, tmp_path / "b" / "shop")
    other = prepared(raw, tmp_path / "c" / "shop", "--seed", 1)
    assert other["shop.inter"] != (tmp_path / "a" / "shop" / "shop.inter").read_bytes()


def test_a_dry_run_counts_and_writes_nothing(raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert run_prepare("csv", raw, tmp_path / "out" / "shop", "--k-core", 2, "--dry-run") == 0
    assert sorted(tmp_path.rglob("*")) == before
    dry = capsys.readouterr().out
    prepared(raw, tmp_path / "out" / "shop")
    wet = capsys.readouterr().out
    assert dry.splitlines()[:-1] == wet.splitlines()[: len(dry.splitlines()) - 1]
    for step in ("read", "duplicates left out", "2-core", "split random"):
        assert f"\n{step}" in dry


@pytest.mark.parametrize("stage", ["write_interactions", "write_ids", "write_features", "_check"])
def test_the_same_command_goes_on_after_an_interruption(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    whole = prepared(raw, tmp_path / "a" / "shop")
    real, calls = getattr(pipeline, stage), []

    def interrupted(*arguments: object) -> object:
        calls.append(stage)
        if len(calls) == 2 or stage in ("write_interactions", "_check"):
            raise KeyboardInterrupt
        return real(*arguments)

    out = tmp_path / "b" / "shop"
    monkeypatch.setattr(pipeline, stage, interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepared(raw, out)
    assert not out.exists()
    monkeypatch.setattr(pipeline, stage, real)
    assert prepared(raw, out) == whole
    assert [path.name for path in out.parent.iterdir()] == ["shop"]


def test_parts_that_are_there_are_not_made_again(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    real = parts.write_features

    def counted(folder: Path, content: object, *others: object) -> object:
        made.append(content.modality)  # type: ignore[attr-defined]
        if made == ["image", "text"]:
            raise KeyboardInterrupt
        return real(folder, content, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "write_features", counted)
    monkeypatch.setattr(pipeline, "take_steps", pipeline.take_steps)
    with pytest.raises(KeyboardInterrupt):
        prepared(raw, tmp_path / "shop")
    monkeypatch.setattr(pipeline, "take_steps", None)  # a second call would fail
    prepared(raw, tmp_path / "shop")
    assert made == ["image", "text", "text"]


def test_an_interrupted_run_with_other_choices_or_files_is_not_gone_on_with(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pipeline._check
    monkeypatch.setattr(pipeline, "_check", lambda work: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        prepared(raw, tmp_path / "shop")
    monkeypatch.setattr(pipeline, "_check", real)
    write_csv(raw, shop(seed=1))
    assert prepared(raw, tmp_path / "shop", "--seed", 3) == prepared(raw, tmp_path / "again" / "shop", "--seed", 3)


@pytest.mark.slow
def test_a_killed_program_leaves_nothing_and_the_same_command_goes_on(raw: Path, tmp_path: Path) -> None:
    whole = prepared(raw, tmp_path / "a" / "shop")
    out = tmp_path / "b" / "shop"
    words = ["data", "prepare", "csv", str(raw), str(out), "--k-core", "2", "--dims", "4"]
    command = [sys.executable, "-m", "sea_core", *words]
    # Killed when the interactions are written and the features are not.
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("features"):
                process.kill()
    assert process.returncode == -signal.SIGKILL
    assert not out.exists()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "going on with .shop.preparing" in done.stderr
    assert {path.name: path.read_bytes() for path in out.iterdir()} == whole
    assert [path.name for path in out.parent.iterdir()] == ["shop"]
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert again.stderr == f"error: {out} exists; choose another folder, or remove it first\n"


def test_a_faulty_file_leaves_nothing_behind(raw: Path, tmp_path: Path) -> None:
    (raw / "interactions.csv").write_text("user,item\nann\n")
    with pytest.raises(UserError):
        prepared(raw, tmp_path / "out" / "shop")
    assert [*(tmp_path / "out").iterdir()] == []


def test_an_existing_folder_is_never_touched(raw: Path, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    with pytest.raises(UserError, match="shop exists; choose another folder, or remove it first"):
        prepared(raw, tmp_path / "shop")
    with pytest.raises(UserError, match="the folder's name is the dataset's"):
        prepared(raw, tmp_path / "my shop")


def test_two_at_a_time_are_refused(raw: Path, tmp_path: Path) -> None:
    from filelock import FileLock

    with FileLock(tmp_path / ".shop.preparing.lock"), pytest.raises(UserError, match="another process is preparing it"):
        prepared(raw, tmp_path / "shop")


def test_protocol_and_seed_are_part_of_the_data_hash(raw: Path, tmp_path: Path) -> None:
    prepared(raw, tmp_path / "shop", "--split", "user-time")
    first = load_dataset(str(tmp_path / "shop"))
    assert first.protocol == {"protocol": "user-time", "ratios": "8:1:1"}
    path = tmp_path / "shop" / "dataset.json"
    path.write_text(path.read_text().replace('"protocol": "user-time"', '"protocol": "global-time"'))
    other = load_dataset(str(tmp_path / "shop"))
    assert other.split_hash == first.split_hash
    assert other.data_hash != first.data_hash


def test_a_random_split_of_timed_rows_warns(raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepared(raw, tmp_path / "random")
    assert "trains on rows later than those it tests on" in capsys.readouterr().err
    assert any("later than those" in note for note in load_dataset(str(tmp_path / "random")).notes)
    prepared(raw, tmp_path / "timed", "--split", "global-time")
    assert "later than those" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--k-core", 50], "nothing is left of .* interactions: .* smaller --k-core"),
        (["--k-core", -1], "--k-core must be at least 0"),
        (["--min-rating", 9], "no interactions are left before the k-core"),
        (["--dims", 1], "--dims must be at least 2"),
        (["--modalities", "sound"], "the raw files have no 'sound'"),
        (["--modalities", "text", "text"], "names one twice"),
        (["--columns", "user"], "must be like user=UID"),
        (["--columns", "who=UID"], "unknown column 'who'"),
        (["--ratios", "1:0:1"], "leaves the validation split empty"),
    ],
)
def test_impossible_choices_are_refused(raw: Path, tmp_path: Path, words: list[object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        prepared(raw, tmp_path / "out", *words)
    assert not (tmp_path / "out").exists()


def test_the_modalities_come_in_the_order_asked_for(raw: Path, tmp_path: Path) -> None:
    prepared(raw, tmp_path / "shop", "--modalities", "text", "image")
    assert load_dataset(str(tmp_path / "shop")).modalities == ("text", "image")
    assert list(manifest(tmp_path / "shop")["features"]) == ["text", "image"]
    prepared(raw, tmp_path / "commas", "--modalities", "text,image")
    assert load_dataset(str(tmp_path / "commas")).modalities == ("text", "image")
