import pickle
from dataclasses import replace

import numpy as np
import pytest

from sea_core.config import Config
from sea_core.data.dataset import aligned
from sea_core.training.run import TrainingRun
from tests.conftest import random_dataset


def displaced(array: np.ndarray, by: int) -> np.ndarray:
    """A copy whose data lie ``by`` bytes behind a multiple of 64."""
    memory = np.empty(array.nbytes + 128, dtype=np.uint8)
    start = -memory.ctypes.data % 64 + by
    copy = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    assert copy.ctypes.data % 64 == by
    return copy


def addresses(features: dict[str, np.ndarray]) -> list[int]:
    return [array.ctypes.data % 64 for array in features.values()]


@pytest.mark.parametrize("by", [4, 16])
def test_features_at_an_odd_address_give_the_weights_of_aligned_ones(cache_folder: object, by: int) -> None:
    plain = random_dataset()
    odd = replace(plain, features={name: displaced(array, by) for name, array in plain.features.items()})
    unpickled = pickle.loads(pickle.dumps(plain))
    assert addresses(odd.features) == addresses(plain.features) == addresses(unpickled.features) == [0, 0]
    runs = [TrainingRun(Config(latent_dim=4, knn_k=4), data, seed=3) for data in (plain, odd, unpickled)]
    hashes = set()
    for run in runs:
        run.advance()
        hashes.add(run.weights_hash())
    assert len(hashes) == 1


def test_an_aligned_array_is_not_copied_and_others_keep_their_values() -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    already = displaced(values, 0)
    assert aligned(already) is already
    for other in (displaced(values, 4), displaced(values.T, 0).T):
        result = aligned(other)
        assert result is not other
        assert result.flags.c_contiguous
        assert result.ctypes.data % 64 == 0
        assert np.array_equal(result, values)
    assert aligned(np.empty((0, 3), dtype=np.float32)).shape == (0, 3)
