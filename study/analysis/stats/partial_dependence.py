"""How a score depends on one parameter while all others stay as they were tried: from a Gaussian process."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import linalg
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

MOST = 128  # trials that the surrogate sees: the fit takes seconds with more
_BACKGROUND = 64  # trials that are averaged over
_95 = 1.959963984540054


class Dependence(NamedTuple):
    """Mean predicted score at some values of one parameter, with its 95 % band (of the surrogate's posterior)."""

    mean: Float[np.ndarray, " values"]
    low: Float[np.ndarray, " values"]
    high: Float[np.ndarray, " values"]


class Surrogate:
    """A Gaussian process over parameters in [0, 1]: Matérn 5/2, a length scale a column, and noise.

    Attributes:
        explained: share of the variance that is predicted of trials which were left out, one at a time; 0 or less is no
            better than their mean.

    Source: Rasmussen and Williams (2006), algorithm 2.1 and equations 5.10 to 5.12 (left-out predictions); partial
    dependence as Friedman (2001), its variance being that of a mean of correlated predictions.
    """

    def __init__(self, points: Float[np.ndarray, "trials columns"], values: Float[np.ndarray, " trials"]) -> None:
        """Fit it by maximum likelihood; the same trials give the same surrogate.

        Args:
            points: one row a trial.
            values: their scores. Of more than 128 trials as many are taken, evenly.

        Raises:
            ValueError: fewer than 3 trials, values that are not finite or are all the same, points outside [0, 1].
        """
        if len(points) < 3 or not np.isfinite(values).all() or np.ptp(values) == 0:
            raise ValueError("a surrogate needs three trials or more with finite values that differ")
        if not np.isfinite(points).all() or points.min() < 0 or points.max() > 1:
            raise ValueError("points must lie in [0, 1]")
        chosen = np.unique(np.linspace(0, len(points) - 1, min(len(points), MOST)).round().astype(int))
        self._points, observed = points[chosen], values[chosen].astype(np.float64)
        self._centre, self._scale = float(observed.mean()), float(observed.std())
        scaled = (observed - self._centre) / self._scale
        kernel = ConstantKernel(1.0, (0.05, 20.0)) * Matern(
            np.ones(points.shape[1]), (0.1, 20.0), nu=2.5
        ) + WhiteKernel(0.3, (1e-3, 2.0))
        with warnings.catch_warnings():  # a length scale at its bound says that a parameter does nothing
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = GaussianProcessRegressor(kernel, random_state=0).fit(self._points, scaled).kernel_
        self._signal, noise = fitted.k1, float(fitted.k2.noise_level)
        covariance = self._signal(self._points) + noise * np.eye(len(chosen))
        self._factor = linalg.cho_factor(covariance, lower=True)
        self._weights = linalg.cho_solve(self._factor, scaled)
        inverse = linalg.cho_solve(self._factor, np.eye(len(chosen)))
        missed = self._weights / np.diag(inverse)  # by the prediction from all other trials
        alone = scaled * len(scaled) / (len(scaled) - 1)  # by the mean of all other trials
        self.explained = float(1 - (missed**2).sum() / (alone**2).sum())

    def dependence(self, columns: Sequence[int], settings: Float[np.ndarray, "values chosen"]) -> Dependence:
        """Mean prediction over the trials when some columns are set to given values.

        Args:
            columns: those of one parameter; several where a name of a few is coded by one column each.
            settings: one row a value of the parameter.
        """
        step = max(1, len(self._points) // _BACKGROUND)
        background = self._points[::step]
        means, variances = [], []
        for setting in settings:
            changed = background.copy()
            changed[:, list(columns)] = setting
            across = self._signal(changed, self._points).mean(axis=0)
            means.append(float(across @ self._weights))
            left = float(self._signal(changed).mean() - across @ linalg.cho_solve(self._factor, across))
            variances.append(max(left, 0.0))
        mean = self._centre + self._scale * np.array(means)
        reach = _95 * self._scale * np.sqrt(np.array(variances))
        return Dependence(mean, mean - reach, mean + reach)
