from pathlib import Path

from sea_core.errors import DivergedError
from sea_core.interrupts import StopRequest
from study.records.folder import StudyFolder
from study.records.run import Run
from study.records.study import load_study
from study.running.driver import drive
from study.running.events import silent
from study.running.executors.in_process import InProcessExecutor
from study.searching.repairs import Repairs
from tests.conftest import random_dataset
from tests.study.small_searches import BASE, search
from tests.study.stand_in import StandInWorker


def diverge(run: Run, epoch: int) -> None:
    if run.config.knn_k == 5 and epoch == 1:
        raise DivergedError(epoch=1, batch=0, term="bpr")


def test_lost_and_damaged_records_are_made_again_to_the_same_bytes(tmp_path: Path) -> None:
    dataset = random_dataset()
    store = search(tmp_path, 12, misbehave=diverge)
    folder = StudyFolder(tmp_path / "tiny")
    before = [trial.record for trial in load_study(folder.root).trials]
    assert {record["trial"]["state"] for record in before} == {"complete", "pruned", "failed"}
    for number in range(12):
        path = folder.trial(number) / ("history.csv" if number % 4 == 1 else "record.json")
        if number % 4 == 0:
            path.write_text("{")
        elif path.exists():
            path.unlink()
    repairs = Repairs(folder, store.trials(), base=BASE, seeds=[7], dataset=dataset, emit=silent)
    drive(repairs, InProcessExecutor(StandInWorker(dataset)), emit=silent, stop=StopRequest())
    assert [trial.record for trial in load_study(folder.root).trials] == before
    whole = Repairs(folder, store.trials(), base=BASE, seeds=[7], dataset=dataset, emit=silent)
    assert whole.next() is None
