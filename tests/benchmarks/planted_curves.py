"""A table of learning curves whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.curve_plan import SEEDS, configuration, is_replicated
from benchmarks.curve_surrogate import epochs_run
from study.searching.space import Space, load_space

SPACE: Space = load_space("default")
MOST_EPOCHS = 120
STOPPING_STEP = 10


def true_curve(parameters: dict[str, object]) -> np.ndarray:
    """Quality falls with the distance of temperature and learning rate from their best; the rate sets the pace."""
    rate, temperature = np.log10(float(parameters["learning_rate"])), np.log(float(parameters["temperature"]))
    level = 0.4 - 0.08 * (rate + 3) ** 2 - 0.03 * (temperature - np.log(0.2)) ** 2
    pace = 25 * 10 ** (-(rate + 3) / 2)
    return level * (1 - 0.9 * np.exp(-np.arange(MOST_EPOCHS) / pace))


def planted_curves(configurations: int = 100, *, seed: int = 0, between_seeds: float = 0.01) -> pd.DataFrame:
    """As ``make_curves.py`` would have measured them."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(configurations):
        parameters = configuration(number, SPACE)
        for each in SEEDS if is_replicated(number) else SEEDS[:1]:
            noise = (1 + between_seeds * rng.standard_normal()) * (1 + 0.004 * rng.standard_normal(MOST_EPOCHS))
            curve = true_curve(parameters) * noise
            run = curve[: epochs_run(curve, STOPPING_STEP)]
            rows += [
                {
                    "configuration": number,
                    "seed": each,
                    "epoch": epoch,
                    **parameters,
                    "recall@20": value,
                    "end": "stopped",
                }
                for epoch, value in enumerate(run)
            ]
    return pd.DataFrame(rows)
