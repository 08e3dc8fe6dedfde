"""Measure how well the statistics of ``study/analysis/stats`` are calibrated, and show it in the docs.

    python benchmarks/calibrate_statistics.py                 measure what is missing, then print the tables
    python benchmarks/calibrate_statistics.py --only power    one check
    python benchmarks/calibrate_statistics.py --seconds 300   stop after about five minutes; the same command goes on

Each cell is drawn from its own generator, so the figures do not depend on the order or on where a run stopped.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that the program also runs from a checkout that is not installed

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from scipy import stats  # noqa: E402

from plots.lib.style import BLACK, BLUE, GREY, ORANGE, PAGE, VERMILLION, paper_style  # noqa: E402
from sea_core.errors import run_program  # noqa: E402
from study.analysis.stats import calibration  # noqa: E402
from study.analysis.stats.behrens_fisher import chi_square_nodes  # noqa: E402
from study.analysis.stats.crossed import Components  # noqa: E402
from study.analysis.stats.power import detection_power  # noqa: E402
from study.analysis.stats.simulate import planted_components  # noqa: E402

FIGURES = ROOT / "docs" / "calibration.csv"
PICTURE = ROOT / "docs" / "images" / "calibration.png"
USERS = 2000
NULLS = 2000  # simulated true nulls per cell
SEEDS = (3, 5, 10)
SEED_EFFECTS = (0, 1, 2)
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.97)

Measured = dict[str, float]


class Cell(NamedTuple):
    """One simulated situation; ``setting`` says what is unusual about it."""

    check: str
    seeds: int
    seed_effect: float
    setting: str
    replicates: int
    measure: Callable[[np.random.Generator], Measured]

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What identifies the cell in the file."""
        return (self.check, str(self.seeds), str(self.seed_effect), self.setting, str(self.replicates))


def cells() -> Iterator[Cell]:
    """All situations, cheap ones first."""
    for seeds in (2, *SEEDS):
        for share in SHARES:
            yield Cell("size", seeds, share, "exact", 0, partial(_exact_sizes, seeds, share))
    for seeds in SEEDS:
        for effect in SEED_EFFECTS:
            yield from _grid_cells(seeds, effect)
    for users in (20, 50, 200):
        yield _null(5, 1, f"{users} users", users=users)
    for seeds in SEEDS:
        yield _null(seeds, 2, "heavy-tailed seeds", seed_df=3.0)


def _grid_cells(seeds: int, effect: int) -> Iterator[Cell]:
    components = planted_components(users=USERS, seed_effect=effect)
    design = {"seeds": seeds, "users": USERS}
    for variance in (1.0, 0.25, 4.0):
        yield _null(seeds, effect, f"interaction {variance:g}", interaction=variance)

    def recall(rng: np.random.Generator) -> Measured:
        return calibration.recall_errors(seed_effect=effect, replicates=1000, rng=rng, **design)._asdict()

    def power(rng: np.random.Generator) -> Measured:
        return calibration.power_check(components, replicates=4000, rng=rng, **design)._asdict()

    def narrow(rng: np.random.Generator) -> Measured:
        return calibration.narrow_check(components, replicates=4000, rng=rng, **design)._asdict()

    def interaction(rng: np.random.Generator) -> Measured:
        return calibration.interaction_check(components, replicates=1000, rng=rng, **design)._asdict()

    def equivalence(rng: np.random.Generator) -> Measured:
        return {"false": calibration.equivalence_error(components, replicates=4000, rng=rng, **design)}

    def bootstrap(rng: np.random.Generator) -> Measured:
        return {"bootstrap": calibration.bootstrap_error(components, replicates=500, rng=rng, **design)}

    def family(rng: np.random.Generator) -> Measured:
        small = planted_components(users=500, seed_effect=effect)
        size = {"arms": 9, "metrics": 4, "seeds": seeds, "users": 500}
        crossed, naive = calibration.family_error(small, replicates=1000, rng=rng, **size)
        return {"crossed": crossed, "satterthwaite": naive}

    yield Cell("recall", seeds, effect, "recall", 1000, recall)
    yield Cell("power", seeds, effect, "interaction 1", 4000, power)
    yield Cell("narrow", seeds, effect, "interaction 1", 4000, narrow)
    yield Cell("interaction", seeds, effect, "2x2", 1000, interaction)
    yield Cell("equivalence", seeds, effect, "at the margin", 4000, equivalence)
    yield Cell("bootstrap", seeds, effect, "interaction 1", 500, bootstrap)
    yield Cell("family", seeds, effect, "36 comparisons", 1000, family)


def _null(
    seeds: int, effect: int, setting: str, *, users: int = USERS, interaction: float = 1.0, seed_df: float = math.inf
) -> Cell:
    components = planted_components(users=users, seed_effect=effect, interaction=interaction)

    def measure(rng: np.random.Generator) -> Measured:
        design = {"seeds": seeds, "users": users, "replicates": NULLS}
        return calibration.null_errors(components, rng=rng, seed_df=seed_df, **design)._asdict()

    return Cell("errors", seeds, effect, setting, NULLS, measure)


def _exact_sizes(seeds: int, share: float, _: np.random.Generator) -> Measured:
    """Errors without simulation, where ``share`` of the mean's variance is what the seeds must estimate."""
    components = Components(user=(1 - share) * USERS, seed=share * seeds, residual=0.0)
    found = {}
    for alpha in (0.05, 0.001):
        found[f"crossed {alpha:g}"] = detection_power(0.0, components, seeds=seeds, users=USERS, alpha=alpha)
        value, weight = chi_square_nodes(seeds - 1)
        estimated = share * value / (seeds - 1)
        variance = 1 - share + estimated
        critical = stats.t.isf(alpha / 2, (seeds - 1) * (variance / estimated) ** 2)
        found[f"satterthwaite {alpha:g}"] = float(2 * stats.norm.sf(critical * np.sqrt(variance)) @ weight)
    return found


def measure(only: str | None, seconds: float) -> bool:
    """Measure the cells that the file lacks; True if none is left."""
    known = {tuple(row[:5]) for row in csv.reader(FIGURES.open())} if FIGURES.is_file() else set()
    started = time.monotonic()
    missing = [cell for cell in cells() if cell.key not in known and only in (None, cell.check)]
    for number, cell in enumerate(missing, start=1):
        if time.monotonic() - started > seconds:
            print(f"stopped before cell {number} of {len(missing)}; the same command goes on", file=sys.stderr)
            return False
        began = time.monotonic()
        found = cell.measure(np.random.default_rng(zlib.crc32("|".join(cell.key).encode())))
        rows = [(*cell.key, quantity, f"{value:.6g}") for quantity, value in found.items()]
        _append(rows)
        print(f"{number}/{len(missing)} {' '.join(cell.key)}: {time.monotonic() - began:.1f} s", file=sys.stderr)
    return True


def _append(rows: Sequence[tuple[str, ...]]) -> None:
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    new = not FIGURES.exists()
    with FIGURES.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(("check", "seeds", "seed_effect", "setting", "replicates", "quantity", "value"))
        writer.writerows(rows)


def markdown(path: Path = FIGURES) -> str:
    """The tables of ``docs/statistics.md``, from the file of figures."""
    frame = pd.read_csv(path)
    parts = []
    for check, title in TITLES.items():
        chosen = frame[frame["check"] == check]
        wide = chosen.pivot_table(
            index=["setting", "seeds", "seed_effect"], columns="quantity", values="value", sort=False
        ).reset_index()
        wide = wide.rename(columns={"seed_effect": "share" if check == "size" else "seed effect"})
        columns = [str(name) for name in wide.columns]
        lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
        lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in wide.itertuples(index=False)]
        parts.append(f"**{title}**\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


TITLES = {
    "errors": "Errors at 5 % (2,000 simulated nulls a row, 2,000 users; binomial 95 % interval .041 to .060)",
    "recall": "The same on simulated recall (1,000 nulls a row; interval .036 to .064)",
    "size": "Exact errors at 5 % and 0.1 %, by the share of the mean's variance that the seeds must estimate",
    "power": "Power and coverage where the true effect is the predicted minimum detectable one (4,000 a row)",
    "narrow": "Errors at 5 % of intervals narrower than users alone would make them, and of the others (4,000 a row)",
    "interaction": "A planted interaction at its minimum detectable effect (1,000 a row)",
    "equivalence": "Differences exactly at the margin that are called equivalent at 5 % (4,000 a row)",
    "bootstrap": "Errors of the hierarchical bootstrap at 5 % (500 a row)",
    "family": "Families of 36 true nulls in which Holm rejects any at 5 % (1,000 a row, 500 users)",
}


def _cell(value: object) -> str:
    if value != value:
        return "–"
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.3g}" if value < 0.01 else f"{value:.3f}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def picture() -> None:
    """False positives, tails and power in one row of panels."""
    frame = pd.read_csv(FIGURES)
    with paper_style():
        figure, (errors, tails, power) = plt.subplots(1, 3, figsize=(PAGE, 2.3), layout="constrained")
        _draw_errors(errors, frame)
        _draw_tails(tails, frame)
        _draw_power(power, frame)
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(PICTURE)
        plt.close(figure)


def _draw_errors(ax: Axes, frame: pd.DataFrame) -> None:
    rows = frame[(frame["check"] == "errors") & (frame["setting"] == "interaction 1")]
    styles = {"users_only": ("s", VERMILLION, "users only"), "satterthwaite": ("^", ORANGE, "Satterthwaite t")}
    styles["crossed"] = ("o", BLUE, "crossed (ours)")
    labels = [f"{seeds}\n{effect}" for seeds in SEEDS for effect in SEED_EFFECTS]
    low, high = stats.binom.ppf([0.025, 0.975], NULLS, 0.05) / NULLS
    ax.axhspan(low, high, color="#DDDDDD", lw=0)
    for quantity, (marker, colour, label) in styles.items():
        values = rows[rows["quantity"] == quantity].sort_values(["seeds", "seed_effect"])["value"]
        ax.plot(np.arange(len(labels)), values, marker, color=colour, label=label)
    ax.set(title="False positives at 5 %", ylim=(0, None), ylabel="rejected")
    ax.set_xticks(np.arange(len(labels)), labels)
    ax.set_xlabel("seeds (above), seed effect (below)")
    ax.legend()


def _draw_tails(ax: Axes, frame: pd.DataFrame) -> None:
    rows = frame[(frame["check"] == "size") & (frame["seeds"] == 3)]
    for name, colour, label in (("satterthwaite", ORANGE, "Satterthwaite t"), ("crossed", BLUE, "crossed (ours)")):
        for level, line in ((0.05, "-"), (0.001, "--")):
            chosen = rows[rows["quantity"] == f"{name} {level:g}"]
            ax.plot(chosen["seed_effect"], chosen["value"] / level, line, color=colour, label=f"{label}, {level:g}")
    ax.axhline(1, color=GREY, lw=0.8)
    ax.set(title="3 seeds: error over level", yscale="log", xlabel="share of variance estimated from seeds")
    ax.set_ylim(0.1, 150)
    ax.set_yticks([0.1, 0.3, 1, 3, 10, 30], ["0.1", "0.3", "1", "3", "10", "30"])
    ax.legend(loc="upper left")


def _draw_power(ax: Axes, frame: pd.DataFrame) -> None:
    rows = frame[(frame["check"] == "power") & (frame["quantity"] == "power")].sort_values(["seeds", "seed_effect"])
    ax.axhspan(0.75, 0.85, color="#DDDDDD", lw=0)
    ax.plot(np.arange(len(rows)), rows["value"], "o", color=BLACK)
    ax.set(title="Power at the predicted MDE", ylim=(0.7, 0.9), ylabel="found")
    labels = [f"{row.seeds}\n{row.seed_effect:g}" for row in rows.itertuples()]
    ax.set_xticks(np.arange(len(rows)), labels)
    ax.set_xlabel("seeds (above), seed effect (below)")


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=sorted(TITLES), help="measure this check alone")
    parser.add_argument(
        "--seconds", type=float, default=math.inf, help="stop after about this long (default: no limit)"
    )
    arguments = parser.parse_args()
    done = measure(arguments.only, arguments.seconds)
    if done and arguments.only is None:
        print(markdown())
        picture()
    return 0


if __name__ == "__main__":
    raise SystemExit(run_program(main))
