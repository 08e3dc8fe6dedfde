"""Ended trials made running again: what a search that ended left paused, when the study is searched on.

Optuna tells a trial once. A paused trial is told as pruned when its search ends, so that a finished study has no trial
that seems to run. If the same study then gets more trials or a larger budget, such a trial may deserve to go on.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import TrialState

from study.searching.reconnecting_storage import ConnectionLostError


def reopen_trials(storage: BaseStorage, trial_ids: Sequence[int]) -> None:
    """Set trials running, all of them or none; doing it twice is as good as once.

    Caches of a study over this storage do not notice: read the study anew.

    Raises:
        ValueError: a storage that is not SQL.
    """
    if not isinstance(storage, RDBStorage):
        raise ValueError(f"trials can be reopened in SQL storages only, not in {type(storage).__name__}")
    while True:
        try:
            with storage.engine.begin() as connection:
                trials = sqlalchemy.Table("trials", sqlalchemy.MetaData(), autoload_with=connection)
                change = sqlalchemy.update(trials).where(trials.c.trial_id.in_(trial_ids))
                connection.execute(change.values(state=TrialState.RUNNING.name, datetime_complete=None))
            return
        except ConnectionLostError:
            continue  # the next connection waits for the server
