import json
from pathlib import Path

import pytest
import torch

from sea_core.__main__ import main
from sea_core.errors import run_program
from sea_core.receipts import read_receipts
from sea_core.run_folder import read_run_folder

QUICK = ["latent_dim=8", "item_mlp_hidden=8", "club_steps=2", "epochs=2", "learning_rate=0.01"]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache_folder: Path, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sea_core.project.project_folder", lambda: tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["sea_core", *words])
        code = run_program(main)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_training_prints_json_last_and_leaves_a_record_without_touching_test(run, tmp_path: Path) -> None:
    code, out, _ = run("train", "-d", "synthetic", "--set", *QUICK, "--seed", "7", "--out", "r", "--json")
    assert code == 0
    line = json.loads(out.splitlines()[-1])
    assert set(line) == {"seed", "best_epoch", "epochs", "seconds", "validation"}
    record = read_run_folder(tmp_path / "r")
    assert line["validation"] == record.record["validation"] == record.read_validation().means()
    assert record.record["seed"] == line["seed"] == 7
    assert record.read_embeddings() is not None
    assert record.read_test() is None
    assert not (tmp_path / "r/receipt.json").exists()


@pytest.mark.parametrize(("words", "threads"), [((), 1), (("--threads", "2"), 2)])
def test_small_data_train_on_one_thread_unless_more_are_asked_for(
    run, tmp_path: Path, words: tuple[str, ...], threads: int
) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        run("train", "-d", "synthetic", "--set", *QUICK, "--epochs", "1", "--out", "r", *words)
        assert read_run_folder(tmp_path / "r").record["threads"] == threads
    finally:
        torch.set_num_threads(before)


def test_test_is_opened_on_request_with_a_receipt_and_counts_openings(run, tmp_path: Path) -> None:
    words = ("train", "-d", "synthetic", "--set", *QUICK, "--out", "r", "--json", "--test")
    code, out, _ = run(*words)
    assert code == 0
    opened = read_run_folder(tmp_path / "r").read_test()
    assert opened is not None
    assert json.loads(out.splitlines()[-1])["test"] == opened.means()
    assert len(read_receipts(tmp_path / "r/receipt.json")) == 1
    run(*words)
    assert len(read_receipts(tmp_path / "r/receipt.json")) == 2


def test_another_run_is_never_overwritten(run, tmp_path: Path) -> None:
    run("train", "-d", "synthetic", "--set", *QUICK, "--out", "r")
    before = (tmp_path / "r/record.json").read_bytes()
    code, _, err = run("train", "-d", "synthetic", "--set", *QUICK, "temperature=0.3", "--out", "r")
    assert code == 2
    assert "holds another run" in err
    assert (tmp_path / "r/record.json").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-d", "synthetik"], "unknown dataset 'synthetik'"),
        (["-d", "synthetic", "--preset", "papr"], "unknown preset 'papr'; did you mean 'paper'?"),
        (["-d", "synthetic", "--set", "temprature=1"], "did you mean 'temperature'?"),
        (["-d", "synthetic", "--set", "temperature=-1"], "temperature must be > 0, got -1"),
        (["-d", "synthetic", "--config", "none.yaml"], "none.yaml"),
        (["-d", "synthetic", "--device", "tpu"], "unknown device 'tpu'"),
        (["-d", "synthetic", "--device", "cuda:77"], "not available"),
        (["-d", "synthetic", "--threads", "0"], "--threads must be at least 1"),
        (["-d", "synthetic", "--out", "/dev/null/x"], "/dev/null/x"),
    ],
)
def test_a_mistake_is_one_line_with_exit_code_2_and_nothing_written(
    run, tmp_path: Path, words: list[str], message: str
) -> None:
    code, out, err = run("train", *words)
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert [path for path in tmp_path.iterdir() if path.name != "cache"] == []
