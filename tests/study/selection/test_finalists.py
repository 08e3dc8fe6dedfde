"""Only those who compete lie among the finalists; nobody is trained twice."""

from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState, create_trial

from study.records.folder import StudyFolder
from study.searching.promoting import PAUSED
from study.selection.finalists import arrange_finalists, candidates


def write_finalists(folder: StudyFolder, *numbers: int, where: str = "final/finalists") -> None:
    for number in numbers:
        (folder.root / where / str(number) / "seed-1").mkdir(parents=True)
        (folder.root / where / str(number) / "seed-1" / "record.json").write_text(f"{where} {number}")


def places(folder: StudyFolder) -> dict[str, set[str]]:
    return {
        where: {path.name for path in (folder.root / "final" / where).glob("*")}
        for where in ("finalists", "former/finalists")
    }


def test_former_finalists_are_set_aside_and_come_back(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    write_finalists(folder, 0, 2, 10)
    arrange_finalists(folder, {2, 7})
    assert places(folder) == {"finalists": {"2"}, "former/finalists": {"0", "10"}}
    arrange_finalists(folder, {2, 10})
    assert places(folder) == {"finalists": {"2", "10"}, "former/finalists": {"0"}}
    assert (folder.finalist(10, 1) / "record.json").read_text() == "final/finalists 10"


def test_without_a_competition_nobody_is_a_finalist(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    arrange_finalists(folder, ())
    write_finalists(folder, 3)
    write_finalists(folder, 3, where="final/former/finalists")  # a move that a kill interrupted, done again since
    arrange_finalists(folder, ())
    assert places(folder) == {"finalists": set(), "former/finalists": {"3"}}


def trial(number: int, state: TrialState, *curve: float, **notes: Any) -> FrozenTrial:
    value = max(curve) if state == TrialState.COMPLETE else curve[-1]
    made = create_trial(state=state, value=value, intermediate_values=dict(enumerate(curve)), user_attrs=notes)
    made.number = number
    return made


def test_places_that_complete_trials_leave_free_go_to_paused_ones_that_came_furthest() -> None:
    trials = [
        trial(0, TrialState.COMPLETE, 0.1, 0.2, 0.3),
        trial(1, TrialState.PRUNED, 0.9, **{PAUSED: True}),
        trial(2, TrialState.PRUNED, 0.1, 0.2, **{PAUSED: True}),
        trial(3, TrialState.PRUNED, 0.1, 0.3, **{PAUSED: True}),
        trial(4, TrialState.PRUNED, 0.9, 0.9, 0.9),
        trial(5, TrialState.COMPLETE, 0.1, 0.2, 0.4),
    ]
    assert [each.number for each in candidates(trials, 9)] == [5, 0, 3, 2, 1], "4 was stopped for good"
    assert [each.number for each in candidates(trials, 3)] == [5, 0, 3]
    assert [each.number for each in candidates(trials, 1)] == [5]
