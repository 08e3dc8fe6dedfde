"""How many threads a run gets where nobody says: a rule of the data's size, never of the machine's load.

Threads change the last bits of a run, so what the machine happens to do must not choose them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sea_core.data.dataset import Dataset

# Multiply-adds of a step below which two threads take longer than one, because they wait for each other at every
# operation. Measured on two cores: 1.08 times as long at 71 million, 0.98 at 156 million, 0.90 at 339 million.
LEAST_PRODUCTS = 120_000_000


def threads_that_pay(dataset: Dataset) -> int | None:
    """1 for data so small that a second thread costs more than it saves, whatever the model; None = all there are."""
    return 1 if step_products(dataset) < LEAST_PRODUCTS else None


def step_products(dataset: Dataset) -> int:
    """About the multiply-adds of a step of SEA at the released sizes: CLUB fit, Solosim and the projections' products.

    A fit of 50 steps takes 2,560 an item, modality and step; Solosim three products of 32 columns; a projection of
    width ``d`` is read by 384 outputs, twice over the items, and by about 320 three times over its own columns.
    """
    items = dataset.items
    widths = [values.shape[1] for values in dataset.features.values()]
    projections = sum(2 * 384 * items * width + 3 * 320 * width**2 for width in widths)
    return 50 * 2_560 * items * len(widths) + 3 * 32 * items**2 + projections
