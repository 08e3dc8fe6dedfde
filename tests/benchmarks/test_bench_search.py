"""The simulations of searches do what they say."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.bench_search import (
    BUDGETS,
    DEFAULT_METHOD,
    METHODS,
    Problem,
    goals_met,
    main,
    make_problem,
    repeat,
    simulate,
    winner_of,
)
from benchmarks.curve_plan import configuration
from benchmarks.curve_surrogate import epochs_run
from benchmarks.curve_table import _parquet
from benchmarks.search_methods import Driven, Judged, World, chosen, grid
from sea_core.errors import UserError
from study.planning.requests import SearchRequest
from study.planning.study_plan import plan_study
from tests.benchmarks.planted_curves import SPACE, planted_curves

NAMES = list(SPACE)


@pytest.fixture(scope="module")
def problem() -> Problem:
    return make_problem(planted_curves(), [], SPACE, budget=6)


@pytest.fixture
def world(problem: Problem) -> World:
    return World(problem.surrogate, 0, problem.base)


def total_epochs(world: World, judged: list[Judged]) -> int:
    """Epochs of all runs, each as long as the longest that was judged of it."""
    longest: dict[str, int] = {}
    for each in judged:
        curve = world.surrogate.curve(each.parameters, seed=world.seed, world=world.number)[: each.cap]
        key = repr(sorted(each.parameters.items()))
        longest[key] = max(longest.get(key, 0), epochs_run(curve, world.base.stopping_step))
    return sum(longest.values())


@pytest.mark.parametrize("name", [name for name in METHODS if "gp" not in name and "warm" not in name])
@pytest.mark.slow
def test_what_a_method_says_it_spent_is_what_its_runs_cost(name: str, problem: Problem, world: World):
    judged = METHODS[name](world, problem.budget)
    spent = [each.spent for each in judged]
    assert spent == sorted(spent)
    # A trial that was pruned has cost epochs too and is not judged.
    pruned = isinstance(METHODS[name], Driven) and METHODS[name].pruner != "none"
    assert spent[-1] >= total_epochs(world, judged) if pruned else spent[-1] == total_epochs(world, judged)


def test_default_first_methods_begin_with_the_base_configuration_run_whole(problem: Problem, world: World):
    for method in (Driven("random", "none"), Driven("random", "promote")):
        first = method(world, problem.budget)[0]
        assert first.parameters == world.default()
        assert (first.value, first.spent) == world.train(world.default(), world.seed)


def test_a_driven_search_is_a_function_of_its_world(problem: Problem, world: World):
    method = Driven("tpe", "median")
    assert method(world, problem.budget) == method(world, problem.budget)
    other = World(problem.surrogate, 1, problem.base)
    assert method(other, problem.budget) != method(world, problem.budget)


def test_values_of_longer_runs_are_chosen_before_those_of_shorter_ones():
    judged = [Judged(10, {"a": 1}, 0.9, 10), Judged(50, {"a": 2}, 0.5, 40), Judged(90, {"a": 3}, 0.6, 40)]
    assert chosen(judged) == [{"a": 3}]
    assert chosen(judged, spent=60) == [{"a": 2}]
    assert chosen(judged, spent=5) == []
    assert chosen(judged, count=3) == [{"a": 3}, {"a": 2}, {"a": 1}]


def test_the_default_is_kept_unless_a_finalist_beats_it(world: World):
    level = {number: world.surrogate.mean_curve(configuration(number, SPACE)).max() for number in range(500, 560)}
    worse, better = (configuration(pick(level, key=level.__getitem__), SPACE) for pick in (min, max))
    assert winner_of(world, [worse, better]) == better  # the planted default's learning rate is ten times too low
    good = replace(world, base=world.base.override(learning_rate=1e-3))
    assert winner_of(good, [worse]) == good.default()
    assert winner_of(good, [good.default()]) == good.default()


def test_the_grids_own_choice_is_reached_by_the_grid(problem: Problem):
    repeats_reached = [repeat(problem, grid, number) for number in range(5)]
    assert all(each.reached <= each.grid == each.spent for each in repeats_reached)
    assert all(len(each.values) == len(BUDGETS) for each in repeats_reached)


def test_searching_longer_chooses_better_on_planted_curves(problem: Problem):
    repeats = simulate(problem, "tpe", range(12))
    early, late = (np.median([each.values[index] for each in repeats]) for index in (3, 11))
    assert late > early
    assert (
        np.median([each.worth for each in repeats]) > 0.05
    )  # the planted default's learning rate is ten times too low


@pytest.mark.slow
def test_workers_change_nothing(problem: Problem):
    one, two = (simulate(problem, "first + random", range(6), workers=workers) for workers in (1, 2))
    np.testing.assert_equal([each.values for each in one], [each.values for each in two])  # NaN equals NaN here
    assert [each._replace(values=[]) for each in one] == [each._replace(values=[]) for each in two]


def test_a_table_that_is_only_begun_is_left_out_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "begun.parquet").write_bytes(_parquet(planted_curves(2), "hash"))
    places = ["--curves", str(tmp_path), "--out", str(tmp_path / "out")]
    with pytest.raises(UserError, match="says enough yet"):
        main([*places, "--repeats", "1"])
    assert "begun is left out: a surrogate needs at least 10 runs, the table has 6" in capsys.readouterr().out
    with pytest.raises(UserError, match="at least 10 runs"):
        main([*places, "-d", "begun"])


@pytest.mark.slow
def test_the_program_writes_its_tables_and_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "planted.parquet").write_bytes(_parquet(planted_curves(30), "hash"))
    places = ["--curves", str(tmp_path), "--out", str(tmp_path / "out")]
    code = main([*places, "--repeats", "2", "--budget", "3", "--methods", "default alone", "first + tpe"])
    assert code == 0
    methods = pd.read_csv(tmp_path / "out" / "search-methods.csv")
    assert methods["method"].tolist() == ["default alone", "first + tpe"]
    assert methods.loc[0, "gain"] == 0
    curves = pd.read_csv(tmp_path / "out" / "search.csv")
    assert (curves["low"] <= curves["median"]).all()
    assert (tmp_path / "out" / "images" / "search.png").stat().st_size > 10_000
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert printed["rank_correlation"]["planted"]["best"] > 0.6


def test_goals_are_judged_by_what_was_measured_with_a_bound_on_chances():
    summary = {"dataset": "d", "method": DEFAULT_METHOD, "speedup": 7.0, "worse_finals": 0.0, "repeats": 59}
    other = summary | {"method": "random", "speedup": 99.0}
    speed, chance = goals_met([other, summary]).to_dict("records")
    assert (speed["measured"], speed["verdict"]) == ("7.0", "least met")
    # Of none in 59 the chance is below 5 % with 95 % confidence: the rule of three.
    assert (chance["measured"], chance["bound"], chance["verdict"]) == ("0.0%", "5.0%", "goal met")
    poor = goals_met([summary | {"speedup": 2.0, "worse_finals": 0.5}])
    assert poor["verdict"].tolist() == ["missed", "missed"]
    assert goals_met([other]).empty


def test_the_default_method_is_what_run_search_does(tmp_path: Path):
    plan = plan_study(SearchRequest(dataset="synthetic:users=40,items=30,interactions=8,dims=8/6", out=tmp_path))
    method = METHODS[DEFAULT_METHOD]
    assert isinstance(method, Driven)
    assert (method.sampler, method.pruner, method.promotion) == (plan.sampler, plan.pruner, plan.promotion)
    assert (method.default_first, method.cap, plan.base.epochs) == (True, None, plan.final_epochs)
    assert len(plan.first) == 3
