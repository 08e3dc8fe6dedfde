"""What the compiler leaves must not depend on who compiled."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TRAIN = """
from sea_core.config import Config
from sea_core.kernels.club_net import LEAST_ROWS
from sea_core.training.run import TrainingRun
from tests.conftest import random_dataset

data = random_dataset(items=LEAST_ROWS + 72)
run = TrainingRun(Config(latent_dim=8, knn_k=4), data, seed=3)
for _ in range(2):
    run.advance()
print(run.weights_hash())
"""


@pytest.mark.slow
def test_the_process_that_compiles_gets_the_bits_of_those_that_find_the_code_in_the_cache(tmp_path: Path) -> None:
    environment = {**os.environ, "SEA_CACHE": str(tmp_path), "PYTHONPATH": str(ROOT)}
    hashes = []
    for _ in range(3):
        process = subprocess.run([sys.executable, "-c", TRAIN], env=environment, capture_output=True, text=True)
        assert process.returncode == 0, process.stderr
        hashes.append(process.stdout.split()[-1])
        assert list(tmp_path.rglob("*.nbc")), "no machine code in the cache: nothing was compared"
    assert len(set(hashes)) == 1, hashes
