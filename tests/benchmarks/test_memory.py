"""What the memory benchmarks report is their children's own."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.problem import Size
from benchmarks.step_memory import training_memory

TINY = Size(users=50, items=40, interactions=200, validation=60, image_dim=16, text_dim=8)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="the system tells no program's own peak")
def test_the_peak_of_training_does_not_include_the_parents_memory():
    ballast = np.ones(2 * 10**8)  # 1.6 GB that the parent really has
    finished = training_memory(TINY, epochs=1)
    assert ballast[-1] == 1
    assert 0.1 < finished.peak_gb < 1.2  # Python with PyTorch
    assert finished.result > 0
