"""Seeds on different splits: each run on the split that is its seed's, test rows kept out, splits as replicates."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ablations import run_ablations, run_path
from sea_core.data.catalogue import load_dataset, with_other_splits
from sea_core.data.resplit import resplit
from sea_core.data.splits import Splits
from sea_core.errors import UserError, run_program
from sea_core.holdout import _load_test_rows
from study import replay, run_search
from study.ablation.setup import plan_one
from study.analysis.results import Results
from study.planning.requests import AblationRequest
from study.records.seeds import finalist_seeds, split_seeds_of
from study.records.study import load_study

DATA = "synthetic:users=40,items=30,interactions=8,dims=8/6"
SMALL = ["latent_dim=4", "item_mlp_hidden=6", "align_hidden=4", "align_out=4", "distance_dim=4", "club_steps=2"]
BASICS = ["-d", DATA, "--threads", "1", "--epochs", "2", "--final-epochs", "2", "--quiet"]


def pairs(rows: object) -> set[tuple[int, int]]:
    return set(zip(rows.user.tolist(), rows.item.tolist(), strict=True))  # type: ignore[attr-defined]


def test_a_run_sees_the_split_of_its_seed_and_never_its_test_rows() -> None:
    dataset = with_other_splits(load_dataset(DATA), {11: 1, 12: 2, 13: 1})
    views = {seed: dataset.for_seed(seed) for seed in (11, 12, 13)}
    every = pairs(dataset.train) | pairs(dataset.valid) | pairs(_load_test_rows(dataset))
    for view in views.values():
        test = pairs(_load_test_rows(view))
        assert not test & (pairs(view.train) | pairs(view.valid))
        assert test | pairs(view.train) | pairs(view.valid) == every
    assert views[11].data_hash == views[13].data_hash
    assert len({dataset.data_hash, views[11].data_hash, views[12].data_hash}) == 3
    assert dataset.for_seed(999) is dataset
    assert dataset.for_seed(None) is dataset
    assert views[11].split_record["split"] == {"protocol": "random", "ratios": "8:1:1", "seed": 1}


def test_a_split_made_anew_does_not_depend_on_the_split_it_comes_from() -> None:
    splits = load_splits()
    once = resplit(splits, None, 5)[0]
    twice = resplit(resplit(splits, None, 4)[0], None, 5)[0]
    for part in ("train", "valid", "test"):
        np.testing.assert_array_equal(getattr(once, part).item, getattr(twice, part).item)


def load_splits() -> Splits:
    from sea_core.data.synthetic import Knobs, plant

    return plant(Knobs(users=40, items=30, interactions=8)).splits


@pytest.mark.parametrize("protocol", ["user-time", "global-time", "leave-one-out", "k-fold"])
def test_rows_that_were_not_split_at_random_have_one_split(protocol: str) -> None:
    with pytest.raises(UserError, match=f"these were split by {protocol}, of which there is one split only"):
        resplit(load_splits(), {"protocol": protocol}, 1)


def test_seeds_take_splits_in_turn() -> None:
    splits = split_seeds_of(7, 2, [1, 2, 3, 4], [5, 6])
    assert splits[1] == splits[3] == splits[5]
    assert splits[2] == splits[4] == splits[6] != splits[1]
    assert split_seeds_of(7, 0, [1, 2]) == {}
    assert not set(split_seeds_of(7, 3, finalist_seeds(7, 3)).values()) & set(split_seeds_of(8, 3, [1, 2, 3]).values())


@pytest.fixture
def study(tmp_path: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    monkeypatch.setattr("plots.lib.pictures.study_pictures", lambda study, out: [])
    monkeypatch.setattr("plots.lib.pictures.joint_pictures", lambda studies, out: [])

    def run(*words: str) -> Path:
        given = [*BASICS, "--out", str(tmp_path), "--n-trials", "2", "--finalists", "2", *words, "--set", *SMALL]
        assert run_program(lambda: run_search.main(given)) == 0
        return next(path for path in tmp_path.iterdir() if path.name.endswith("-search"))

    return run


@pytest.mark.slow
def test_a_study_over_splits_pairs_everything_split_by_split(
    study: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = study("--split-seeds", "2", "--fresh-seeds", "4", "--suite", "default")
    reloaded = load_study(root)
    assert {run.split_seed for run in reloaded.trials} == {None}
    splits = {run.seed: run.split_seed for run in reloaded.winner}
    assert len(splits) == 4
    assert len(set(splits.values())) == 2
    for run in reloaded.ablations:
        assert run.split_seed == splits[run.seed]
    assert len({run.data_hash for run in reloaded.winner}) == 2
    names = [(run.baseline, run.split_seed) for run in reloaded.baselines]
    assert len(names) == 4
    assert {split for _, split in names} == set(splits.values())
    for run in (*reloaded.winner, *reloaded.ablations, *reloaded.baselines):
        receipt = json.loads((run.folder / "receipt.json").read_text())[-1]
        assert receipt["split_hash"] == run.split_hash
    results = Results([reloaded])
    assert {row.seeds for row in results.arms} == {2}  # two splits are two replicates, however many seeds they hold
    caption = (root / "tables" / "ablation.md").read_text().splitlines()[0]
    assert "Split: random 8:1:1, 2 splits with seeds nested in them." in caption
    table = pd.read_csv(root / "tables" / "overall.csv")
    assert set(table["method"]) >= {"Popularity", "Item-kNN"}
    capsys.readouterr()
    assert run_program(lambda: replay.main([str(root), str(reloaded.winner[1].folder)])) == 0


@pytest.mark.slow
def test_the_same_command_does_nothing_more_and_another_number_is_refused(study: Callable[..., Path]) -> None:
    words = ("--split-seeds", "2", "--fresh-seeds", "2", "--no-ablations")
    root = study(*words)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("record.json")}
    study(*words)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("record.json")} == before
    with pytest.raises(AssertionError):
        study("--split-seeds", "0", "--fresh-seeds", "2", "--no-ablations")


@pytest.mark.slow
def test_ablations_of_a_study_stay_on_its_splits(study: Callable[..., Path], tmp_path: Path) -> None:
    root = study("--split-seeds", "2", "--fresh-seeds", "2", "--no-ablations")
    words = ["--from-study", root.name, "--out", str(tmp_path), "--arms", "no-club", "--quiet", "--threads", "1"]
    words += ["--fresh-seeds", "4"]
    assert run_program(lambda: run_ablations.main(words)) == 0
    reloaded = load_study(root)
    splits = {run.seed: run.split_seed for run in reloaded.winner}
    for run in reloaded.ablations:
        assert run.split_seed in set(splits.values())
        assert run.split_seed == splits.get(run.seed, run.split_seed)


def test_every_seed_that_an_ablation_may_ask_for_has_a_split(cache_folder: Path, tmp_path: Path) -> None:
    asked = AblationRequest(dataset=DATA, split_seeds=2, fresh_seeds=60, arms=("no-club",), out=tmp_path)
    ablation = plan_one(asked)
    assert len(ablation.seeds) == 60
    split_seeds = [ablation.dataset.for_seed(seed).split_seed for seed in ablation.seeds]
    assert None not in split_seeds
    assert split_seeds[0::2] == [split_seeds[0]] * 30
    assert split_seeds[1::2] == [split_seeds[1]] * 30
    assert split_seeds[0] != split_seeds[1]


@pytest.mark.slow
def test_what_has_no_split_is_refused_of_a_study_that_was_made_on_several(
    study: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = study("--split-seeds", "3", "--fresh-seeds", "3", "--no-ablations")
    words = ["--from-study", root.name, "--out", str(tmp_path), "--arms", "no-club", "--dry-run"]
    for more, message in (
        (["--seeds", "4"], "--split-seeds 3 needs as many --fresh-seeds, or a multiple"),
        (["--seeds", "auto"], "--split-seeds needs a fixed number of --fresh-seeds"),
        (["--placebo", "2"], "--placebo cannot be combined with --split-seeds"),
        (["--extra-full", "2"], "--extra-full cannot be combined with --split-seeds"),
    ):
        assert run_program(lambda more=more: run_ablations.main([*words, *more])) == 2
        error = capsys.readouterr().err
        assert message in error
        assert f"{root} was made with --split-seeds 3" in error
    assert run_program(lambda: run_ablations.main(words)) == 0
    assert "no-club              12 of 12 to train" in capsys.readouterr().out, "four seeds a split, not ten seeds"
    path = ["--from-study", root.name, "--out", str(tmp_path), "--seeds", "4", "--dry-run"]
    assert run_program(lambda: run_path.main(path)) == 2
    assert "--split-seeds 3 needs as many --seeds, or a multiple" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["2", "5"])
def test_every_split_has_as_many_seeds(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*BASICS, "--split-seeds", number, "--fresh-seeds", "3", "--dry-run"]
    assert run_program(lambda: run_search.main(words)) == 2
    assert f"--split-seeds {number} needs as many --fresh-seeds" in capsys.readouterr().err
