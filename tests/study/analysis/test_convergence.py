"""Converged runs are told from those that their cap cut off."""

from pathlib import Path

import numpy as np
import pytest

from study.analysis.convergence import has_converged, still_rises, trials_cut_off
from study.analysis.results import Results
from study.records.study import load_study
from study.records.summary import write_summary
from study.reporting.conclusion import conclusion
from study.reporting.page.cautions import cautions
from tests.study.small_searches import BASE, search

EPOCHS = np.arange(100)


def curve(pace: float, *, noise: float = 0.0, length: int = 100, seed: int = 0) -> np.ndarray:
    return 0.4 * (1 - np.exp(-np.arange(length) / pace)) + noise * np.random.default_rng(seed).standard_normal(length)


def test_a_run_that_stopped_by_itself_has_converged():
    assert has_converged(curve(1000)[:40], cap=100)


def test_a_run_that_is_best_in_the_last_tenth_of_its_cap_has_not():
    values = curve(5, noise=0.001)
    for epoch, expected in ((89, True), (90, False), (99, False)):
        peaked = values.copy()
        peaked[epoch] = 1.0
        assert has_converged(peaked, cap=100) == expected


def test_a_rise_that_noise_hides_from_the_best_epoch_is_seen():
    values = curve(60, noise=0.002)
    values[85] = values.max() + 0.05  # one lucky epoch
    assert not has_converged(values, cap=100)


@pytest.mark.parametrize("noise", [1e-4, 2e-3, 1e-2])
def test_level_curves_are_seldom_said_to_rise(noise: float):
    rises = [still_rises(curve(5, noise=noise, seed=seed)) for seed in range(400)]
    assert (
        np.mean(rises) < 0.08
    )  # one-sided, two standard errors: 2.3 %, more since the noise is estimated from 18 numbers


@pytest.mark.parametrize("noise", [1e-4, 2e-3])
def test_curves_on_their_way_up_are_said_to_rise(noise: float):
    assert all(still_rises(curve(50, noise=noise, seed=seed)) for seed in range(50))


def test_a_curve_too_short_to_tell_is_said_to_rise():
    assert still_rises(np.full(9, 0.3))
    assert not has_converged(np.full(9, 0.3), cap=9)
    assert not still_rises(np.full(10, 0.3))


def test_a_curve_longer_than_its_cap_is_our_mistake():
    with pytest.raises(ValueError, match="expected 1 to 3 epochs, got 4"):
        has_converged(np.ones(4), cap=3)


def test_a_sweep_whose_cells_are_all_cut_off_says_so_on_the_terminal_and_in_the_report(tmp_path: Path):
    space = {"gnn_layers": {"low": 1, "high": 3}}
    for epochs, cut in ((5, True), (60, False)):
        root = tmp_path / str(epochs)
        search(root, None, space=space, sampler="grid", pruner="none", base=BASE.override(epochs=epochs))
        study = load_study(root / "tiny")
        write_summary(study, seconds=1.0)
        expected = (
            f"all 3 complete trials were still learning when the most epochs they were allowed ({epochs}) were over"
        )
        results = Results([study])
        assert (trials_cut_off(study) or "").startswith(expected) == cut
        assert any(expected in line for line in conclusion(results, {})) == cut
        assert any(each.title == "Trials cut off" for each in cautions(study, results)) == cut
