"""Pruners: which trials are stopped before their last epoch because others were better by then."""

from __future__ import annotations

import warnings

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, PatientPruner

PRUNERS = ("median", "hyperband", "patient", "none")


def make_pruner(name: str, *, epochs: int) -> BasePruner:
    """A pruner for trials of at most ``epochs`` epochs.

    ``median`` stops a trial whose best value so far is below the median of what completed trials had at that epoch. It
    waits for five completed trials and for a quarter of the epochs, because small learning rates start slowly.
    ``patient`` is the same, but spares a trial that still improves.
    ``hyperband`` gets its largest resource from us: left to itself it takes it from the first trial that ends, and a
    resumed study would then differ from an undisturbed one.
    """
    median = MedianPruner(n_startup_trials=5, n_warmup_steps=epochs // 4)
    if name == "median":
        return median
    if name == "patient":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return PatientPruner(median, patience=max(1, epochs // 10))
    if name == "hyperband":
        return HyperbandPruner(min_resource=max(1, epochs // 27), max_resource=epochs, reduction_factor=3)
    if name == "none":
        return NopPruner()
    raise ValueError(f"unknown pruner '{name}'")
