"""Measure how well the statistics of ``study/analysis/stats`` are calibrated, and show it in the docs.

    python benchmarks/calibrate_statistics.py                  measure what is missing, then print the table
    python benchmarks/calibrate_statistics.py --only families  one check
    python benchmarks/calibrate_statistics.py --seconds 300    stop after about five minutes; the same command goes on

Each cell is drawn from its own generator, so the figures do not depend on the order or on where a run stopped. The A/A
part reads the tables of ``make_seeds.py`` in ``benchmarks/seeds``; without them it is left out.
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

from benchmarks.seed_runs import read_seeds  # noqa: E402
from plots.lib.style import BLACK, BLUE, GREY, ORANGE, PAGE, VERMILLION, paper_style  # noqa: E402
from sea_core.errors import run_program  # noqa: E402
from study.analysis.stats import calibration  # noqa: E402
from study.analysis.stats.aa_calibration import aa_rates, pipeline_rates, thin_hits  # noqa: E402
from study.analysis.stats.behrens_fisher import chi_square_nodes  # noqa: E402
from study.analysis.stats.crossed import Components  # noqa: E402
from study.analysis.stats.power import detection_power  # noqa: E402
from study.analysis.stats.procedure_calibration import Design, procedure_rates  # noqa: E402
from study.analysis.stats.simulate import planted_components  # noqa: E402

FIGURES = ROOT / "docs" / "calibration.csv"
PICTURE = ROOT / "docs" / "images" / "calibration.png"
USERS = 2000
NULLS = 2000  # simulated true nulls per cell
FAMILIES = 10_000
SPLITS = 2000
RUNS = ROOT / "benchmarks" / "seeds"
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
    for setting, design in designs().items():
        yield _family_cell(setting, design)
    yield from _aa_cells()


def _grid_cells(seeds: int, effect: int) -> Iterator[Cell]:
    components = planted_components(users=USERS, seed_effect=float(effect))
    design = {"seeds": seeds, "users": USERS}
    for variance in (1.0, 0.25, 4.0):
        yield _null(seeds, effect, f"interaction {variance:g}", interaction=variance)

    def recall(rng: np.random.Generator) -> Measured:
        return calibration.recall_errors(seed_effect=effect, replicates=1000, rng=rng, **design)._asdict()

    def power(rng: np.random.Generator) -> Measured:
        return calibration.power_check(components, replicates=4000, rng=rng, **design)._asdict()

    def interaction(rng: np.random.Generator) -> Measured:
        return calibration.interaction_check(components, replicates=1000, rng=rng, **design)._asdict()

    def equivalence(rng: np.random.Generator) -> Measured:
        return {"false": calibration.equivalence_error(components, replicates=4000, rng=rng, **design)}

    def bootstrap(rng: np.random.Generator) -> Measured:
        return {"bootstrap": calibration.bootstrap_error(components, replicates=500, rng=rng, **design)}

    yield Cell("recall", seeds, effect, "recall", 1000, recall)
    yield Cell("power", seeds, effect, "interaction 1", 4000, power)
    yield Cell("interaction", seeds, effect, "2x2", 1000, interaction)
    yield Cell("equivalence", seeds, effect, "at the margin", 4000, equivalence)
    yield Cell("bootstrap", seeds, effect, "interaction 1", 500, bootstrap)


def designs() -> dict[str, Design]:
    """Simulated families of the whole procedure, by what is unusual about them."""
    by_name: dict[str, Design] = {}
    for seeds in SEEDS:
        for share in (0.5, 0.75, 0.9, 0.97):
            three = Design((seeds,), (3,), (0.0,) * 3, share=share)
            by_name[f"3 nulls, {seeds} seeds, share {share}"] = three
            by_name[f"3 nulls, {seeds} seeds, share {share}, scattered"] = three._replace(scatter=4.0)
            by_name[f"3 nulls, {seeds} seeds, share {share}, clones"] = three._replace(correlation=0.98)
        nine = Design((seeds,), (3, 6), (0.0,) * 9)
        by_name[f"9 nulls, {seeds} seeds"] = nine
        by_name[f"9 nulls, {seeds} seeds, scattered"] = nine._replace(scatter=4.0)
        by_name[f"9 nulls, {seeds} seeds, diverged seeds"] = nine._replace(diverged=0.05)
        by_name[f"9 nulls, {seeds} seeds, not moderated"] = nine._replace(prior_df=0)
    looks = Design((10, 20, 40), (3,), (0.0,) * 3)
    for share in (0.5, 0.9, 0.97):
        by_name[f"looks, 3 nulls, share {share}"] = looks._replace(share=share)
    by_name["looks, 3 nulls, scattered"] = looks._replace(scatter=4.0)
    by_name["looks, 9 nulls behind a gate"] = looks._replace(families=(3, 6), effects=(0.0,) * 9)
    by_name["looks, gate open, 6 nulls"] = looks._replace(families=(3, 6), effects=(-9.0,) * 3 + (0.0,) * 6)
    by_name["looks, at the margin"] = looks._replace(effects=(-3.0,) * 3, margin=3.0)
    by_name["looks, at the other margin"] = looks._replace(effects=(3.0,) * 3, margin=3.0)
    by_name["looks, one loss, one at the margin"] = looks._replace(effects=(-6.0, -3.0, 0.0), margin=3.0)
    by_name["at the margin, 5 seeds"] = Design((5,), (3,), (-3.0, 3.0, -3.0), margin=3.0)
    return by_name


def _family_cell(setting: str, design: Design) -> Cell:
    def measure(rng: np.random.Generator) -> Measured:
        return procedure_rates(design, replicates=FAMILIES, rng=rng)._asdict()

    return Cell("families", design.looks[-1], 0.0, setting, FAMILIES, measure)


def _aa_cells() -> Iterator[Cell]:
    """Real copies of one configuration, dealt to pseudo-arms: two groups, the whole pipeline, and planted losses."""
    for path in sorted(RUNS.glob("*.parquet")):
        for series in ("seeds", "negatives"):
            for seeds in (5, 10):
                yield _aa_cell(path, series, seeds)
        for seeds in (5,):
            for loss in (0.0, 0.02, 0.04):
                yield _pipeline_cell(path, seeds, loss)


def _aa_cell(path: Path, series: str, seeds: int) -> Cell:
    def measure(rng: np.random.Generator) -> Measured:
        values, _ = real_values(path, series)
        if len(values) < 2 * seeds + 1:
            return {"runs": float(len(values))}
        rates = aa_rates(values, seeds=seeds, splits=SPLITS, rng=rng)
        return {**rates._asdict(), "high": rates.high}

    return Cell("a/a", seeds, 0.0, f"{path.stem}, {series}", SPLITS, measure)


def _pipeline_cell(path: Path, seeds: int, loss: float) -> Cell:
    splits = 300

    def measure(rng: np.random.Generator) -> Measured:
        values, relevant = real_values(path, "seeds")
        if len(values) < 9 * seeds:
            return {"runs": float(len(values))}
        change = thin_hits(relevant, loss) if loss else None
        return pipeline_rates(values, seeds=seeds, splits=splits, rng=rng, change=change)._asdict()

    planted = f", {100 * loss:g} % of the hits of one arm removed" if loss else ""
    return Cell("pipeline", seeds, loss, f"{path.stem}, 8 pseudo-arms{planted}", splits, measure)


def real_values(path: Path, series: str) -> tuple[np.ndarray, np.ndarray]:
    """Test recall@20 ``(runs, users)`` of the copies, and every user's number of relevant items."""
    frame = read_seeds(path)
    test = frame[(frame["split"] == "test") & (frame["series"] == series)]
    wide = test.pivot(index="copy", columns="user", values="recall@20")
    relevant = test.groupby("user")["relevant"].max().reindex(wide.columns)
    return wide.to_numpy(np.float64), relevant.to_numpy(np.int64)


def _null(
    seeds: int, effect: int, setting: str, *, users: int = USERS, interaction: float = 1.0, seed_df: float = math.inf
) -> Cell:
    components = planted_components(users=users, seed_effect=float(effect), interaction=interaction)

    def measure(rng: np.random.Generator) -> Measured:
        design = {"seeds": seeds, "users": users, "replicates": NULLS}
        return calibration.null_errors(components, rng=rng, seed_df=seed_df, **design)._asdict()

    return Cell("errors", seeds, effect, setting, NULLS, measure)


def _exact_sizes(seeds: int, share: float, _: np.random.Generator) -> Measured:
    """Errors without simulation, where ``share`` of the mean's variance is what the seeds must estimate."""
    components = Components(user=(1 - share) * USERS, seed=share * seeds, residual=0.0)
    sizes = {}
    for alpha in (0.05, 0.001):
        sizes[f"crossed {alpha:g}"] = detection_power(0.0, components, seeds=seeds, users=USERS, alpha=alpha)
        value, weight = chi_square_nodes(seeds - 1)
        estimated = share * value / (seeds - 1)
        variance = 1 - share + estimated
        critical = stats.t.isf(alpha / 2, (seeds - 1) * (variance / estimated) ** 2)
        sizes[f"satterthwaite {alpha:g}"] = float(2 * stats.norm.sf(critical * np.sqrt(variance)) @ weight)
    return sizes


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
        rates = cell.measure(np.random.default_rng(zlib.crc32("|".join(cell.key).encode())))
        rows = [(*cell.key, quantity, f"{value:.6g}") for quantity, value in rates.items()]
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
    """The table of bounds of ``docs/statistics.md``, from the file of figures."""
    frame = pd.read_csv(path)
    lines = ["| to show | bound | measured |", "|---|---|---|"]
    for claim, bound, rate in bounds(frame):
        lines.append(f"| {claim} | {bound} | {rate} |")
    return "\n".join(lines) + "\n"


def bounds(frame: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    """What was promised, the bound, and what was measured; the worst cell of each."""
    families = frame[frame["check"] == "families"]

    def worst(quantity: str, *words: str, without: Sequence[str] = ()) -> float:
        rows = families[families["quantity"] == quantity]
        rows = rows[[all(w in s for w in words) and not any(w in s for w in without) for s in rows["setting"]]]
        return float(rows["value"].max())

    equal = ("scattered", "diverged", "not moderated", "looks", "margin")
    limit = 0.05 + 2 * math.sqrt(0.05 * 0.95 / FAMILIES)
    width = families[(families["setting"] == "3 nulls, 5 seeds, share 0.9") & (families["quantity"] == "half_width")]
    yield "half-width at 5 seeds, share .9, first step of three", "<= 3.9 SE", f"{float(width['value'].iloc[0]):.2f} SE"
    worst_rate = worst("false_claim", "nulls", without=equal)
    yield "family-wise error, equal variances, shares .5-.97, clones", f"<= {limit:.3f}", f"{worst_rate:.3f}"
    yield "the same with inverse-gamma(4) variances", "<= .065", f"{worst('false_claim', 'scattered'):.3f}"
    yield "diverged seeds (5 % off by ten sd)", f"<= {limit:.3f}", f"{worst('false_claim', 'diverged'):.3f}"
    yield "error over all sequential looks", f"<= {limit:.3f}", f"{worst('false_claim', 'looks'):.3f}"
    yield "false margins at the margin", "<= .06", f"{worst('false_margin', 'margin'):.3f}"
    coverage = families[families["quantity"] == "coverage"]
    plain = coverage[~coverage["setting"].str.contains("scattered|diverged")]
    yield "coverage of single intervals", ">= .93", f"{float(plain['value'].min()):.3f}"
    yield from _real_bounds(frame)


def _real_bounds(frame: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    """Those on real runs, where there are some."""
    for setting, rows in frame[frame["check"] == "a/a"].groupby("setting", sort=False):
        for seeds, cell in rows.groupby("seeds"):
            value = cell.set_index("quantity")["value"]
            if "rate" in value:
                yield (
                    f"A/A on real runs ({setting}), {seeds} v {seeds}: false positives at 5 %",
                    ".03-.07, upper jackknife bound <= .075",
                    f"{value['rate']:.3f} (upper {value['high']:.3f}; half-width {100 * value['half_width']:.2f} %)",
                )
    for setting, rows in frame[frame["check"] == "pipeline"].groupby("setting", sort=False):
        value = rows.set_index("quantity")["value"]
        if "false_claim" in value:
            planted_note = "" if math.isnan(value["found"]) else f"; planted loss found in {value['found']:.2f}"
            yield f"whole pipeline ({setting}): false claims", "<= .05", f"{value['false_claim']:.3f}{planted_note}"


CHECKS = ("errors", "recall", "size", "power", "interaction", "equivalence", "bootstrap", "families", "a/a", "pipeline")


def picture() -> None:
    """False positives, tails and power in one row of panels."""
    frame = pd.read_csv(FIGURES)
    with paper_style():
        figure, (errors, families, power) = plt.subplots(1, 3, figsize=(PAGE, 2.3), layout="constrained")
        _draw_errors(errors, frame)
        _draw_families(families, frame)
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


def _draw_families(ax: Axes, frame: pd.DataFrame) -> None:
    """Any false claim among three contrasts, by the share of the seeds."""
    rows = frame[(frame["check"] == "families") & (frame["quantity"] == "false_claim")]
    kinds = (
        ("", "o", BLUE, "equal variances"),
        (", scattered", "^", ORANGE, "scattered"),
        (", clones", "s", GREY, "clones"),
    )
    shares = (0.5, 0.75, 0.9, 0.97)
    labels = [f"{seeds}\n{share:g}".replace("0.", ".") for seeds in SEEDS for share in shares]
    for suffix, marker, colour, label in kinds:
        names = [f"3 nulls, {seeds} seeds, share {share}{suffix}" for seeds in SEEDS for share in shares]
        values = rows.set_index("setting")["value"].reindex(names)
        ax.plot(np.arange(len(names)), values, marker, color=colour, label=label, markersize=4)
    ax.axhline(0.05, color=GREY, lw=0.8)
    ax.set(title="Any false claim, three contrasts", ylim=(0, 0.07), ylabel="families")
    ax.set_xticks(np.arange(len(labels)), labels, fontsize=6)
    ax.set_xlabel("seeds (above), share of seeds (below)")
    ax.legend()


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
    parser.add_argument("--only", choices=CHECKS, help="measure this check alone")
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
