"""Which runs make the learning curves on file: configurations of the default space, their seeds, and the order.

Configuration 0 is the base configuration, 1 and 2 are settings that need no search, the others are points of one
scrambled Sobol sequence. A larger plan begins with the smaller one, and any prefix of the order is of use: first
configurations on one seed, then further configurations and replicates in turn.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from scipy.stats import qmc

from sea_core.config import Config
from sea_core.errors import UserError
from study.searching.space import Space, load_space

SPACE = "default"
MOST_EPOCHS = 300  # a curve that would go on is cut here; the table says which were
SEEDS = (1, 2, 3)
CONFIGURATIONS = 150
SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"learning_rate": 1e-3},
    {"learning_rate": 1e-3, "alignment_weight": 0.1, "temperature": 0.2, "distance_weight": 0.006},
)
_SOBOL_SEED = 13
_SOBOL_POINTS = 1024  # a power of two, of which the first ones are taken
_REPLICATED = 30  # configurations on all seeds: the settings, and every fifth of the others
_ALONE = 40  # configurations on one seed before the first replicate


class PlannedRun(NamedTuple):
    """One curve: the configuration's number, its searched parameters, its config and the seed."""

    configuration: int
    parameters: dict[str, Any]
    config: Config
    seed: int

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.configuration:04d}-{self.seed}"


def plan(configurations: int = CONFIGURATIONS, *, most_epochs: int = MOST_EPOCHS) -> list[PlannedRun]:
    """All runs in the order in which they are made.

    Args:
        configurations: how many, of which up to 30 are run on all three seeds.
        most_epochs: the cap of a run; it may stop earlier, as its config says.

    Raises:
        UserError: fewer than one configuration, or more than there are points.
    """
    space = load_space(SPACE)
    every = [configuration(number, space) for number in range(_checked(configurations))]

    def run(number: int, seed: int) -> PlannedRun:
        return PlannedRun(number, every[number], Config(**every[number], epochs=most_epochs), seed)

    replicated = [number for number in range(configurations) if is_replicated(number)]
    waiting = [run(number, seed) for number in replicated for seed in SEEDS[1:]]
    order: list[PlannedRun] = []
    for number in range(configurations):
        order.append(run(number, SEEDS[0]))
        if number >= _ALONE and waiting and waiting[0].configuration <= number:
            order.append(waiting.pop(0))
    return order + waiting


def is_replicated(number: int) -> bool:
    """Whether a configuration is run on all seeds."""
    others = _REPLICATED - len(SETTINGS)
    return number < len(SETTINGS) or ((number - len(SETTINGS)) % 5 == 0 and (number - len(SETTINGS)) // 5 < others)


def configuration(number: int, space: Space) -> dict[str, Any]:
    """The searched parameters of a configuration; those a setting does not name have the config's defaults."""
    if number < len(SETTINGS):
        base = Config(**SETTINGS[number])
        return {name: getattr(base, name) for name in space}
    sobol = qmc.Sobol(len(space), scramble=True, rng=_SOBOL_SEED)
    point = sobol.random(_SOBOL_POINTS)[number - len(SETTINGS)]
    return {
        name: at_share(distribution, float(share))
        for (name, distribution), share in zip(space.items(), point, strict=True)
    }


def at_share(distribution: BaseDistribution, share: float) -> Any:
    """The value that lies at a share in [0, 1) of a range (on its own scale), or of a list of choices."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(share * len(distribution.choices))]
    if isinstance(distribution, IntDistribution) and not distribution.log:
        steps = (distribution.high - distribution.low) // distribution.step + 1
        return distribution.low + int(share * steps) * distribution.step
    assert isinstance(distribution, FloatDistribution)
    assert distribution.step is None
    if distribution.log:
        return float(distribution.low * (distribution.high / distribution.low) ** share)
    return float(distribution.low + (distribution.high - distribution.low) * share)


def _checked(configurations: int) -> int:
    most = _SOBOL_POINTS + len(SETTINGS)
    if not 1 <= configurations <= most:
        raise UserError(f"--configurations must be in [1, {most}], got {configurations}")
    return configurations
