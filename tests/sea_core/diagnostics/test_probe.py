"""Linear probes and the recovery of planted factors."""

from __future__ import annotations

import numpy as np
import pytest

from sea_core.diagnostics.probe import linear_probe_r2
from sea_core.diagnostics.recovery import Recovery, factor_recovery


def probe(inputs: np.ndarray, targets: np.ndarray) -> float:
    return linear_probe_r2(inputs, targets, rng=np.random.default_rng(0))


def test_a_linear_image_is_read_off_completely() -> None:
    rng = np.random.default_rng(1)
    inputs = rng.standard_normal((200, 5))
    assert probe(inputs, 3.0 + inputs @ rng.standard_normal((5, 4))) == pytest.approx(1.0, abs=1e-5)


def test_half_signal_half_noise_gives_one_half() -> None:
    rng = np.random.default_rng(2)
    inputs = rng.standard_normal((4000, 3))
    assert probe(inputs, inputs + rng.standard_normal((4000, 3))) == pytest.approx(0.5, abs=0.03)


def test_wide_independent_inputs_predict_nothing_although_they_could_fit_everything() -> None:
    rng = np.random.default_rng(3)
    inputs, targets = rng.standard_normal((100, 90)), rng.standard_normal((100, 5))
    assert -0.1 < probe(inputs, targets) < 0.05
    fitted = inputs @ np.linalg.lstsq(inputs, targets, rcond=None)[0]
    assert 1 - np.square(targets - fitted).sum() / np.square(targets).sum() > 0.8  # what an in-sample probe would say


def test_the_scale_of_inputs_does_not_matter() -> None:
    rng = np.random.default_rng(4)
    inputs = rng.standard_normal((200, 4))
    targets = inputs + rng.standard_normal((200, 4))
    scaled = inputs * [1e-4, 1.0, 1e3, 1e6] + 7.0
    assert probe(scaled, targets) == pytest.approx(probe(inputs, targets), rel=1e-6)


def test_constant_targets_are_refused() -> None:
    with pytest.raises(ValueError, match="targets that vary"):
        probe(np.random.default_rng(0).standard_normal((20, 2)), np.ones((20, 1)))


def test_planted_factors_are_found_in_the_parts_that_hold_them() -> None:
    rng = np.random.default_rng(5)
    shared, own = rng.standard_normal((500, 3)), rng.standard_normal((500, 2))
    generic = shared @ rng.standard_normal((3, 8)) + 0.1 * rng.standard_normal((500, 8))
    unique = own @ rng.standard_normal((2, 6)) + 0.1 * rng.standard_normal((500, 6))
    factors = {"shared_factors": shared, "unique_factors": own, "rng": rng}
    clean = factor_recovery(generic=generic, unique=unique, **factors)  # type: ignore[arg-type]
    swapped = factor_recovery(generic=unique, unique=generic, **factors)  # type: ignore[arg-type]
    assert clean.shared_from_generic > 0.9 < clean.unique_from_unique
    assert abs(clean.shared_from_unique) < 0.05 > abs(clean.unique_from_generic)
    assert clean.separation == pytest.approx(-swapped.separation, abs=0.02)


def test_parts_that_both_hold_everything_are_not_separated() -> None:
    assert Recovery(0.75, 0.75, 0.5, 0.5).separation == 0.0
