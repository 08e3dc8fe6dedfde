"""Samplers, made anew for every trial so that the search does not depend on where it was interrupted."""

from __future__ import annotations

import warnings
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GPSampler, QMCSampler, RandomSampler, TPESampler

from sea_core.streams import stream_seed
from study.searching.space import Space


def make_sampler(name: str, space: Space, *, seed: int, number: int) -> BaseSampler:
    """The sampler that proposes trial ``number`` of a study, a function of its arguments and the trials before it.

    Args:
        name: one of ``methods.SAMPLERS`` but ``grid``, whose cells are enumerated (``space.grid``).
        space: what is searched.
        seed: the study's.
        number: of the trial, from 0.
    """
    own = stream_seed(seed, f"sampler/{number}") % 2**32
    if name == "tpe":
        return TPESampler(seed=own)
    if name == "random":
        return RandomSampler(seed=own)
    if name == "gp":
        return GPSampler(seed=own)
    if name == "qmc":
        with warnings.catch_warnings():  # "experimental" in Optuna, hence our own test of its points
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return _SobolPoint(space, index=number, seed=stream_seed(seed, "sampler/qmc") % 2**32)
    raise ValueError(f"no sampler makes trials of '{name}'")


class _SobolPoint(QMCSampler):
    """The ``index``-th point of one scrambled Sobol sequence.

    Optuna counts points in the storage and draws the first at random; here the trial's number is the point's.
    """

    def __init__(self, space: Space, *, index: int, seed: int) -> None:
        super().__init__(qmc_type="sobol", scramble=True, seed=seed)
        self._space, self._index = space, index

    def infer_relative_search_space(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """All parameters, from the first trial on; a single-valued one needs no coordinate."""
        return {name: each for name, each in self._space.items() if not each.single()}

    def _find_sample_id(self, study: optuna.Study, search_space: Any) -> int:
        return self._index
