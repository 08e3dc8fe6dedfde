"""A cluster of two real Ray nodes on this machine, one of which dies in the middle of a study."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.cluster_utils import Cluster

from study.records.study import load_study
from study.running.executors.ray_core import RayExecutor
from study.running.worker import TrialWorker
from tests.conftest import random_dataset
from tests.study.running.executors.test_ray_core import SETTINGS, logs, records
from tests.study.running.executors.workers import MortalWorker
from tests.study.small_searches import outcome, search
from tests.study.test_real_training import SMALL

pytestmark = [pytest.mark.slow, pytest.mark.timing]

QUICK_CHECKS = {
    "health_check_initial_delay_ms": 500,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A head with one core, to which the test's process belongs."""
    monkeypatch.setenv("SEA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SEA_TEST_FOLDER", str(tmp_path))
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "_system_config": QUICK_CHECKS})
    yield made
    ray.shutdown()
    made.shutdown()


def test_a_study_that_loses_one_of_two_nodes_equals_an_undisturbed_one(tmp_path: Path, cluster: Cluster) -> None:
    node = cluster.add_node(num_cpus=1)
    settings: dict[str, Any] = {**SETTINGS, "base": SMALL.override(epochs=10)}
    serial = search(tmp_path / "serial", 5, worker=TrialWorker(random_dataset(), threads=1), **settings)
    executor = RayExecutor(random_dataset(), workers=2, threads=1, address=cluster.address, worker=MortalWorker)
    removed: list[float] = []

    def remove_when_both_train() -> None:
        while len(list(tmp_path.glob("pid-*"))) < 2:
            time.sleep(0.05)
        cluster.remove_node(node, allow_graceful=False)
        removed.append(time.monotonic())

    remover = threading.Thread(target=remove_when_both_train, daemon=True)
    remover.start()
    store = search(tmp_path / "ray", 5, executor=executor, **settings)
    remover.join(30)
    executor.close()
    assert removed, "the node outlived the study: a weak test"
    assert sum(each["Alive"] for each in ray.nodes()) == 1
    assert outcome(store) == outcome(serial)
    assert records(tmp_path / "ray") == records(tmp_path / "serial")
    assert [trial.state for trial in load_study(tmp_path / "ray/tiny").trials] == ["complete"] * 5
    assert "lost: " in logs(tmp_path / "ray")
    assert "continued from a checkpoint" in logs(tmp_path / "ray")
