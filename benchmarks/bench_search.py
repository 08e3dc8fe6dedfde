"""Program: which way to search is worth its epochs, on learning curves on file. ``make bench-search``.

Every method is repeated in many worlds of a surrogate (``curve_surrogate``); what it would choose after so many epochs
is trained again on fresh seeds. Writes ``search.csv``, ``search-methods.csv``, ``search_goals.csv`` and
``images/search.png`` to ``results/benchmarks``, or with ``--out docs`` those of the documentation. The last line is one
JSON object.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import optuna
import pandas as pd
from scipy.stats import beta

from benchmarks.curve_plan import MOST_EPOCHS
from benchmarks.curve_surrogate import METRIC, CurveSurrogate, cross_validate
from benchmarks.curve_table import read_curves
from benchmarks.search_methods import (
    Driven,
    IEpoch,
    Judged,
    Method,
    Parameters,
    World,
    chosen,
    default_alone,
    first_list,
    grid,
)
from sea_core.config import Config
from sea_core.errors import UserError, run_program, suggest
from study.searching.promotion import Promotion
from study.searching.space import Space, load_space

CURVES = Path(__file__).resolve().parent / "curves"
FRESH_SEEDS = 10  # whose mean says what a configuration is worth
FINAL_SEEDS = 3  # on which finalists compete
FINALISTS = 3
WARM = 3  # configurations taken over from another dataset
BUDGETS = np.arange(1, 41) / 2  # in whole runs of the default, where curves are drawn
MUCH_WORSE = 0.01
DEFAULT_METHOD = "first + tpe, promote"  # what run_search.py does unless told otherwise
SLOW = ("gp",)  # samplers that take seconds a study, repeated less often

METHODS: dict[str, Method] = {
    "default alone": default_alone,
    "first list": first_list,
    "grid of 36": grid,
    "random": Driven("random", "none", default_first=False),
    "tpe": Driven("tpe", "none", default_first=False),
    "tpe, median, 40 epochs": Driven("tpe", "median", cap=40, default_first=False),
    "first + random": Driven("random", "none"),
    "first + qmc": Driven("qmc", "none"),
    "first + tpe": Driven("tpe", "none"),
    "first + tpe, 40 epochs": Driven("tpe", "none", cap=40),
    "first + tpe, median": Driven("tpe", "median"),
    "first + tpe, patient": Driven("tpe", "patient"),
    "first + tpe, halving": Driven("tpe", "halving"),
    "first + tpe, hyperband": Driven("tpe", "hyperband"),
    "first + i-epoch": IEpoch(),
    "first + random, promote": Driven("random", "promote"),
    "first + random, promote 5 15 45": Driven("random", "promote", promotion=Promotion(rungs=(5, 15, 45))),
    "first + random, promote 30 90": Driven("random", "promote", promotion=Promotion(rungs=(30, 90))),
    "first + random, promote 1 in 2": Driven("random", "promote", promotion=Promotion(factor=2)),
    "first + random, promote 1 in 4": Driven("random", "promote", promotion=Promotion(factor=4)),
    "first + random, promote 1 point": Driven("random", "promote", promotion=Promotion(points=1)),
    "first + qmc, promote": Driven("qmc", "promote"),
    "first + tpe, promote": Driven("tpe", "promote"),
    "first + gp": Driven("gp", "none"),
    "first + warm + tpe": Driven("tpe", "none", warm=True),
    "first + warm + tpe, median": Driven("tpe", "median", warm=True),
}


class Repeat(NamedTuple):
    """One method in one world.

    Attributes:
        values: of what it would choose after each of ``BUDGETS``, trained once on a fresh seed; NaN before its first.
        worth: mean over fresh seeds of what it chose in the end, as a share of the default's, less 1.
        worth_after_finals: the same of the winner among finalists and the default on fresh seeds.
        spent: epochs of the whole search.
        reached: epochs when it would first choose something as good as the grid's choice; infinite if never.
        grid: epochs that the grid spent in this world.
    """

    values: list[float]
    worth: float
    worth_after_finals: float
    spent: int
    reached: float
    grid: int


class Problem(NamedTuple):
    """What worlds of a dataset share."""

    surrogate: CurveSurrogate
    base: Config
    warm: tuple[Parameters, ...]
    whole_run: float  # mean epochs of the default
    budget: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate, print and draw."""
    parser = argparse.ArgumentParser(prog="benchmarks/bench_search.py", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("-d", "--dataset", action="append", metavar="NAME", help="tables in --curves (default: all of them)")
    add("--curves", type=Path, default=CURVES, metavar="DIR", help="folder of tables (default: benchmarks/curves)")
    add("--repeats", type=int, default=200, metavar="N", help="worlds (default: 200; a twentieth of them for gp)")
    add("--budget", type=float, default=20.0, metavar="X", help="in whole runs of the default (default: 20)")
    add("--methods", nargs="+", metavar="NAME", help="some of the methods only (default: all)")
    add("--workers", type=int, default=1, metavar="N", help="processes (default: 1)")
    add("--out", type=Path, default=Path("results/benchmarks"), metavar="DIR", help="default: results/benchmarks")
    options = parser.parse_args(arguments)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    names = options.dataset or sorted(path.stem for path in options.curves.glob("*.parquet"))
    if not names:
        raise UserError(f"no tables in {options.curves}; make them with benchmarks/make_curves.py")
    if options.repeats < 1 or options.budget < 1 or options.workers < 1:
        raise UserError("--repeats, --budget and --workers must be at least 1")
    methods = _chosen_methods(options.methods)
    started, space = time.perf_counter(), load_space("default")
    tables = {name: read_curves(options.curves / f"{name}.parquet") for name in names}
    curves, summaries, quality = [], [], {}
    for name, table in tables.items():
        others = [other for key, other in tables.items() if key not in (name, "synthetic")]
        seeds = [other for key, other in tables.items() if key != name]
        try:
            problem = make_problem(table, others, space, budget=options.budget, seeds=seeds)
        except UserError as error:
            if options.dataset:
                raise
            print(f"\n{name} is left out: {error}")
            continue
        quality[name] = _tell_quality(name, table, space, seeds)
        for method in methods:
            repeats = options.repeats if not _is_slow(method) else max(1, options.repeats // 20)
            simulated = simulate(problem, method, range(repeats), workers=options.workers)
            curves.append(_curve_rows(name, method, simulated, problem))
            summaries.append({"dataset": name, "method": method, **summarise(simulated)})
            _print_row(summaries[-1])
    if not curves:
        raise UserError(f"no table in {options.curves} says enough yet; let benchmarks/make_curves.py go on")
    options.out.mkdir(parents=True, exist_ok=True)
    goals = goals_met(summaries)
    goals.to_csv(options.out / "search_goals.csv", index=False)
    for row in goals.to_dict("records"):
        print(f"{row['dataset']}: {row['what']}: {row['measured']} ({row['verdict']})")
    pd.concat(curves).to_csv(options.out / "search.csv", index=False)
    pd.DataFrame(summaries).to_csv(options.out / "search-methods.csv", index=False)
    from benchmarks.search_figure import draw

    figure = draw(pd.concat(curves), options.out / "images" / "search.png")
    print(f"\n{options.out / 'search.csv'}, {options.out / 'search-methods.csv'}, {figure}")
    print(f"simulations took {time.perf_counter() - started:.0f} s")
    print(json.dumps({"rank_correlation": quality}))
    return 0


def make_problem(
    table: pd.DataFrame,
    others: Sequence[pd.DataFrame],
    space: Space,
    *,
    budget: float,
    seeds: Sequence[pd.DataFrame] = (),
) -> Problem:
    """The surrogate of a dataset, and what a study on it would be given.

    Args:
        table: its curves.
        others: those of other datasets, for the warm start.
        space: what is searched.
        budget: in whole runs of the default.
        seeds: where the noise of seeds comes from while the table has no configuration on several.
    """
    base = Config(epochs=MOST_EPOCHS)
    surrogate = CurveSurrogate(table, space, most_epochs=MOST_EPOCHS, seeds=seeds)
    probe = World(surrogate, -1, base)
    whole_run = float(np.mean([probe.train(probe.default(), seed)[1] for seed in range(50)]))
    return Problem(surrogate, base, _best_elsewhere(others, space), whole_run, round(budget * whole_run))


def simulate(problem: Problem, method: str, worlds: Sequence[int], *, workers: int = 1) -> list[Repeat]:
    """One method in many worlds; the result does not depend on the workers."""
    if workers == 1:
        return [repeat(problem, METHODS[method], world) for world in worlds]
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        return pool.starmap(repeat, [(problem, METHODS[method], world) for world in worlds], chunksize=4)


def repeat(problem: Problem, method: Method, number: int) -> Repeat:
    """One method in one world."""
    world = World(problem.surrogate, number, problem.base, problem.warm)
    judged = method(world, problem.budget)
    ends = np.round(BUDGETS * problem.whole_run).astype(int)
    picks = [chosen(judged, spent=int(spent)) for spent in ends]
    values = [world.train(pick[0], _fresh(0))[0] if pick else float("nan") for pick in picks]
    of_grid = grid(world, problem.budget)
    target = _worth(world, chosen(of_grid)[0])
    default = _worth(world, world.default())
    return Repeat(
        values=values,
        worth=_worth(world, chosen(judged)[0]) / default - 1,
        worth_after_finals=_worth(world, winner_of(world, chosen(judged, count=FINALISTS))) / default - 1,
        spent=judged[-1].spent,
        reached=_reached(world, judged, target),
        grid=of_grid[-1].spent,
    )


def winner_of(world: World, finalists: Sequence[Parameters]) -> Parameters:
    """Finalists compete on fresh seeds; the best of them must then beat the default on other ones, or that is kept."""
    rivals = [each for each in finalists if each != world.default()]
    if not rivals:
        return world.default()
    best = max(rivals, key=lambda each: _mean(world, each, range(100, 100 + FINAL_SEEDS)))
    other = range(200, 200 + FINAL_SEEDS)
    return best if _mean(world, best, other) > _mean(world, world.default(), other) else world.default()


def summarise(repeats: Sequence[Repeat]) -> dict[str, float]:
    """What a method is worth, over its worlds; medians unless the name says otherwise."""
    worth = np.array([each.worth for each in repeats])
    finals = np.array([each.worth_after_finals for each in repeats])
    return {
        "repeats": len(repeats),
        "epochs": float(np.median([each.spent for each in repeats])),
        "gain": float(np.median(worth)),
        "gain_low": float(np.quantile(worth, 0.1)),
        "gain_high": float(np.quantile(worth, 0.9)),
        "worse": float(np.mean(worth < -MUCH_WORSE)),
        "gain_finals": float(np.median(finals)),
        "worse_finals": float(np.mean(finals < -MUCH_WORSE)),
        "speedup": float(np.median([each.grid / each.reached for each in repeats])),
        "reached": float(np.mean([np.isfinite(each.reached) for each in repeats])),
    }


def goals_met(summaries: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """What the way that ``run_search.py`` searches by default is held against, a row for each dataset and goal.

    Columns: ``dataset, what, goal, least, measured, bound, repeats, verdict``. ``bound`` is the upper end of a
    one-sided 95 % interval of a chance (Clopper and Pearson 1934); the verdict is of what was measured.
    """
    rows = []
    for each in summaries:
        if each["method"] != DEFAULT_METHOD:
            continue
        speedup, worse, repeats = each["speedup"], each["worse_finals"], int(each["repeats"])
        bound = 1.0 if worse == 1 else float(beta.ppf(0.95, round(worse * repeats) + 1, round((1 - worse) * repeats)))
        rows += [
            {
                "dataset": each["dataset"],
                "what": "epochs to reach the value that the 36-cell grid reaches: grid / ours, median",
                "goal": ">= 10",
                "least": ">= 6",
                "measured": f"{speedup:.1f}",
                "bound": "",
                "repeats": repeats,
                "verdict": "goal met" if speedup >= 10 else "least met" if speedup >= 6 else "missed",
            },
            {
                "dataset": each["dataset"],
                "what": "chance that the tuned winner is worse than the default by more than 1 % (fresh seeds)",
                "goal": "< 1 %",
                "least": "< 5 %",
                "measured": f"{worse:.1%}",
                "bound": f"{bound:.1%}",
                "repeats": repeats,
                "verdict": "goal met" if worse < 0.01 else "least met" if worse < 0.05 else "missed",
            },
        ]
    columns = ["dataset", "what", "goal", "least", "measured", "bound", "repeats", "verdict"]
    return pd.DataFrame(rows, columns=columns)


def _reached(world: World, judged: Sequence[Judged], target: float) -> float:
    """Epochs until the choice is worth the target; a choice changes only when something better is judged."""
    leader: Judged | None = None
    for each in judged:
        if leader is None or (each.cap, each.value) > (leader.cap, leader.value):
            leader = each
            if _worth(world, each.parameters) >= target:
                return float(each.spent)
    return float("inf")


def _worth(world: World, parameters: Parameters) -> float:
    """Mean best validation value over fresh seeds."""
    return _mean(world, parameters, range(FRESH_SEEDS))


def _mean(world: World, parameters: Parameters, numbers: Sequence[int]) -> float:
    return float(np.mean([world.train(parameters, _fresh(number))[0] for number in numbers]))


def _fresh(number: int) -> int:
    """A seed that no trial has: those of studies are small."""
    return 10**6 + number


def _best_elsewhere(others: Sequence[pd.DataFrame], space: Space) -> tuple[Parameters, ...]:
    """The best configurations of other datasets by their mean rank there, as a warm start would know them."""
    if not others:
        return ()
    ranks = pd.concat(
        [table.groupby("configuration")[METRIC].max().rank(pct=True) for table in others], axis=1, join="inner"
    ).mean(axis=1)
    best = ranks.sort_values(ascending=False, kind="stable").index[:WARM]
    rows = others[0].drop_duplicates("configuration").set_index("configuration").loc[best, list(space)]
    return tuple({str(key): value for key, value in row.items()} for row in rows.to_dict("records"))


def _chosen_methods(names: Sequence[str] | None) -> list[str]:
    for name in names or ():
        if name not in METHODS:
            raise UserError(f"unknown method '{name}'{suggest(name, METHODS)}")
    return list(names or METHODS)


def _is_slow(method: str) -> bool:
    made = METHODS[method]
    return isinstance(made, Driven) and made.sampler in SLOW


def _tell_quality(name: str, table: pd.DataFrame, space: Space, seeds: Sequence[pd.DataFrame]) -> dict[str, float]:
    runs, configurations = table.groupby(["configuration", "seed"]).ngroups, table["configuration"].nunique()
    print(f"\n{name}: {runs} runs of {configurations} configurations, {len(table)} epochs")
    quality = cross_validate(table, space, most_epochs=MOST_EPOCHS, stopping_step=Config().stopping_step, seeds=seeds)
    print(
        f"  surrogate, cross-validated rank correlation: best value {quality.best:.2f}, "
        + ", ".join(f"after {epoch} epochs {each:.2f}" for epoch, each in quality.at_epoch.items())
        + f", length of a run {quality.epochs:.2f}"
    )
    print(
        f"  its median error of a best value {quality.error:.1%}; "
        f"seeds of one configuration: {quality.between_seeds:.1%}"
    )
    print(
        f"  {'':32}{'epochs':>8}{'gain over the default':>30}{'worse':>8}{'after finals':>14}{'worse':>8}"
        f"{'grid / it':>11}{'reached':>9}"
    )
    return {"best": round(quality.best, 3), **{str(e): round(each, 3) for e, each in quality.at_epoch.items()}}


def _print_row(row: dict[str, Any]) -> None:
    band = f"{row['gain']:+.1%} ({row['gain_low']:+.1%} to {row['gain_high']:+.1%})"
    print(
        f"  {row['method']:32}{row['epochs']:8.0f}{band:>30}{row['worse']:8.1%}{row['gain_finals']:+14.1%}"
        f"{row['worse_finals']:8.1%}{row['speedup']:11.1f}{row['reached']:9.0%}",
        flush=True,
    )


def _curve_rows(dataset: str, method: str, repeats: Sequence[Repeat], problem: Problem) -> pd.DataFrame:
    values = np.array([each.values for each in repeats])  # (worlds, budgets)
    shown = ~np.isnan(values).any(axis=0)  # a median over some worlds only would be of the quick ones
    low, middle, high = np.quantile(values[:, shown], (0.1, 0.5, 0.9), axis=0)
    return pd.DataFrame(
        {
            "dataset": dataset,
            "method": method,
            "whole_runs": BUDGETS[shown],
            "epochs": np.round(BUDGETS[shown] * problem.whole_run).astype(int),
            "median": middle,
            "low": low,
            "high": high,
        }
    )


if __name__ == "__main__":
    sys.exit(run_program(main))
