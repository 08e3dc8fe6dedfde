import json
from pathlib import Path

import pytest
from optuna.trial import TrialState

from sea_core.errors import DivergedError, UserError
from study.records.folder import StudyFolder, make_writable
from study.records.lock import hold_lock
from study.records.run import Run
from study.records.study import load_study
from tests.conftest import random_dataset
from tests.study.small_searches import BASE, SPACE, outcome, search

GRID = {"knn_k": {"choices": [3, 5]}, "gnn_layers": {"low": 1, "high": 3}}


def states(root: Path) -> list[str]:
    return [trial.state for trial in load_study(root / "tiny").trials]


def test_the_number_of_trials_is_exact_whatever_becomes_of_them(tmp_path: Path) -> None:
    def fail_some(run: Run, epoch: int) -> None:
        if run.config.knn_k == 5 and epoch == 1:
            raise DivergedError(epoch=epoch, batch=0, term="bpr")

    for total in (4, 12):
        search(tmp_path, total, misbehave=fail_some)
        assert len(states(tmp_path)) == total
    assert set(states(tmp_path)) == {"complete", "pruned", "failed"}
    assert outcome(search(tmp_path, 5)) == outcome(search(tmp_path, 12)), "fewer trials than there are: nothing to do"


def test_a_trials_value_is_its_best_epoch_and_a_pruned_one_keeps_its_last_report(tmp_path: Path) -> None:
    trials = search(tmp_path, 9).trials()
    for trial, record in zip(trials, load_study(tmp_path / "tiny").trials, strict=True):
        reports = [trial.intermediate_values[step] for step in sorted(trial.intermediate_values)]
        assert trial.value == record.value == (reports[-1] if trial.state == TrialState.PRUNED else max(reports))
        assert record.history is not None
        assert list(record.history["recall@20"]) == reports
        assert record.params == trial.params
        assert record.config == BASE.override(**trial.params)
        assert record.seed == 7
    assert len({len(trial.intermediate_values) for trial in trials}) > 1, "no trial was pruned: a weak test"


def test_a_config_that_was_tried_is_answered_from_its_record(tmp_path: Path) -> None:
    space = {"knn_k": {"choices": [3, 5]}}
    store = search(tmp_path, 6, space=space, sampler="random", pruner="none")
    first: dict[int, int] = {}
    for trial, record in zip(store.trials(), load_study(tmp_path / "tiny").trials, strict=True):
        number = first.setdefault(trial.params["knn_k"], trial.number)
        original = store.trials()[number]
        assert record.duplicate_of == (None if number == trial.number else number)
        assert (trial.value, trial.intermediate_values) == (original.value, original.intermediate_values)
        assert record.history is not None
    assert len(first) == 2


def test_a_grid_tries_every_cell_once_and_then_ends(tmp_path: Path) -> None:
    store = search(tmp_path, None, space=GRID, sampler="grid")
    cells = [(trial.params["knn_k"], trial.params["gnn_layers"]) for trial in store.trials()]
    assert cells == [(k, layers) for k in (3, 5) for layers in (1, 2, 3)]


@pytest.mark.slow
def test_a_grid_in_parts_equals_a_whole_one(tmp_path: Path) -> None:
    for total in (2, None):
        parts = search(tmp_path / "parts", total, space=GRID, sampler="grid")
    assert outcome(parts) == outcome(search(tmp_path / "whole", None, space=GRID, sampler="grid"))


def test_a_cell_that_failed_by_accident_is_tried_once_more_and_one_that_diverged_is_not(tmp_path: Path) -> None:
    def misbehave(run: Run, epoch: int) -> None:
        if (run.config.knn_k, run.config.gnn_layers) == (3, 2):
            raise MemoryError
        if (run.config.knn_k, run.config.gnn_layers) == (5, 1):
            raise DivergedError(epoch=epoch, batch=0, term="bpr")

    store = search(tmp_path, None, space=GRID, sampler="grid", misbehave=misbehave)
    cells = [(trial.params["knn_k"], trial.params["gnn_layers"]) for trial in store.trials()]
    assert cells == [*[(k, layers) for k in (3, 5) for layers in (1, 2, 3)], (3, 2)]


@pytest.mark.parametrize(
    ("error", "kind", "attempts"),
    [
        (DivergedError(epoch=2, batch=1, term="alignment"), "diverged", 1),
        (MemoryError("no room"), "out-of-memory", 3),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "out-of-memory", 3),
        (UserError("knn_k is larger than the number of items"), "error", 1),
        (ValueError("shapes differ"), "error", 3),
    ],
)
def test_a_failure_is_recorded_with_kind_message_and_attempts(
    tmp_path: Path, error: Exception, kind: str, attempts: int
) -> None:
    def misbehave(run: Run, epoch: int) -> None:
        if epoch == 2 and run.config.gnn_layers == 2:
            raise error

    search(tmp_path, None, space=GRID | {"knn_k": {"choices": [3]}}, sampler="grid", misbehave=misbehave)
    good, failed, *rest = load_study(tmp_path / "tiny").trials
    assert (good.state, failed.state, failed.value) == ("complete", "failed", None)
    assert failed.failure is not None
    assert failed.failure["kind"] == kind
    assert str(error) in failed.failure["message"]
    assert failed.record["trial"]["attempts"] == attempts
    assert "Traceback" in (failed.folder / "log.txt").read_text()
    assert [record.state for record in rest[:1]] == ["complete"], "one poisoned config cannot stop a study"


def test_an_accident_costs_nothing_but_time(tmp_path: Path) -> None:
    accidents = iter([MemoryError(), ValueError("flaky")])

    def misbehave(run: Run, epoch: int) -> None:
        if epoch == 1 and (error := next(accidents, None)) is not None:
            raise error

    store = search(tmp_path / "flaky", 2, misbehave=misbehave)
    assert outcome(store) == outcome(search(tmp_path / "calm", 2))
    assert load_study(tmp_path / "flaky/tiny").trials[0].record["trial"]["attempts"] == 3


def test_a_trial_that_kills_its_process_five_times_is_lost_and_the_study_goes_on(tmp_path: Path) -> None:
    class KilledError(BaseException): ...

    def poison(run: Run, epoch: int) -> None:
        if run.config.gnn_layers == 2:
            raise KilledError

    space = {"gnn_layers": {"low": 1, "high": 3}}
    for _ in range(5):
        with pytest.raises(KilledError):
            search(tmp_path, None, space=space, sampler="grid", misbehave=poison)
    search(tmp_path, 3, space=space, sampler="grid", misbehave=poison)
    lost = load_study(tmp_path / "tiny").trials[1]
    assert states(tmp_path) == ["complete", "failed", "complete"]
    assert lost.failure == {"kind": "lost", "message": "started 5 times without getting further"}


def test_enqueued_parameters_outside_the_space_are_a_failed_trial(tmp_path: Path) -> None:
    store = search(tmp_path, 1)
    for bad in ({"temperature": -1.0}, {"temperature": 2.0}, {"knn_k": 4}, {"knn_k": "many"}, {"tempreature": 0.5}):
        store._study.enqueue_trial(bad)
    search(tmp_path, 7)
    assert states(tmp_path)[1:] == [*["failed"] * 5, "complete"]
    messages = [trial.failure["message"] for trial in load_study(tmp_path / "tiny").trials[1:6]]
    assert messages[:4] == [
        "enqueued with temperature -1.0, outside the search space",
        "enqueued with temperature 2.0, outside the search space",
        "enqueued with knn_k 4, outside the search space",
        "enqueued with knn_k 'many', outside the search space",
    ]
    assert messages[4].startswith("enqueued with tempreature, which is not searched")


def test_a_trial_enqueued_by_hand_comes_first_and_is_completed_by_the_sampler(tmp_path: Path) -> None:
    store = search(tmp_path, 2)
    store._study.enqueue_trial({"temperature": 0.123})
    trials = search(tmp_path, 4).trials()
    assert trials[2].params["temperature"] == 0.123
    assert set(trials[2].params) == set(SPACE)
    assert [trial.state.is_finished() for trial in trials] == [True] * 4


def test_a_second_driver_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    make_writable(tmp_path / "study")
    with hold_lock(tmp_path / "study"):
        holder = json.loads((tmp_path / "study/driver.json").read_text())
        message = rf"process {holder['pid']} on {holder['host']} since"
        with pytest.raises(UserError, match=message), hold_lock(tmp_path / "study"):
            pass
        assert (tmp_path / "study/driver.json").exists()
    with hold_lock(tmp_path / "study"):
        pass


def test_the_study_opens_in_optuna_and_shows_what_it_is_about(tmp_path: Path) -> None:
    import optuna

    search(tmp_path, 3)
    loaded = optuna.load_study(study_name="tiny", storage=f"sqlite:///{tmp_path}/tiny/study.db")
    assert loaded.direction == optuna.study.StudyDirection.MAXIMIZE
    assert loaded.best_trial.user_attrs.keys() >= {"best_epoch", "epochs", "seconds"}
    assert list(loaded.trials_dataframe()["state"]) == ["COMPLETE"] * 3


def test_a_finished_trial_leaves_only_its_record(tmp_path: Path) -> None:
    search(tmp_path, 1)
    left = {path.name for path in StudyFolder(tmp_path / "tiny").trial(0).iterdir()}
    assert left == {"record.json", "history.csv", "log.txt"}


def test_records_give_back_what_was_written(tmp_path: Path) -> None:
    search(tmp_path, 3, dataset=random_dataset(seed=1))
    study = load_study(tmp_path / "tiny")
    assert [trial.number for trial in study.trials] == [0, 1, 2]
    assert study.dataset == "random"
    assert {trial.data_hash for trial in study.trials} == {random_dataset(seed=1).data_hash}
    assert study.winner == study.finalists == study.baselines == study.ablations == []
    with pytest.raises(UserError, match="no study folder"):
        load_study(tmp_path / "nothing")
    with pytest.raises(UserError, match="holds no finished run"):
        load_study(tmp_path)


def test_a_damaged_record_is_a_user_error_that_names_the_file(tmp_path: Path) -> None:
    search(tmp_path, 1)
    path = tmp_path / "tiny/trials/0/record.json"
    path.write_text(path.read_text()[:50])
    with pytest.raises(UserError, match=r"cannot read .*record\.json"):
        load_study(tmp_path / "tiny")
