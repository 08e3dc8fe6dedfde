"""The 2x2 factorial CLUB x Solosim: main effects and interaction from four arms."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from study.analysis.stats.crossed import CrossedEffect, crossed_effect


class Contrasts(NamedTuple):
    """What each factor adds, per seed and user.

    Attributes:
        club: CLUB on minus off, averaged over Solosim on and off.
        solosim: Solosim on minus off, averaged over CLUB on and off.
        interaction: what CLUB adds beside Solosim minus what it adds without; 0 if the two simply add up.
    """

    club: Float[np.ndarray, "seeds users"]
    solosim: Float[np.ndarray, "seeds users"]
    interaction: Float[np.ndarray, "seeds users"]


class FactorialEffects(NamedTuple):
    """The three contrasts of ``Contrasts``, each with its interval and p-value."""

    club: CrossedEffect
    solosim: CrossedEffect
    interaction: CrossedEffect


def factorial_contrasts(
    full: Float[np.ndarray, "seeds users"],
    no_club: Float[np.ndarray, "seeds users"],
    no_solosim: Float[np.ndarray, "seeds users"],
    no_both: Float[np.ndarray, "seeds users"],
) -> Contrasts:
    """The contrasts of four arms run with the same seeds on the same users."""
    return Contrasts(
        club=(full - no_club + no_solosim - no_both) / 2,
        solosim=(full - no_solosim + no_club - no_both) / 2,
        interaction=full - no_club - no_solosim + no_both,
    )


def factorial_effects(
    full: Float[np.ndarray, "seeds users"],
    no_club: Float[np.ndarray, "seeds users"],
    no_solosim: Float[np.ndarray, "seeds users"],
    no_both: Float[np.ndarray, "seeds users"],
    *,
    alpha: float = 0.05,
) -> FactorialEffects:
    """Main effects and interaction with crossed user and seed effects (see ``crossed_effect``)."""
    contrasts = factorial_contrasts(full, no_club, no_solosim, no_both)
    return FactorialEffects(*(crossed_effect(contrast, alpha=alpha) for contrast in contrasts))
