"""Disks that are full or read-only, under the real program: one line, exit code 2, and nothing finished is lost."""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from optuna.exceptions import StorageInternalError

from sea_core.errors import UserError
from study.records.disk_errors import explain_disk_errors

PROGRAM = Path(__file__).parents[3] / "study" / "run_search.py"
COMMAND = [sys.executable, str(PROGRAM), "-d", "synthetic:users=40,items=30,interactions=8,dims=8/6", "--quiet"]
COMMAND += ["--n-trials", "6", "--final-epochs", "3", "--threads", "1", "--fresh-seeds", "1", "--finalists", "1"]
COMMAND += ["--no-ablations", "--set", "latent_dim=4", "batch_size=64"]
# Root is above the bits of a folder, unless it gives that up.
POWERLESS = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            OSError(28, "No space left on device", "results/s/trials/3/record.json"),
            "write results/s/trials/3/record.json: No",
        ),
        (OSError(28, "No space left on device"), "cannot write results/s: No space left"),
        (StorageInternalError("An exception"), "cannot write the storage of results/s: An exception"),
    ],
)
def test_what_a_disk_says_becomes_advice(error: Exception, message: str) -> None:
    advice = "finished work is kept, and the same command continues"
    with pytest.raises(UserError, match=advice) as caught, explain_disk_errors(Path("results/s")):
        raise error
    assert message in str(caught.value)


def run(out: Path, *, file_bytes: int | None = None, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """The program, with a limit on the size of a file, or behind another program."""

    def limit() -> None:
        if file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, resource.RLIM_INFINITY))

    return subprocess.run(
        [*before, *COMMAND, "--out", str(out)],
        capture_output=True,
        text=True,
        preexec_fn=limit,
        env={**os.environ, "SEA_CACHE": str(out.parent / "cache")},
        check=False,
    )


def tables(out: Path) -> list[bytes]:
    (root,) = out.glob("synthetic-*")
    hashes = [json.loads(path.read_text())["weights_hash"] for path in sorted(root.glob("**/seed-*/record.json"))]
    return [(root / "tables/trials.csv").read_bytes(), json.dumps(hashes).encode()]


@pytest.mark.slow
def test_a_full_disk_stops_the_study_and_the_same_command_continues_it(tmp_path: Path) -> None:
    assert run(tmp_path / "whole").returncode == 0
    kept: dict[str, bytes] = {}
    # Too little for the database's tables, for its journal, for some trials, for more of them.
    for size in (3_000, 60_000, 130_000, 180_000, 230_000):
        full = run(tmp_path / "full", file_bytes=size)
        assert full.returncode == 2, full.stderr
        lines = [line for line in full.stderr.splitlines() if not line.startswith("Could not save font_manager")]
        assert len(lines) == 1, full.stderr
        assert lines[0].startswith("error: cannot ")
        assert str(tmp_path / "full") in lines[0]
        assert "disk" in lines[0] or "File too large" in lines[0]
        for name, content in kept.items():
            assert (tmp_path / "full" / name).read_bytes() == content, "a finished trial's record was touched"
        kept = {
            str(path.relative_to(tmp_path / "full")): path.read_bytes()
            for path in (tmp_path / "full").glob("*/trials/*/record.json")
        }
    assert kept, "the disk was full before a trial was finished: a weak test"
    mended = run(tmp_path / "full")
    assert mended.returncode == 0, mended.stderr
    assert tables(tmp_path / "full") == tables(tmp_path / "whole")


@pytest.mark.slow
def test_a_folder_that_may_not_be_written_is_one_line_and_nothing_changes(tmp_path: Path) -> None:
    out, before = tmp_path / "out", POWERLESS if os.getuid() == 0 else ()
    if before and shutil.which("setpriv") is None:
        pytest.skip("setpriv, which takes root's power over folders away, is not installed")
    out.mkdir()
    close(out)
    refused = run(out, before=before)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1, refused.stderr
    assert "cannot write in" in refused.stderr
    assert "choose another folder with --out" in refused.stderr
    assert list(out.iterdir()) == []

    out.chmod(0o755)
    assert run(out).returncode == 0
    contents = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    close(out)
    again = run(out, before=before)
    assert again.returncode == 2, again.stderr
    assert again.stderr.count("\n") == 1, again.stderr
    assert "cannot write in" in again.stderr
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == contents


def close(folder: Path) -> None:
    """Take away the right to write, also from root if it is powerless."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
        if os.getuid() == 0:
            os.chown(path, 65534, 65534)


@pytest.mark.slow
def test_a_full_disk_under_a_single_training_is_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sea_core", "train", "-d", "synthetic", "--out", str(tmp_path / "run"), "--quiet"]
    command += ["--set", "epochs=2"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, resource.RLIM_INFINITY)),
        env={**os.environ, "SEA_CACHE": str(tmp_path / "cache")},
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"error: cannot use {tmp_path}/run/")
    assert "File too large; mend that and repeat the command" in done.stderr
    assert "Traceback" not in done.stderr
