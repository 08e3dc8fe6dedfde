"""How a step's time and memory grow with items, users, interactions and feature size, one at a time.

Writes ``growth.csv`` and ``images/growth.png`` to ``results/benchmarks``, or with ``--out docs`` those of the
documentation. ``--plot`` draws the figure from the table that is there.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import sea_core  # noqa: F401 - before torch, whose threads read at its import how long to wait: as programs have it

# isort: split
import numpy as np
import pandas as pd
import torch

from benchmarks.child import ROOT, run_child
from benchmarks.problem import BABY, Size, make_draws, make_inputs, make_model, random_problem
from sea_core.config import Config
from sea_core.errors import UserError, run_program
from sea_core.graphs.products import propagate_sum
from sea_core.layers.projection import recycle_gradients
from sea_core.losses.club import VariationalNet
from sea_core.losses.club_fit import ClubFitter
from sea_core.losses.solosim import solosim
from sea_core.training.step import Stepper

OUT = ROOT / "results" / "benchmarks"

# The first calls at a size take memory from the system, which can cost more than the work; training pays that once.
WARM_UPS, FEW_FAULTS = 10, 2_000

# Everything else stays at Amazon Baby's size.
SWEEPS = {
    "items": (2_000, 4_000, 8_000, 16_000, 32_000, 64_000),
    "users": (5_000, 20_000, 80_000, 320_000),
    "interactions": (50_000, 200_000, 800_000, 3_200_000),
    "image_dim": (512, 1_024, 2_048, 4_096, 8_192),
}
LABELS = {"items": "items", "users": "users", "interactions": "interactions", "image_dim": "feature size"}

# What makes a catalogue of a million items possible (docs/performance.md); features are 512 coordinates already.
MILLION = Size(users=200_000, items=1_000_000, interactions=2_000_000, validation=0, image_dim=512, text_dim=384)
MILLION_SETTINGS = {"alignment_items": "sample:8192", "distance_items": "sample:8192"}

TERMS = ("projection and the rest", "alignment", "CLUB fit", "user-item graph", "Adam")


def measure_growth() -> pd.DataFrame:
    """Measure every size in a process of its own; one row each, seconds by term and the peak in 10^9 bytes."""
    rows = []
    for factor, values in SWEEPS.items():
        for value in values:
            size = replace(BABY, validation=0, **{factor: value})
            size = replace(size, interactions=max(size.interactions, size.users))
            rows.append({"factor": factor, "value": value, **_measured(size, {})})
            _say(rows[-1])
    rows.append({"factor": "million", "value": MILLION.items, **_measured(MILLION, MILLION_SETTINGS)})
    _say(rows[-1])
    return pd.DataFrame(rows)


def exponents(table: pd.DataFrame) -> pd.DataFrame:
    """Power of each factor with which time and memory grow, fitted over the largest three sizes of its sweep."""
    rows = []
    for factor in SWEEPS:
        largest = table[table.factor == factor].nlargest(3, "value")
        powers = {
            name: float(np.polyfit(np.log(largest.value), np.log(largest[name]), 1)[0])
            for name in ("step", *TERMS, "peak_gb")
        }
        rows.append({"factor": factor, **powers})
    return pd.DataFrame(rows).set_index("factor")


def crossing(table: pd.DataFrame, factor: str, term: str, other: str) -> float:
    """Where one term overtakes another along a sweep, on the lines through its last two points (log-log)."""
    last = table[table.factor == factor].nlargest(2, "value").sort_values("value")
    x = np.log(last.value.to_numpy(float))
    gap = np.log(last[term].to_numpy(float)) - np.log(last[other].to_numpy(float))
    return float(np.exp(x[1] - gap[1] * (x[1] - x[0]) / (gap[1] - gap[0])))


def draw(table: pd.DataFrame, path: Path) -> None:
    """Two rows of panels, time and memory, one column per factor; both axes logarithmic."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import EngFormatter, NullFormatter

    from plots.lib.style import PAGE, look, paper_style

    with paper_style():
        figure, axes = plt.subplots(
            2, len(SWEEPS), figsize=(PAGE, 3.6), sharey="row", sharex="col", height_ratios=(2, 1), layout="constrained"
        )
        for column, factor in enumerate(SWEEPS):
            time_axis, memory_axis = axes[:, column]
            rows = table[table.factor == factor]
            for number, name in enumerate(("step", *TERMS)):
                color, marker, line, _ = look(number)
                label = "whole step" if name == "step" else name
                width = 2.0 if name == "step" else 1.0
                time_axis.plot(
                    rows.value, rows[name], linestyle=line, color=color, marker=marker, linewidth=width, label=label
                )
            memory_axis.plot(rows.value, rows.peak_gb, marker="o")
            for axis in (time_axis, memory_axis):
                axis.set(xscale="log", yscale="log")
                for ticks in (axis.xaxis, axis.yaxis):
                    ticks.set_minor_formatter(NullFormatter())
                axis.yaxis.set_major_formatter("{x:g}")
            memory_axis.set_yticks([1, 2, 4])
            memory_axis.set(xlabel=LABELS[factor], xticks=list(rows.value)[:: 2 if len(rows) > 4 else 1])
            memory_axis.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes[0, 0].set_ylabel("seconds a step")
        axes[1, 0].set_ylabel("peak memory (GB)")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=6)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
        plt.close(figure)


def step_by_terms(size: dict[str, int], config: dict[str, Any]) -> dict[str, float]:
    """What a child measures: the median step, and its parts on their own at the same sizes."""
    choices, problem = Config(**config), random_problem(Size(**size))
    inputs = make_inputs(choices, problem)
    model = make_model(choices, problem, inputs)
    stepper, data = Stepper(model), problem.dataset

    def step() -> None:
        stepper.step(inputs, *make_draws(choices, data))

    seconds = {"step": _median(step)}
    generator = torch.Generator().manual_seed(0)
    aligned, distanced = (
        data.items if choice == "all" else int(choice.removeprefix("sample:"))
        for choice in (choices.alignment_items, choices.distance_items)
    )
    t, v = (torch.randn(aligned, choices.align_out, generator=generator, requires_grad=True) for _ in range(2))
    pairs = [
        tuple(torch.randn(distanced, choices.distance_dim, generator=generator) for _ in range(2))
        for _ in data.modalities
    ]
    fitter = ClubFitter(VariationalNet(choices.distance_dim, choices.club_hidden), 1e-3)
    columns = choices.latent_dim * len(data.modalities)
    x = torch.randn(data.users + data.items, columns, generator=generator, requires_grad=True)
    parts: dict[str, Callable[[], object]] = {
        "alignment": lambda: solosim(t, v, temperature=choices.temperature).backward(),
        "CLUB fit": lambda: fitter.fit(pairs, choices.club_steps),  # type: ignore[arg-type]
        "user-item graph": lambda: propagate_sum(inputs.user_item, x, choices.gnn_layers).backward(x.detach()),
        "Adam": stepper.optimiser.step,
    }
    seconds |= {name: _median(part) for name, part in parts.items()}
    recycle_gradients(model.parameters())
    seconds[TERMS[0]] = max(1e-6, seconds["step"] - sum(seconds[name] for name in parts))
    return seconds


def report_growth(out: Path = OUT, *, measure: bool = True) -> None:
    """Measure if asked, keep the table, draw the figure, print the powers and where the quadratic term takes over."""
    table_file, figure_file = out / "growth.csv", out / "images" / "growth.png"
    if measure:
        out.mkdir(parents=True, exist_ok=True)  # before minutes are spent
        measure_growth().to_csv(table_file, index=False, float_format="%.4g")
    elif not table_file.is_file():
        raise UserError(f"there is no {table_file} to draw; measure first, without --plot, or draw --out docs")
    table = pd.read_csv(table_file)
    draw(table, figure_file)
    print("\nPowers with which cost grows, over the largest three sizes of each sweep:")
    print(exponents(table).round(2).to_string())
    overtakes = crossing(table, "items", "alignment", TERMS[0])
    print(f"the alignment loss overtakes the projection at about {overtakes:,.0f} items")
    print(f"wrote {table_file} and {figure_file}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, or draw what was measured."""
    parser = argparse.ArgumentParser(prog="benchmarks/growth.py", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out", type=Path, default=OUT, help="folder of table and figure (default: results/benchmarks)"
    )
    parser.add_argument("--plot", action="store_true", help="only draw the figure from the table in that folder")
    options = parser.parse_args(arguments)
    report_growth(options.out, measure=not options.plot)
    return 0


def _measured(size: Size, config: dict[str, Any]) -> dict[str, Any]:
    child = run_child("growth:step_by_terms", {"size": asdict(size), "config": config})
    return {**child.result, "peak_gb": child.peak_gb}


def _median(function: Callable[[], object], *, least_rounds: int = 3, least_seconds: float = 0.5) -> float:
    for _ in range(WARM_UPS):
        faults = _page_faults()
        function()
        if _page_faults() - faults < FEW_FAULTS:
            break
    seconds: list[float] = []
    while sum(seconds) < least_seconds or (len(seconds) < least_rounds and sum(seconds) < 10):
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def _page_faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def _say(row: dict[str, Any]) -> None:
    terms = ", ".join(f"{name} {row[name]:.3f}" for name in TERMS)
    print(
        f"  {row['factor']:>13} {row['value']:>10,}: {row['step']:7.3f} s, {row['peak_gb']:5.2f} GB   ({terms})",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(run_program(main))
