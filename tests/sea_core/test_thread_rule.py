"""Which data get one thread: by their size alone."""

import numpy as np
import pytest

from benchmarks.problem import BABY, Size
from benchmarks.roofline import LFM2K, MIDDLE, sea_parts
from sea_core.config import Config
from sea_core.data.dataset import Dataset, Interactions
from sea_core.thread_rule import step_products, threads_that_pay


def data_of(size: Size) -> Dataset:
    pairs = Interactions(np.zeros(1, np.int64), np.zeros(1, np.int64))
    widths = {"image": size.image_dim, "text": size.text_dim}
    features = {name: np.broadcast_to(np.float32(0), (size.items, width)) for name, width in widths.items()}
    return Dataset("sized", "", size.users, size.items, pairs, pairs, features)


@pytest.mark.parametrize(
    ("items", "widths", "threads"),
    [(200, (48, 32), 1), (200, (32, 32), 1), (400, (64, 64), None), (100, (4096, 384), None), (1425, (512, 384), None)],
)
def test_small_data_get_one_thread_and_wide_features_are_not_small(items, widths, threads):
    data = data_of(Size(items=items, image_dim=widths[0], text_dim=widths[1]))
    assert threads_that_pay(data) == threads


@pytest.mark.parametrize("size", [LFM2K, MIDDLE, BABY])
def test_the_count_is_about_that_of_the_roofline(size):
    counted = sum(part.products for name, part in sea_parts(size, Config()).items() if name != "item MLP, heads")
    assert step_products(data_of(size)) == pytest.approx(counted, rel=0.2)
