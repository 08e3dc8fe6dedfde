"""Elementary functions of compiled loops against NumPy's in float64."""

import numba
import numpy as np
import pytest

from sea_core.kernels.elementary import exp2, exp_within_one, tanh


@pytest.mark.parametrize(
    ("name", "numbers", "exact"),
    [
        ("exp2", np.linspace(-100, 100, 4001), np.exp2),
        ("exp_within_one", np.linspace(-1, 1, 4001), np.exp),
        ("tanh", np.concatenate([np.linspace(-20, 20, 40_001), np.geomspace(1e-30, 1e30, 4001)]), np.tanh),
    ],
)
def test_results_are_right_to_the_last_bits_of_float32(name, numbers, exact):
    function = {"exp2": exp2, "exp_within_one": exp_within_one, "tanh": tanh}[name]

    @numba.njit
    def apply(values, results):
        for i in range(len(values)):
            results[i] = function(values[i])

    values = numbers.astype(np.float32)
    results = np.empty_like(values)
    apply(values, results)
    np.testing.assert_allclose(results, exact(values.astype(np.float64)), rtol=4e-7)
