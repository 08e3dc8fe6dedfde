import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.study.small_searches import search

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where ``make dashboard`` serves a small study."""
    pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed")
    root = tmp_path_factory.mktemp("dashboard")
    search(root, 8)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # The requirements are those this test runs with; `-o` says so.
    command = ["make", "dashboard", "-o", "setup-dev", f"STUDY={root / 'tiny'}", f"PORT={port}", f"VENV={sys.prefix}"]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            assert process.poll() is None, "the dashboard ended"
            try:
                urllib.request.urlopen(address, timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def fetch(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=30) as answer:
        content: bytes = answer.read()
    return content


@pytest.mark.timing
@pytest.mark.slow
def test_the_dashboard_shows_a_study_with_its_trials(address: str) -> None:
    assert b"Optuna Dashboard" in fetch(f"{address}/dashboard")
    (study,) = json.loads(fetch(f"{address}/api/studies"))["study_summaries"]
    assert study["study_name"] == "tiny"
    assert study["directions"] == ["maximize"]
    detail = json.loads(fetch(f"{address}/api/studies/{study['study_id']}"))
    assert [trial["number"] for trial in detail["trials"]] == list(range(8))
    assert {trial["state"] for trial in detail["trials"]} == {"Complete", "Pruned"}
    assert {param["name"] for trial in detail["trials"] for param in trial["params"]} == {
        "temperature",
        "split_ratio",
        "knn_k",
        "gnn_layers",
    }


@pytest.mark.timing
@pytest.mark.slow
def test_a_study_that_is_not_there_is_said_so() -> None:
    command = ["make", "dashboard", "-o", "setup-dev", "STUDY=results/nothing"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "make dashboard STUDY=results/<study>" in ended.stderr
