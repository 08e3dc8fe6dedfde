from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sea_core.errors import UserError
from study.records.study import load_study
from study.verification.replay import Replayed, data_of, every_run, find_run
from study.verification.verify import Divergence, stated
from tests.study.results import write_arms, write_result, write_search


def test_a_run_is_found_by_its_trials_number_or_its_folder(tmp_path: Path) -> None:
    study = load_study(write_search(tmp_path))
    assert find_run(study, "0").number == 0
    assert find_run(study, "final/winner/seed-12").seed == 12
    for name in ("7", "final/winner/seed-1", "../tiny-search"):
        with pytest.raises(UserError, match=f"holds no run '{name}'; give a trial's number"):
            find_run(study, name)


def test_every_run_is_listed_once(tmp_path: Path) -> None:
    root = write_arms(write_search(tmp_path), {"full": 0.0})
    write_result(root / "placebos" / "placebo-1" / "seed-9", 0.1, seed=9, mode="placebo", arm="placebo-1")
    write_result(root / "trials" / "0" / "seed-999", 0.1, seed=999)
    runs = [run.folder for run in every_run(load_study(root))]
    assert len(runs) == len(set(runs)) == len(list(root.rglob("record.json")))


def test_data_that_are_not_at_hand_are_named(tmp_path: Path) -> None:
    study = load_study(write_search(tmp_path))
    with pytest.raises(UserError, match="tiny"):
        data_of(study, find_run(study, "0"), dataset=None, data_root=tmp_path)


@pytest.mark.parametrize("name", ["device", "threads", "draw_hashes", "weights_hash"])
def test_what_a_damaged_record_does_not_say_is_named(tmp_path: Path, name: str) -> None:
    record = load_study(write_search(tmp_path)).trials[0]
    whole = {**record.record, name: "x"}
    assert stated(replace(record, record=whole), name) == "x"
    del whole[name]
    with pytest.raises(UserError, match=rf"record\.json does not say {name}, so the run cannot be trained again"):
        stated(replace(record, record=whole), name)


def test_what_came_of_a_replay_is_one_line(tmp_path: Path) -> None:
    run = find_run(load_study(write_search(tmp_path)), "0")
    assert str(Replayed(run, None)).endswith("reproduced to the bit, 5 epochs and the final weights")
    assert str(Replayed(run, Divergence("epoch 1, bpr", 1, 2))).endswith(
        "difference at epoch 1, bpr: recorded 1, found 2"
    )
