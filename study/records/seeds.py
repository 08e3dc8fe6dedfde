"""Which seeds serve what. All are derived from the study's seed; none serves twice.

A search's trials see the study's own seed first, so that all trials are compared under common random numbers. Finalists
and the winner get others (``sea_core.streams.fresh_seeds``): a score that a choice was made on is no result.
"""

from __future__ import annotations

import functools

from sea_core.streams import fresh_seeds, stream_seed

MOST_SEEDS_PER_TRIAL = 64


def trial_seeds(seed: int, count: int) -> list[int]:
    """Seeds of a trial of up to ``count`` runs, the study's own first; a smaller count gives the first of them."""
    taken = {*fresh_seeds(seed, MOST_SEEDS_PER_TRIAL), *finalist_seeds(seed, MOST_SEEDS_PER_TRIAL)}
    return [seed, *_derived(seed, "trials", count - 1, taken | {seed})]


def finalist_seeds(seed: int, count: int) -> list[int]:
    """Seeds that finalists compete on: fresh, and none of them one that the winner is then reported on."""
    return _derived(seed, "finalists", count, {seed, *fresh_seeds(seed, count)})


def split_seeds_of(seed: int, splits: int, *run_seeds: list[int]) -> dict[int, int]:
    """Seed of a run -> seed of the split it trains on: the first of each list on the first split, and so on in turn.

    Seeds are nested in splits. Crossing them would pair nothing, because the same seed draws other batches and
    negatives from other training rows; and for a given number of runs, more splits narrow the interval most.

    Args:
        seed: the study's.
        splits: how many there are; 0 = the data's own alone.
        run_seeds: lists of seeds, of finalists, winner and arms.
    """
    drawn = _derived(seed, "splits", splits, set())
    return {run: drawn[place % splits] for seeds in run_seeds for place, run in enumerate(seeds)} if splits else {}


def placebo_seeds(seed: int, copy: int, count: int) -> list[int]:
    """Seeds of a copy of the full model that stands beside the arms; none serves an arm or another copy.

    Args:
        seed: the study's.
        copy: number of the copy, from 1.
        count: how many; a smaller count gives the first of them.
    """
    taken = {seed, *fresh_seeds(seed, MOST_SEEDS_PER_TRIAL), *_seeds_of_copies_before(seed, copy)}
    return _derived(seed, f"placebo/{copy}", count, taken)


@functools.cache  # without it, every copy would ask for all before it, which ask again: twice the work a copy
def _seeds_of_copies_before(seed: int, copy: int) -> frozenset[int]:
    if copy == 1:
        return frozenset()
    return _seeds_of_copies_before(seed, copy - 1).union(placebo_seeds(seed, copy - 1, MOST_SEEDS_PER_TRIAL))


def search_seed(seed: int, number: int) -> int:
    """Seed of an arm's ``number``-th independent search, of its sampler and its trials; the first's is ``seed``.

    What the searches choose is then trained on the same fresh seeds, which are derived from the study's.
    """
    return seed if number == 1 else _derived(seed, "searches", number - 1, {seed})[-1]


def _derived(seed: int, purpose: str, count: int, taken: set[int]) -> list[int]:
    candidates = fresh_seeds(stream_seed(seed, purpose) % 2**31, count + len(taken))
    return [candidate for candidate in candidates if candidate not in taken][:count]
