"""Does the crossed test keep its promises? Error, coverage and power on simulated differences whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

from study.analysis.stats.behrens_fisher import half_width, tail_probability
from study.analysis.stats.bootstrap import hierarchical_bootstrap
from study.analysis.stats.comparison import ALPHA
from study.analysis.stats.crossed import Components, MeanSquares, mean_squares, satterthwaite
from study.analysis.stats.factorial import factorial_contrasts
from study.analysis.stats.power import minimum_detectable_effect
from study.analysis.stats.simulate import simulate_differences, simulate_recall

_CHUNK_VALUES = 2**21


class ErrorRates(NamedTuple):
    """Shares of true nulls that are rejected at 5 %.

    Attributes:
        crossed: ``crossed_effect``.
        satterthwaite: t with Satterthwaite's degrees of freedom on the same standard error.
        users_only: t over users of seed-averaged differences, the usual practice.
        seeds_only: t over seed means.
    """

    crossed: float
    satterthwaite: float
    users_only: float
    seeds_only: float


class PowerCheck(NamedTuple):
    """What happens when the true effect is the predicted minimum detectable one.

    Attributes:
        mde: predicted from the true components at 80 % power.
        power: share of simulated studies that found it.
        coverage: share of 95 % intervals that hold it.
        pilot_low, pilot_high: 10 % and 90 % quantiles of the prediction from a simulated pilot, relative to ``mde``.
    """

    mde: float
    power: float
    coverage: float
    pilot_low: float
    pilot_high: float


class InteractionCheck(NamedTuple):
    """A 2x2 factorial with a planted interaction and no main effects.

    Attributes:
        planted: the interaction, its predicted minimum detectable effect.
        recovered: mean estimate.
        coverage: share of its 95 % intervals that hold it.
        power: share of interactions found.
        main_error: share of the two absent main effects found.
    """

    planted: float
    recovered: float
    coverage: float
    power: float
    main_error: float


def null_errors(
    components: Components,
    *,
    seeds: int,
    users: int,
    replicates: int,
    rng: np.random.Generator,
    seed_df: float = math.inf,
) -> ErrorRates:
    """Rejections of a true null, by four tests."""
    parts = [
        mean_squares(
            simulate_differences(components, seeds=seeds, users=users, replicates=size, rng=rng, seed_df=seed_df)
        )
        for size in _chunks(replicates, seeds * users)
    ]
    return _rejections(_joined(parts))


def recall_errors(
    *, seed_effect: float, seeds: int, users: int, replicates: int, rng: np.random.Generator
) -> ErrorRates:
    """Rejections of a true null on simulated recall, which is discrete and skewed."""
    parts = []
    for size in _chunks(replicates, 2 * seeds * users):
        arms = simulate_recall(arms=2, seeds=seeds, users=users, replicates=size, seed_effect=seed_effect, rng=rng)
        parts.append(mean_squares(arms[1] - arms[0]))
    return _rejections(_joined(parts))


def bootstrap_error(
    components: Components, *, seeds: int, users: int, replicates: int, rng: np.random.Generator
) -> float:
    """Share of true nulls whose hierarchical bootstrap interval leaves out 0."""
    missed = 0
    for size in _chunks(replicates, seeds * users * 100):  # few share a resample
        differences = simulate_differences(components, seeds=seeds, users=users, replicates=size, rng=rng)
        interval = hierarchical_bootstrap(differences, rng=rng, alpha=ALPHA)
        missed += int(((interval.low > 0) | (interval.high < 0)).sum())
    return missed / replicates


def power_check(
    components: Components,
    *,
    seeds: int,
    users: int,
    replicates: int,
    rng: np.random.Generator,
    pilot_seeds: int = 3,
    pilots: int = 100,
) -> PowerCheck:
    """Plant the predicted minimum detectable effect and count how often it is found and covered.

    More than six parameters: the sizes of a simulation, by name.
    """
    mde = minimum_detectable_effect(components, seeds=seeds, users=users, alpha=ALPHA)
    parts = [
        mean_squares(simulate_differences(components, seeds=seeds, users=users, replicates=size, rng=rng, effect=mde))
        for size in _chunks(replicates, seeds * users)
    ]
    squares = _joined(parts)
    width = _half_width(squares)
    pilot = mean_squares(simulate_differences(components, seeds=pilot_seeds, users=users, replicates=pilots, rng=rng))
    predictions = [
        minimum_detectable_effect(guess, seeds=seeds, users=users, alpha=ALPHA) / mde
        for guess in _estimated_components(pilot)
    ]
    low, high = np.quantile(predictions, [0.1, 0.9])
    return PowerCheck(
        mde=mde,
        power=float((np.abs(squares.mean) > width).mean()),
        coverage=float((np.abs(squares.mean - mde) <= width).mean()),
        pilot_low=float(low),
        pilot_high=float(high),
    )


def interaction_check(
    components: Components, *, seeds: int, users: int, replicates: int, rng: np.random.Generator
) -> InteractionCheck:
    """Four arms, each with its own user, seed and interaction effects (a quarter of the interaction's components)."""
    planted = minimum_detectable_effect(components, seeds=seeds, users=users, alpha=ALPHA)
    single = Components(*(variance / 4 for variance in components))
    parts: tuple[list[MeanSquares], ...] = ([], [], [])
    # CLUB helps beside Solosim and hurts as much without: the two main effects cancel, the interaction does not.
    means = {"full": planted / 4, "no-club": -planted / 4, "no-solosim": -planted / 4, "no-both": planted / 4}
    for size in _chunks(replicates, 4 * seeds * users):
        arms = [
            simulate_differences(single, seeds=seeds, users=users, replicates=size, rng=rng, effect=mean)
            for mean in means.values()
        ]
        contrasts = zip(*(factorial_contrasts(*four) for four in zip(*arms, strict=True)), strict=True)
        for part, contrast in zip(parts, contrasts, strict=True):
            part.append(mean_squares(np.stack(contrast)))
    club, solosim, interaction = (_joined(part) for part in parts)
    width = _half_width(interaction)
    main = [np.abs(effect.mean) > _half_width(effect) for effect in (club, solosim)]
    return InteractionCheck(
        planted=planted,
        recovered=float(interaction.mean.mean()),
        coverage=float((np.abs(interaction.mean - planted) <= width).mean()),
        power=float((np.abs(interaction.mean) > width).mean()),
        main_error=float(np.mean(main)),
    )


def equivalence_error(
    components: Components, *, seeds: int, users: int, replicates: int, rng: np.random.Generator
) -> float:
    """Share of differences exactly at the margin (four standard errors) that are called equivalent."""
    error = math.sqrt(components.user / users + components.seed / seeds + components.residual / (seeds * users))
    margin, passed = 4 * error, 0
    for size in _chunks(replicates, seeds * users):
        squares = mean_squares(
            simulate_differences(components, seeds=seeds, users=users, replicates=size, rng=rng, effect=margin)
        )
        width = half_width(
            squares.user_variance, squares.seed_variance, df=seeds - 1, user_df=users - 1, alpha=2 * ALPHA
        )
        passed += int((np.abs(squares.mean) + width < margin).sum())
    return passed / replicates


def family_error(
    components: Components,
    *,
    arms: int,
    metrics: int,
    seeds: int,
    users: int,
    replicates: int,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Share of families of true nulls in which Holm rejects any: by ``crossed_effect`` and by Satterthwaite's t.

    ``arms`` are compared with one reference, so their differences share half their variance; metrics correlate at 0.8.
    More than six parameters: the sizes of a simulation, by name.
    """
    mixing = np.linalg.cholesky(np.full((metrics, metrics), 0.8) + 0.2 * np.eye(metrics))
    rejections = np.zeros(2)
    for _ in range(replicates):
        drawn = simulate_differences(components, seeds=seeds, users=users, replicates=(arms + 1) * metrics, rng=rng)
        values = np.einsum("amsu,nm->ansu", drawn.reshape(arms + 1, metrics, seeds, users), mixing) / math.sqrt(2)
        squares = mean_squares((values[1:] - values[0]).reshape(arms * metrics, seeds, users))
        # Holm rejects something exactly when its first step, Bonferroni's, does.
        rejections += [p.min() < ALPHA / len(p) for p in (crossed_p(squares), _satterthwaite_p(squares))]
    crossed, naive = rejections / replicates
    return float(crossed), float(naive)


def crossed_p(squares: MeanSquares) -> Float[np.ndarray, "*batch"]:
    """The p-values of ``crossed_effect``, a batch at once."""
    freedom = {"df": squares.seeds - 1, "user_df": squares.users - 1}
    return tail_probability(np.abs(squares.mean), squares.user_variance, squares.seed_variance, **freedom)


def _rejections(squares: MeanSquares) -> ErrorRates:
    cells, users, seeds = squares.seeds * squares.users, squares.users, squares.seeds
    mean = np.abs(squares.mean)
    over_users = 2 * stats.t.sf(mean / np.sqrt(squares.user / cells), users - 1)
    over_seeds = 2 * stats.t.sf(mean / np.sqrt(squares.seed / cells), seeds - 1)
    tests = (crossed_p(squares), _satterthwaite_p(squares), over_users, over_seeds)
    return ErrorRates(*(float((p < ALPHA).mean()) for p in tests))


def _satterthwaite_p(squares: MeanSquares) -> Float[np.ndarray, "*batch"]:
    error = np.sqrt(squares.user_variance + squares.seed_variance)
    return np.asarray(2 * stats.t.sf(np.abs(squares.mean) / error, satterthwaite(squares)))


def _half_width(squares: MeanSquares) -> Float[np.ndarray, "*batch"]:
    freedom = {"df": squares.seeds - 1, "user_df": squares.users - 1}
    return half_width(squares.user_variance, squares.seed_variance, alpha=ALPHA, **freedom)


def _estimated_components(squares: MeanSquares) -> Iterator[Components]:
    for user_variance, seed, residual in zip(squares.user_variance, squares.seed, squares.residual, strict=True):
        between = max(float(seed - residual), 0.0) / squares.users
        yield Components(float(user_variance) * squares.users, between, float(residual))


def _chunks(replicates: int, values: int) -> list[int]:
    """Sizes of pieces of ``replicates`` that keep few values in memory at once."""
    size = max(1, _CHUNK_VALUES // values)
    return [min(size, replicates - start) for start in range(0, replicates, size)]


def _joined(parts: list[MeanSquares]) -> MeanSquares:
    mean, user, seed, residual = (np.concatenate(column) for column in zip(*(part[:4] for part in parts), strict=True))
    return MeanSquares(mean, user, seed, residual, parts[0].seeds, parts[0].users)
