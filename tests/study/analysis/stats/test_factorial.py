"""The 2x2 factorial."""

from __future__ import annotations

import numpy as np
import pytest

from study.analysis.stats.crossed import Components
from study.analysis.stats.factorial import factorial_contrasts, factorial_effects
from study.analysis.stats.simulate import simulate_differences


def arms(*, club: float, solosim: float, interaction: float, seeds: int = 5, users: int = 400) -> list[np.ndarray]:
    """full, no-club, no-solosim, no-both on shared users."""
    rng = np.random.default_rng(0)
    noise = Components(user=0.01, seed=1e-5, residual=0.01)
    base = rng.random((1, users))
    means = [club + solosim + interaction, solosim, club, 0.0]
    draws = simulate_differences(noise, seeds=seeds, users=users, replicates=4, rng=rng)
    return [base + mean + draw for mean, draw in zip(means, draws, strict=True)]


def test_contrasts_of_one_user_by_hand() -> None:
    full, no_club, no_solosim, no_both = (np.full((1, 1), value) for value in (9.0, 4.0, 3.0, 1.0))
    contrasts = factorial_contrasts(full, no_club, no_solosim, no_both)
    # CLUB adds 5 beside Solosim and 2 without; Solosim adds 6 beside CLUB and 3 without.
    assert (contrasts.club.item(), contrasts.solosim.item(), contrasts.interaction.item()) == (3.5, 4.5, 3.0)


def test_planted_effects_and_interaction_lie_in_their_intervals_and_are_found() -> None:
    effects = factorial_effects(*arms(club=0.05, solosim=0.0, interaction=0.06))
    expected = {"club": 0.08, "solosim": 0.03, "interaction": 0.06}
    for name, truth in expected.items():
        effect = getattr(effects, name)
        assert effect.low < truth < effect.high
        assert effect.p < 0.05


def test_effects_that_simply_add_up_show_no_interaction() -> None:
    effects = factorial_effects(*arms(club=0.05, solosim=0.05, interaction=0.0))
    assert effects.interaction.low < 0 < effects.interaction.high


def test_swapping_the_factors_swaps_the_main_effects_only() -> None:
    full, no_club, no_solosim, no_both = arms(club=0.05, solosim=0.01, interaction=0.02)
    straight = factorial_effects(full, no_club, no_solosim, no_both)
    swapped = factorial_effects(full, no_solosim, no_club, no_both)
    assert swapped.club.mean == pytest.approx(straight.solosim.mean)
    assert swapped.solosim.p == pytest.approx(straight.club.p)
    assert swapped.interaction.mean == pytest.approx(straight.interaction.mean)
