"""A study on a real PostgreSQL server that is killed, restarted and cut off in the middle of transactions."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
import sqlalchemy
from optuna.trial import TrialState, create_trial

from sea_core.errors import UserError
from study.records.run import Run
from study.records.study import load_study
from study.searching import reconnecting_storage
from study.searching.reconnecting_storage import ReconnectingStorage
from study.searching.storage import check_url, open_storage
from tests.conftest import random_dataset
from tests.study.postgresql import Server, postgresql_server
from tests.study.small_searches import outcome, search
from tests.study.stand_in import StandInWorker


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgresql_server() as running:
        yield running


@pytest.fixture
def storage(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an empty database. What the test connects is closed behind it; a study leaves that to its end."""
    monkeypatch.setattr(reconnecting_storage, "_PAUSE_SECONDS", 0.1)
    connections: list[Any] = []

    def remember(connection: Any, record: object) -> None:
        connections.append(connection)

    sqlalchemy.event.listen(sqlalchemy.Pool, "connect", remember)
    with sqlalchemy.create_engine(server.url).begin() as connection:
        connection.execute(sqlalchemy.text("DROP SCHEMA public CASCADE"))
        connection.execute(sqlalchemy.text("CREATE SCHEMA public"))
    yield server.url
    sqlalchemy.event.remove(sqlalchemy.Pool, "connect", remember)
    for connection in connections:
        connection.close()


def at_epochs(action: Callable[[], None], *epochs: int) -> Callable[[Run, int], None]:
    """Act before these epochs, counted over all trials."""
    seen = 0

    def misbehave(run: Run, epoch: int) -> None:
        nonlocal seen
        seen += 1
        if seen in epochs:
            action()

    return misbehave


@pytest.mark.timing
@pytest.mark.slow
@pytest.mark.parametrize("pruner", ["median", "hyperband", "promote"])
def test_a_study_on_a_server_that_is_killed_and_restarted_equals_an_undisturbed_one(
    tmp_path: Path, server: Server, storage: str, pruner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = 18 if pruner == "promote" else 10  # which trains fewer epochs of each
    whole = search(tmp_path / "whole", trials, pruner=pruner)
    timers: list[threading.Timer] = []
    lines: list[str] = []

    def kill_and_restart() -> None:
        server.kill()
        timers.append(threading.Timer(1.0, server.start))
        timers[-1].start()

    def stop_and_restart() -> None:
        server.stop_at_once()
        timers.append(threading.Timer(1.0, server.start))
        timers[-1].start()

    actions = iter([kill_and_restart, stop_and_restart, kill_and_restart])
    misbehave = at_epochs(lambda: next(actions)(), 3, 18, 33)
    opened_with = "tests.study.small_searches.open_storage"
    monkeypatch.setattr(opened_with, lambda url: open_storage(url, write_line=lines.append))
    if pruner == "promote":  # an ended study is searched on: its paused trials are made running again
        search(tmp_path / "killed", 5, pruner=pruner, storage=storage)
    store = search(tmp_path / "killed", trials, pruner=pruner, storage=storage, misbehave=misbehave)
    assert len(timers) == 3
    assert outcome(store) == outcome(whole)
    records = [load_study(tmp_path / name / "tiny").trials for name in ("whole", "killed")]
    assert [trial.record for trial in records[1]] == [trial.record for trial in records[0]]
    assert sum("does not answer; waiting for it" in line for line in lines) == 3
    assert sum("answers again" in line for line in lines) == 3


class Cutter:
    """Ends the server's side of a connection around its Nth commit of a change.

    Before it, so that nothing is stored; or after it and before its answer, so that nobody knows.
    """

    def __init__(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        import psycopg

        self.cuts = 0
        self._due: list[tuple[int, bool]] = []
        self._commits = 0
        self._other = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
        commit = psycopg.Connection.commit

        def cut_commit(connection: Any) -> None:
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.INTRANS or not self._writes(
                connection
            ):
                commit(connection)
                return
            self._commits += 1
            cut = next((cut for cut in self._due if cut[0] == self._commits), None)
            if cut is not None and not cut[1]:
                self._cut(connection)
            commit(connection)
            if cut is not None and cut[1]:
                self._cut(connection)
                connection.execute("SELECT 1")  # the answer to the commit is lost like this one

        monkeypatch.setattr(psycopg.Connection, "commit", cut_commit)

    def cut_at(self, *commits: tuple[int, bool]) -> None:
        self._due = [(self._commits + number, after) for number, after in commits]

    def _writes(self, connection: Any) -> bool:
        return connection.execute("SELECT pg_current_xact_id_if_assigned()").fetchone()[0] is not None

    def _cut(self, connection: Any) -> None:
        self.cuts += 1
        pid = connection.info.backend_pid
        with self._other.connect() as other:
            other.exec_driver_sql(f"SELECT pg_terminate_backend({pid})").fetchall()
            while other.exec_driver_sql(f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid}").fetchall():
                time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before the commit", "after the commit, before its answer"])
def test_a_transaction_that_is_cut_is_made_again_without_a_duplicate_or_a_loss(
    storage: str, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    optuna_storage = open_storage(storage)
    assert isinstance(optuna_storage, ReconnectingStorage)
    study = optuna_storage.create_new_study([optuna.study.StudyDirection.MAXIMIZE], "cut")
    cutter = Cutter(storage, monkeypatch)
    distributions = {"x": optuna.distributions.FloatDistribution(0, 1)}
    for number, x in enumerate((0.25, 0.25, 0.5)):  # two trials of equal parameters are two trials
        template = create_trial(state=TrialState.RUNNING, params={"x": x}, distributions=distributions)
        cut_commits(cutter, after)
        trial = optuna_storage.create_new_trial(study, template)
        assert optuna_storage.get_trial_number_from_id(trial) == number
        for step in (0, 1):
            cut_commits(cutter, after)
            optuna_storage.set_trial_intermediate_value(trial, step, step / 10)
        cut_commits(cutter, after)
        optuna_storage.set_trial_user_attr(trial, "note", [number])
        cut_commits(cutter, after)
        assert optuna_storage.set_trial_state_values(trial, TrialState.COMPLETE, [x])
    cutter.cut_at()
    trials = optuna_storage.get_all_trials(study)
    assert [(t.number, t.state, t.params, t.value) for t in trials] == [
        (number, TrialState.COMPLETE, {"x": x}, x) for number, x in enumerate((0.25, 0.25, 0.5))
    ]
    assert all(t.intermediate_values == {0: 0.0, 1: 0.1} for t in trials)
    assert [t.user_attrs for t in trials] == [{"note": [number]} for number in range(3)]
    assert cutter.cuts >= 15


def cut_commits(cutter: Cutter, after: bool) -> None:
    """Cut the next two commits of changes, so that a repetition is cut as well."""
    cutter.cut_at((1, after), (2, after))


@pytest.mark.slow
def test_a_study_on_a_server_equals_one_on_a_file_and_goes_on_there(tmp_path: Path, storage: str) -> None:
    whole = search(tmp_path / "file", 8)
    search(tmp_path / "server", 4, storage=storage, worker=StandInWorker(random_dataset()))
    assert outcome(search(tmp_path / "server", 8, storage=storage)) == outcome(whole)


def test_a_missing_driver_is_one_line_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UserError, match=r"driver is missing.*pip install 'sea-study\[postgresql\]'") as caught:
        check_url("postgresql://user:secret@localhost/x")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
