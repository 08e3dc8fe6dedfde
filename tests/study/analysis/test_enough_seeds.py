"""The number of seeds is the least round one whose smallest found difference is below the margin."""

import math

from study.analysis.enough_seeds import STEPS, enough_seeds
from study.analysis.stats.comparison import ALPHA, POWER, Comparison
from study.analysis.stats.crossed import Components
from study.analysis.stats.power import minimum_detectable_effect


def line(sd_user: float, sd_seed: float, margin: float = 0.01) -> Comparison:
    unknown = Comparison(**dict.fromkeys(Comparison._fields))
    return unknown._replace(sd_user=sd_user, sd_seed=sd_seed, sd_residual=0.05, users=300, margin=margin)


def test_the_step_below_would_not_have_been_enough() -> None:
    step = enough_seeds(line(0.0, 0.01), comparisons=4)
    assert step is not None

    def mde(seeds: int) -> float:
        components = Components(0.0, 0.01**2, 0.05**2)
        return minimum_detectable_effect(components, seeds=seeds, users=300, alpha=ALPHA / 4, power=POWER)

    assert mde(step) <= 0.01 < mde(STEPS[STEPS.index(step) - 1])


def test_no_number_of_seeds_makes_up_for_users_who_differ() -> None:
    assert enough_seeds(line(0.5, 0.0), comparisons=1) is None


def test_one_seed_tells_nothing_about_seeds() -> None:
    assert enough_seeds(line(0.1, math.nan), comparisons=1) is None
