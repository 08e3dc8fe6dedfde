"""Linear probes: how much of one representation can be read off another."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

_PENALTIES = np.logspace(-3, 6, 10)


def linear_probe_r2(
    inputs: Float[np.ndarray, "items input_dim"],
    targets: Float[np.ndarray, "items target_dim"],
    *,
    rng: np.random.Generator,
    folds: int = 5,
) -> float:
    """Share of the targets' variance that a ridge regression on the inputs predicts for items it has not seen.

    1 is "all of it", 0 "no better than the mean"; it is negative where the probe only misleads. Near 0 means no
    *linear* dependence (see ``dependence.py`` for the rest). The penalty is chosen inside each training fold.

    Source: Alain and Bengio (2017).

    Raises:
        ValueError: if the targets do not vary.
    """
    targets = targets.astype(np.float64)
    error = spread = 0.0
    splitter = KFold(folds, shuffle=True, random_state=int(rng.integers(2**31)))
    for train, held_out in splitter.split(inputs):
        scaler = StandardScaler().fit(inputs[train].astype(np.float64))
        probe = RidgeCV(alphas=_PENALTIES).fit(scaler.transform(inputs[train]), targets[train])
        predicted = probe.predict(scaler.transform(inputs[held_out])).reshape(len(held_out), -1)
        error += float(np.square(targets[held_out] - predicted).sum())
        spread += float(np.square(targets[held_out] - targets[train].mean(axis=0)).sum())
    if spread == 0:
        raise ValueError("a probe needs targets that vary")
    return 1 - error / spread
