"""Pruners: which trials are stopped before their last epoch because others were better by then."""

from __future__ import annotations

import warnings

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, PatientPruner, SuccessiveHalvingPruner

from study.searching.methods import NO_PRUNER, PROMOTE


def make_pruner(name: str, *, epochs: int, seeds: int = 1) -> BasePruner:
    """A pruner of a trial's epochs, or of its seeds where a trial has several.

    ``median`` stops a trial whose best value so far is below the median of what completed trials had at that epoch. It
    waits for five completed trials and for a quarter of the epochs, because small learning rates start slowly; a first
    seed is a whole run and is judged at once.
    ``patient`` is the same, but spares a trial that still improves.
    ``halving`` lets through the better half (of epochs: third) of all trials so far at the first seed, the second, the
    fourth and so on (at epoch ``epochs / 27``, three times that and so on).
    ``hyperband`` gives some trials a later first halving. It gets its largest resource from us: left to itself it takes
    it from the first trial that ends, and a resumed study would then differ from an undisturbed one.

    ``promote`` has none of Optuna's: trials are paused by the search itself (``promoting.py``).

    Args:
        name: one of ``methods.PRUNERS``.
        epochs: the most a run may have; steps count them from 0.
        seeds: the most a trial may have; if more than one, steps count seeds, from 1.
    """
    most, least, factor = (seeds, 1, 2) if seeds > 1 else (epochs, max(1, epochs // 27), 3)
    median = MedianPruner(n_startup_trials=5, n_warmup_steps=0 if seeds > 1 else epochs // 4)
    if name == "median":
        return median
    if name == "patient":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return PatientPruner(median, patience=max(1, most // 10))
    if name == "halving":
        return SuccessiveHalvingPruner(min_resource=least, reduction_factor=factor)
    if name == "hyperband":
        return HyperbandPruner(min_resource=least, max_resource=most, reduction_factor=factor)
    if name in (NO_PRUNER, PROMOTE):
        return NopPruner()
    raise ValueError(f"unknown pruner '{name}'")
