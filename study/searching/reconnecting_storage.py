"""Optuna's storage on a database server, which may be killed and restarted between any two bytes.

A statement or commit whose connection is lost may or may not have been carried out. Each call is therefore made again
until it is answered, and the calls whose repetition would do something else (a second trial, an end that is there
already) first look at what the lost one left. That is safe because one driver alone writes a study.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

WAIT_SECONDS = 600.0  # for a server that does not answer
_PAUSE_SECONDS = 2.0


class ConnectionLostError(Exception):
    """The connection ended during a statement or a commit.

    Not one of SQLAlchemy's errors, on purpose: Optuna makes a new trial up to five times when it meets one of those.
    """


class ReconnectingStorage(RDBStorage):
    """See the module. Errors other than a lost connection are those of Optuna."""

    def __init__(self, url: str, *, write_line: Callable[[str], None]) -> None:
        """Connect, creating the tables where they are missing; ``say`` is told when the server is gone and back."""
        super().__init__(url, engine_kwargs={"pool_pre_ping": True})
        self._write_line = write_line
        sqlalchemy.event.listen(self.engine, "do_connect", self._connect)
        sqlalchemy.event.listen(self.engine, "handle_error", _name_lost_connections)

    def _create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> FrozenTrial:
        before = len(self._get_trials(study_id, None, set(), -1))
        while True:
            try:
                return super()._create_new_trial(study_id, template_trial)
            except ConnectionLostError:
                for trial in self._get_trials(study_id, None, set(), -1)[before:]:
                    if template_trial is None or _is_copy(trial, template_trial):
                        return trial

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Any = None) -> bool:
        """See ``BaseStorage``; an end that was stored before its answer was lost is no error."""
        lost = False
        while True:
            try:
                return super().set_trial_state_values(trial_id, state, values)
            except ConnectionLostError:
                lost = True
            except UpdateFinishedTrialError:
                if lost and self.get_trial(trial_id).state == state:
                    return True
                raise

    def _connect(self, dialect: Any, record: object, arguments: Any, options: Any) -> Any:
        """Connect; while the server does not answer, try again for ``WAIT_SECONDS``."""
        begun, waiting = time.monotonic(), False
        while True:
            try:
                connection = dialect.connect(*arguments, **options)
            except dialect.loaded_dbapi.OperationalError:
                if time.monotonic() - begun > WAIT_SECONDS:
                    raise
                if not waiting:
                    self._write_line(
                        f"the database does not answer; waiting for it, {WAIT_SECONDS / 60:.0f} minutes at most"
                    )
                waiting = True
                time.sleep(_PAUSE_SECONDS)
            else:
                if waiting:
                    self._write_line(f"the database answers again, after {time.monotonic() - begun:.0f} s")
                return connection


def _is_copy(trial: FrozenTrial, template: FrozenTrial) -> bool:
    """Whether this trial was made from the template."""
    same_state = trial.state == template.state
    return same_state and trial.params == template.params and trial.system_attrs == template.system_attrs


def _name_lost_connections(context: Any) -> None:
    if context.is_disconnect and not context.is_pre_ping:
        raise ConnectionLostError(str(context.original_exception)) from context.original_exception


def _again(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, called until its connection is not lost on the way; calling it twice must be as good as once."""

    @functools.wraps(method)
    def repeated(*arguments: Any, **options: Any) -> Any:
        while True:
            try:
                return method(*arguments, **options)
            except ConnectionLostError:
                continue  # the next connection waits for the server

    return repeated


# What a study calls: reads, and writes that set something to a value.
for _name in (
    "create_new_study",
    "get_all_studies",
    "get_study_directions",
    "get_study_id_from_name",
    "get_study_name_from_id",
    "get_study_system_attrs",
    "get_study_user_attrs",
    "get_trial",
    "get_trial_id_from_study_id_trial_number",
    "set_study_system_attr",
    "set_study_user_attr",
    "set_trial_intermediate_value",
    "set_trial_param",
    "set_trial_system_attr",
    "set_trial_user_attr",
    "_get_best_trial_id",
    "_get_trials",
    "_set_trial_param",
):
    setattr(ReconnectingStorage, _name, _again(getattr(RDBStorage, _name)))
