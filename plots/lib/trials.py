"""A study's complete trials as one table, and how each searched parameter is laid along an axis."""

from __future__ import annotations

from numbers import Real

import numpy as np
import pandas as pd

from study.records.study import Study

WIDE = 20  # a list of choices whose largest is so many times its smallest was meant to be read on a logarithmic axis


def objective(study: Study) -> str:
    """Key of the metric that the trials' values are."""
    return study.metric


def complete_trials(study: Study) -> pd.DataFrame:
    """Columns ``number``, ``value``, then each parameter that varies; trials that repeat another are left out."""
    trials = [trial for trial in study.trials if trial.state == "complete" and trial.duplicate_of is None]
    table = pd.DataFrame({"number": [t.number for t in trials], "value": [t.value for t in trials]}).astype(
        {"value": float}
    )
    for name in dict.fromkeys(name for trial in trials for name in trial.params):
        values = pd.Series([trial.params.get(name) for trial in trials], dtype=object)
        if values.map(repr).nunique() > 1:
            table[name] = values.astype(float) if is_numeric(values) else values.map(str)
    return table


def is_numeric(values: pd.Series) -> bool:
    """Whether all values are numbers; true and false are names, not numbers."""
    return all(isinstance(value, Real) and not isinstance(value, bool | np.bool_) for value in values)


def log_scaled(study: Study, table: pd.DataFrame) -> frozenset[str]:
    """Parameters of ``complete_trials`` to show on a logarithmic axis: as searched, or choices that span much."""
    space = study.space
    chosen = set()
    for name in table.columns[2:]:
        entry = space.get(name, {})
        values = table[name]
        spans_much = (
            "choices" in entry and is_numeric(values) and values.min() > 0 and values.max() / values.min() >= WIDE
        )
        if entry.get("log", False) or spans_much:
            chosen.add(name)
    return frozenset(chosen)
