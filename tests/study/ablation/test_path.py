"""The walk from the base configuration to the winner, on validation values that follow a formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sea_core.config import Config
from sea_core.data.dataset import Dataset
from sea_core.run_folder import TEST
from sea_core.training.run import TrainingRun
from study.ablation.path import PathPlan, chosen_path, rank, walk, why_none
from study.records.folder import StudyFolder
from study.records.path import AblationPath, PathStep, read_path, write_path
from tests.conftest import random_dataset

START = Config(learning_rate=1e-4, temperature=0.2, knn_k=10, gnn_layers=2)


def plan(end: Config, *, start: Config = START, choose: str = "greedy", seeds: int = 3) -> PathPlan:
    mine, theirs = start.as_dict(), end.as_dict()
    return PathPlan(
        folder=StudyFolder(Path("nowhere")),
        dataset=random_dataset(),
        start=start,
        end=end,
        keys=tuple(key for key in theirs if mine[key] != theirs[key]),
        choose=choose,
        choice_seeds=tuple(range(1, 1 + seeds)),
        seeds=(101, 102),
    )


class Formula:
    """Values of configurations; every comparison that was asked for is kept."""

    def __init__(self, value: Any) -> None:
        self.value, self.asked = value, list[tuple[set[str], int]]()

    def __call__(self, configs: Mapping[str, Config], seeds: Sequence[int]) -> dict[str, list[float | None]]:
        self.asked.append((set(configs), len(seeds)))
        return {key: [self.value(config, seed) for seed in seeds] for key, config in configs.items()}


def additive(config: Config, seed: int) -> float:
    """The learning rate brings most, then the temperature; k costs a little. Seeds move all alike."""
    gains = 0.05 * (config.learning_rate > 5e-4) + 0.02 * (config.temperature > 0.3) - 0.01 * (config.knn_k == 5)
    return 0.1 + gains + 0.03 * np.sin(seed)


END = START.override(learning_rate=1e-3, temperature=0.5, knn_k=5)


def test_each_step_takes_the_change_that_gains_most_and_the_last_is_the_winner() -> None:
    measure = Formula(additive)
    steps = list(walk(plan(END), measure))
    assert [step.key for step, _ in steps] == ["learning_rate", "temperature", "knn_k"]
    assert [config for _, config in steps][-1] == END
    assert steps[-1][0].config_hash == END.hash()
    assert steps[0][0].change == "learning_rate 0.0001 → 0.001"
    # The last change of all is no choice, so nothing is trained for it: 3 + 2 candidates.
    assert measure.asked == [({"learning_rate", "temperature", "knn_k"}, 3), ({"temperature", "knn_k"}, 3)]


def test_the_order_follows_what_was_changed_before() -> None:
    """A high temperature helps only with the high learning rate, so it comes second although it harms alone."""

    def value(config: Config, seed: int) -> float:
        fast = config.learning_rate > 5e-4
        return 0.05 * fast + (0.03 if fast else -0.08) * (config.temperature > 0.3) - 0.01 * (config.knn_k == 5)

    greedy = [step.key for step, _ in walk(plan(END), Formula(value))]
    once = [step.key for step, _ in walk(plan(END, choose="once"), Formula(value))]
    assert greedy == ["learning_rate", "temperature", "knn_k"]
    assert once == ["learning_rate", "knn_k", "temperature"]


def test_ranked_once_every_change_is_compared_once() -> None:
    measure = Formula(additive)
    steps = list(walk(plan(END, choose="once"), measure))
    assert len(measure.asked) == 1
    assert [len(step.values) for step, _ in steps] == [3, 0, 0]


def test_a_race_spares_the_seeds_of_what_falls_behind() -> None:
    def value(config: Config, seed: int) -> float:
        close = 0.001 * np.cos(7 * seed) * (config.temperature > 0.3)  # as good as the learning rate, and noisy
        return 0.05 * (config.learning_rate > 5e-4) + 0.05 * (config.temperature > 0.3) + close

    measure = Formula(value)
    first, _ = next(iter(walk(plan(END, choose="race", seeds=6), measure)))
    assert measure.asked[0] == ({"learning_rate", "temperature", "knn_k"}, 3)
    assert measure.asked[1][0] == {"learning_rate", "temperature"}
    assert {key: len(values) for key, values in first.values.items()} == {
        "learning_rate": 6,
        "temperature": 6,
        "knn_k": 3,
    }


def test_a_candidate_that_fails_on_a_seed_comes_last_and_the_path_still_ends_at_the_winner() -> None:
    def value(config: Config, seed: int) -> float | None:
        fails = config.learning_rate > 5e-4 and config.temperature < 0.3  # a fast start diverges while it is low
        return None if fails and seed == 2 else additive(config, seed)

    steps = [step for step, _ in walk(plan(END), Formula(value))]
    assert [step.key for step in steps] == ["temperature", "learning_rate", "knn_k"]
    assert steps[0].values["learning_rate"][1] is None
    assert rank({"a": [None], "b": [None]}) == ["a", "b"]  # nothing finished: as they came


def test_ties_go_to_the_parameter_that_the_space_names_first() -> None:
    assert rank({"b": [0.1, 0.1], "a": [0.1, 0.1]}) == ["b", "a"]


def test_what_nothing_reads_yet_waits_for_the_change_that_makes_it_count() -> None:
    start, end = START.override(item_graph_layers=0), START.override(item_graph_layers=1, knn_k=5)
    measure = Formula(lambda config, seed: 0.1)
    assert [step.key for step, _ in walk(plan(end, start=start), measure)] == ["item_graph_layers", "knn_k"]
    assert measure.asked == []  # there never was a choice


def test_what_nothing_reads_any_more_is_changed_along() -> None:
    end = START.override(item_graph_layers=0, knn_k=5, learning_rate=1e-3)
    made = plan(end)

    def value(config: Config, seed: int) -> float:
        return 0.1 * (config.item_graph_layers == 0)

    steps = list(walk(made, Formula(value)))
    assert [step.key for step, _ in steps] == ["item_graph_layers", "learning_rate"]
    assert steps[0][1].knn_k == 5
    assert steps[-1][1] == end


def test_a_parameter_that_nothing_reads_at_either_end_is_no_step() -> None:
    start = START.override(item_graph_layers=0)
    made = plan(start.override(knn_k=5), start=start)
    assert made.read_keys == []
    assert list(walk(made, Formula(additive))) == []
    assert why_none(made) == "winner and base configuration differ in what nothing reads (knn_k)"
    assert why_none(plan(START)) == "the winner is the base configuration"


@pytest.mark.parametrize(
    "changes",
    [
        {"item_graph_layers": 0, "knn_k": 3},
        {"alignment": "none", "temperature": 0.9, "alignment_weight": 0.7},
        {"distancing": "none", "distance_weight": 0.9},
        {"alignment": "none", "distancing": "none", "split_ratio": 0.3},
    ],
)
def test_what_is_called_unread_trains_to_the_same_bits(changes: dict[str, Any]) -> None:
    """The claim behind ``unread_parameters``, which spares the path its runs."""
    tiny = Config(epochs=1, latent_dim=4, item_mlp_hidden=4, club_steps=1)
    switch = {key: value for key, value in changes.items() if key in ("item_graph_layers", "alignment", "distancing")}
    dataset: Dataset = random_dataset()
    runs = [TrainingRun(tiny.override(**each), dataset, seed=1) for each in (switch, changes)]
    values = [run.advance().validation for run in runs]
    assert values[0] == values[1]
    assert runs[0].weights_hash() == runs[1].weights_hash()


def test_a_path_reads_back_as_it_was_written(tmp_path: Path) -> None:
    step = PathStep(key="knn_k", before=10, after=5, config_hash="b", values={"knn_k": (0.1, None)})
    path = AblationPath(
        metric="recall@20", choose="race", choice_seeds=(1, 2), seeds=(3,), start="a", end="b", steps=(step,)
    )
    folder = StudyFolder(tmp_path)
    assert read_path(folder) is None
    write_path(folder, path)
    back = read_path(folder)
    assert back is not None
    assert list(back.steps[0].values["knn_k"]) == [0.1, None]
    assert back.configs == ["a", "b"]
    assert (back.choice_seeds, back.seeds, back.choose) == ((1, 2), (3,), "race")


def test_an_order_that_is_chosen_anew_after_steps_were_tested_is_counted(tmp_path: Path) -> None:
    made = replace(plan(END), folder=StudyFolder(tmp_path))
    steps = [step for step, _ in walk(made, Formula(additive))]
    first = chosen_path(made, steps)
    write_path(made.folder, first)
    again = chosen_path(made, steps[::-1])
    assert (first.chosen_again, again.chosen_again) == (0, 0)  # nobody has seen a test result yet
    tested = made.folder.path_run("steps", steps[0].config_hash, 101)
    tested.mkdir(parents=True)
    (tested / TEST).touch()
    assert chosen_path(made, steps).chosen_again == 0  # the same order
    assert chosen_path(made, steps[::-1]).chosen_again == 1
    other = replace(made, end=END.override(knn_k=7))
    assert chosen_path(other, steps[::-1]).chosen_again == 0  # another winner's path
