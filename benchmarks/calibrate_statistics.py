"""Measure how well the statistics of ``study/analysis/stats`` are calibrated, and show it in the docs.

    python benchmarks/calibrate_statistics.py                  measure what is missing, then write table and figure
    python benchmarks/calibrate_statistics.py --only families  one check
    python benchmarks/calibrate_statistics.py --seconds 300    stop after about five minutes; the same command goes on
    python benchmarks/calibrate_statistics.py --fast           the same claims from fewer families; keeps nothing

The table goes to ``docs/calibration_bounds.csv`` and into ``docs/statistics.md``. Each cell is drawn from its own
generator, so the figures do not depend on the order or on where a run stopped. The A/A part reads the tables of
``make_seeds.py`` in ``benchmarks/seeds``; without them it is left out.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import tempfile
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

from benchmarks.seed_runs import METRICS, read_seeds  # noqa: E402
from plots.lib.style import BLACK, BLUE, GREY, ORANGE, PAGE, VERMILLION, paper_style  # noqa: E402
from sea_core.errors import run_program  # noqa: E402
from study.analysis.stats import calibration  # noqa: E402
from study.analysis.stats.aa_calibration import aa_rates, pipeline_rates, thin_hits  # noqa: E402
from study.analysis.stats.behrens_fisher import chi_square_nodes  # noqa: E402
from study.analysis.stats.crossed import Components  # noqa: E402
from study.analysis.stats.design_calibration import extra_seed_errors, search_errors  # noqa: E402
from study.analysis.stats.power import detection_power  # noqa: E402
from study.analysis.stats.procedure_calibration import Design, procedure_rates  # noqa: E402
from study.analysis.stats.simulate import planted_components  # noqa: E402

FIGURES = ROOT / "docs" / "calibration.csv"
BOUNDS = ROOT / "docs" / "calibration_bounds.csv"
DOCS = ROOT / "docs" / "statistics.md"
PICTURE = ROOT / "docs" / "images" / "calibration.png"
BEGIN, END = "<!-- calibration: begin -->", "<!-- calibration: end -->"
USERS = 2000
NULLS = 2000  # simulated true nulls per cell
FAMILIES = 10_000
SPLITS = 40_000
PIPELINE_SPLITS = 2000
LOSSES = (0.0, 0.02, 0.04)
FAST_FAMILIES = 2000
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


def cells(*, fast: bool = False) -> Iterator[Cell]:
    """All situations, cheap ones first; ``fast`` leaves fewer families and splits, and the simulated users out."""
    if fast:
        for setting, design in designs().items():
            yield _family_cell(setting, design, FAST_FAMILIES)
        yield from _aa_cells(fast=True)
        return
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
    yield from _search_cells()
    yield from _extra_cells()
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
            by_name[f"3 nulls, {seeds} seeds, share {share}, selected of 20"] = three._replace(selected=20)
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


def _family_cell(setting: str, design: Design, families: int = FAMILIES) -> Cell:
    def measure(rng: np.random.Generator) -> Measured:
        return procedure_rates(design, replicates=families, rng=rng)._asdict()

    return Cell("families", design.looks[-1], 0.0, setting, families, measure)


def _search_cells() -> Iterator[Cell]:
    """Re-tuned arms of several searches, by how much searches differ beside seeds."""
    for searches in (3, 5):
        for between in (0.0, 1.0, 3.0):

            def measure(rng: np.random.Generator, searches: int = searches, between: float = between) -> Measured:
                design = {"searches": searches, "seeds": 5, "users": 300}
                return search_errors(between=between, replicates=NULLS, rng=rng, **design)._asdict()

            yield Cell("searches", 5, 0.0, f"{searches} searches, {between:g} seed sds apart", NULLS, measure)


def _extra_cells() -> Iterator[Cell]:
    """A reference with more seeds than its arms, by how much arms on one seed go together."""
    for correlation in (0.0, 0.5, 0.95):
        for more in (0, 5):

            def measure(rng: np.random.Generator, correlation: float = correlation, more: int = more) -> Measured:
                design = {"seeds": 5, "users": 300, "replicates": NULLS}
                return extra_seed_errors(correlation=correlation, more=more, rng=rng, **design)._asdict()

            yield Cell("extra seeds", 5, 0.0, f"{more} more, correlation {correlation:g}", NULLS, measure)


def _aa_cells(fast: bool = False) -> Iterator[Cell]:
    """Real copies of one configuration, dealt to pseudo-arms: two groups, the whole pipeline, and planted losses."""
    for path in sorted(RUNS.glob("*.parquet")):
        for metric in METRICS[:1] if fast else METRICS:
            for series in ("seeds", "negatives"):
                copies = len(real_values(path, series, metric)[0])
                for seeds in (5, 10):
                    if copies > 2 * seeds:
                        yield _aa_cell(path, metric, series, seeds, copies, 4000 if fast else SPLITS)
        copies = len(real_values(path, "seeds", "recall@20")[0])
        # Eight pseudo-arms where the copies suffice, else the primary contrasts alone.
        for seeds in (5, 10):
            families = next((each for each in ((3, 5), (3, 3), (3,)) if copies >= (sum(each) + 1) * seeds), None)
            for loss in LOSSES if families is not None else ():
                yield _pipeline_cell(path, seeds, copies, families or (), loss, 100 if fast else PIPELINE_SPLITS)


def _aa_cell(path: Path, metric: str, series: str, seeds: int, copies: int, splits: int) -> Cell:
    def measure(rng: np.random.Generator) -> Measured:
        values, _ = real_values(path, series, metric)
        rates = aa_rates(values, seeds=seeds, splits=splits, rng=rng)
        return {**rates._asdict(), "high": rates.high}

    return Cell("a/a", seeds, 0.0, f"{path.stem} {metric}, {series}, {copies} copies", splits, measure)


def _pipeline_cell(path: Path, seeds: int, copies: int, families: Sequence[int], loss: float, splits: int) -> Cell:
    def measure(rng: np.random.Generator) -> Measured:
        values, relevant = real_values(path, "seeds", "recall@20")
        change = thin_hits(relevant, loss) if loss else None
        rates = pipeline_rates(values, seeds=seeds, splits=splits, rng=rng, families=families, change=change, loss=loss)
        return rates._asdict()

    planted = f", {100 * loss:g} % of the hits of one removed" if loss else ""
    return Cell("pipeline", seeds, loss, f"{path.stem} recall@20, {copies} copies{planted}", splits, measure)


def real_values(path: Path, series: str, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """A metric on test ``(runs, users)`` of the copies, and every user's number of relevant items."""
    frame = read_seeds(path)
    test = frame[(frame["split"] == "test") & (frame["series"] == series)]
    wide = test.pivot(index="copy", columns="user", values=metric)
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


def measure(figures: Path, only: str | None, seconds: float, *, fast: bool = False) -> bool:
    """Measure the cells that the file lacks; True if none is left."""
    lines = figures.read_text(encoding="utf-8").splitlines() if figures.is_file() else []
    known = {tuple(row[:5]) for row in csv.reader(lines)}
    started = time.monotonic()
    missing = [cell for cell in cells(fast=fast) if cell.key not in known and only in (None, cell.check)]
    for number, cell in enumerate(missing, start=1):
        if time.monotonic() - started > seconds:
            print(f"stopped before cell {number} of {len(missing)}; the same command goes on", file=sys.stderr)
            return False
        began = time.monotonic()
        rates = cell.measure(np.random.default_rng(zlib.crc32("|".join(cell.key).encode())))
        rows = [(*cell.key, quantity, f"{value:.6g}") for quantity, value in rates.items()]
        _append(figures, rows)
        print(f"{number}/{len(missing)} {' '.join(cell.key)}: {time.monotonic() - began:.1f} s", file=sys.stderr)
    return True


def _append(figures: Path, rows: Sequence[tuple[str, ...]]) -> None:
    figures.parent.mkdir(parents=True, exist_ok=True)
    new = not figures.exists()
    with figures.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(("check", "seeds", "seed_effect", "setting", "replicates", "quantity", "value"))
        writer.writerows(rows)


def drop_former(figures: Path) -> None:
    """Remove rows of cells that are no more: of fewer copies than there are now, or of designs that changed."""
    head, *rows = csv.reader(figures.read_text(encoding="utf-8").splitlines())
    now = {cell.key for cell in cells()}
    kept = [row for row in rows if tuple(row[:5]) in now]
    if len(kept) < len(rows):
        with figures.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([head, *kept])


class Bound(NamedTuple):
    """A promise beside what was measured: a line of the table of ``docs/statistics.md``."""

    claim: str
    bound: str
    measured: str
    kept: bool


def write_bounds(figures: Path, out: Path) -> list[Bound]:
    """The table of promises as a CSV."""
    promises = list(bounds(pd.read_csv(figures)))
    pd.DataFrame(promises).to_csv(out, index=False, lineterminator="\n")
    return promises


def markdown(promises: Sequence[Bound]) -> str:
    """The table of promises as Markdown."""
    lines = ["| to show | bound | measured |", "|---|---|---|"]
    for claim, bound, measured, kept in promises:
        lines.append(f"| {claim} | {bound} | {measured}{'' if kept else ' (missed)'} |")
    return "\n".join(lines) + "\n"


def write_docs(table: str, page: Path) -> None:
    """Put the table between its two marks."""
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    page.write_text(f"{before}{BEGIN}\n{table}{END}{after}", encoding="utf-8")


def bounds(frame: pd.DataFrame) -> Iterator[Bound]:
    """What was promised, the bound, and what was measured; the worst cell of each."""
    families = frame[frame["check"] == "families"]
    # Of the number of families that were drawn, which the fast part has fewer of.
    drawn = int(families["replicates"].max())
    limit = 0.05 + 2 * math.sqrt(0.05 * 0.95 / drawn)

    def worst(quantity: str, *words: str, without: Sequence[str] = ()) -> float:
        rows = families[families["quantity"] == quantity]
        rows = rows[[all(w in s for w in words) and not any(w in s for w in without) for s in rows["setting"]]]
        return float(rows["value"].max())

    def at_most(claim: str, most: float, rate: float) -> Bound:
        return Bound(claim, f"<= {most:.3g}", f"{rate:.3f}", rate <= most)

    equal = ("scattered", "diverged", "not moderated", "looks", "margin", "selected")
    width = families[(families["setting"] == "3 nulls, 5 seeds, share 0.9") & (families["quantity"] == "half_width")]
    width_in_se = float(width["value"].iloc[0])
    yield Bound(
        "half-width at 5 seeds, share .9, first step of three contrasts",
        "<= 3.9 SE",
        f"{width_in_se:.2f} SE",
        width_in_se <= 3.9,
    )
    claim = "family-wise error, equal variances, shares .5-.97, clones"
    yield at_most(claim, round(limit, 4), worst("false_claim", "nulls", without=equal))
    yield at_most("the same with inverse-gamma(4) variances", 0.065, worst("false_claim", "scattered"))
    claim = "the same with diverged seeds (5 % off by ten sd)"
    yield at_most(claim, round(limit, 4), worst("false_claim", "diverged"))
    claim = "the same where the full model is the best of 20 equal configurations"
    yield at_most(claim, round(limit, 4), worst("false_claim", "selected"))
    yield at_most("error over all sequential looks", round(limit, 4), worst("false_claim", "looks"))
    yield at_most("false margins at the margin", 0.06, worst("false_margin", "margin"))
    coverage = families[families["quantity"] == "coverage"]
    plain = coverage[~coverage["setting"].str.contains("scattered|diverged|selected|not moderated")]
    least, lowest = float(plain["value"].min()), 0.93
    if drawn < FAMILIES:  # the lowest of many cells is low by chance too
        lowest -= 2 * math.sqrt(0.93 * 0.07 / drawn)
    yield Bound("coverage of single intervals", f">= {lowest:.3g}", f"{least:.3f}", least >= lowest)
    for check, claim in (
        ("searches", "false positives at 5 % of re-tuned arms, 3 and 5 searches"),
        ("extra seeds", "false positives at 5 % with more seeds of the full model"),
    ):
        rates = frame[(frame["check"] == check) & (frame["quantity"] == "rate")]["value"]
        if len(rates):
            yield at_most(claim, 0.06, float(rates.max()))
    yield from _real_bounds(frame)


def _real_bounds(frame: pd.DataFrame) -> Iterator[Bound]:
    """Those on real runs, where there are some."""
    for (setting, seeds), rows in frame[frame["check"] == "a/a"].groupby(["setting", "seeds"], sort=False):
        value = rows.set_index("quantity")["value"]
        rate, high = value["rate"], value["high"]
        yield Bound(
            f"A/A on real runs, {setting!s}, {seeds} v {seeds}: false positives at 5 %",
            ".03-.07, upper jackknife bound <= .075",
            f"{rate:.3f} (upper {high:.3f})",
            bool(0.03 <= rate <= 0.07 and high <= 0.075),
        )
    for setting, rows in frame[(frame["check"] == "a/a") & (frame["seeds"] == 10)].groupby("setting", sort=False):
        if "lfm2k recall@20, seeds" not in str(setting):
            continue
        value = rows.set_index("quantity")["value"]
        width, mde = value["half_width"], value["mde"]
        bound, measured = "<= .006; <= 2 %", f"{width:.4f}; {100 * mde:.1f} %"
        claim = f"{setting!s}, 10 seeds: half-width; MDE"
        yield Bound(claim, bound, measured, bool(width <= 0.006 and mde <= 0.02))
    for (setting, seeds), rows in frame[frame["check"] == "pipeline"].groupby(["setting", "seeds"], sort=False):
        value = rows.set_index("quantity")["value"]
        planted = "" if math.isnan(value["found"]) else f"; the loss is found in {value['found']:.2f}"
        claim = (
            f"whole pipeline, {value['arms']:.0f} pseudo-arms of {seeds} runs, {setting}: families with a false claim"
        )
        false = value["false_claim"]
        yield Bound(claim, "<= .05", f"{false:.3f}{planted}", bool(false <= 0.05))


CHECKS = (
    "errors",
    "recall",
    "size",
    "power",
    "interaction",
    "equivalence",
    "bootstrap",
    "families",
    "searches",
    "extra seeds",
    "a/a",
    "pipeline",
)


def picture() -> None:
    """False positives, families, power and real runs in two rows of panels."""
    frame = pd.read_csv(FIGURES)
    with paper_style():
        figure, ((errors, families), (power, real)) = plt.subplots(2, 2, figsize=(PAGE, 4.4), layout="constrained")
        _draw_errors(errors, frame)
        _draw_families(families, frame)
        _draw_power(power, frame)
        _draw_real(real, frame)
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


def _draw_real(ax: Axes, frame: pd.DataFrame) -> None:
    """False positives among copies of one configuration, with their jackknife intervals."""
    rows = frame[frame["check"] == "a/a"].pivot(index=["setting", "seeds"], columns="quantity", values="value")
    ax.axhspan(0.03, 0.07, color="#DDDDDD", lw=0)
    if len(rows):
        place = np.arange(len(rows))
        error = 1.96 * rows["error"]
        below = np.minimum(error, rows["rate"])
        ax.errorbar(place, rows["rate"], yerr=[below, error], fmt="o", color=BLUE, markersize=4, lw=1)
        labels = [
            f"{setting.split(',')[0]}\n{setting.split(', ')[1]}, {seeds} v {seeds}" for setting, seeds in rows.index
        ]
        ax.set_xticks(place, labels, fontsize=5, rotation=30, ha="right")
    ax.set(title="Copies of real runs called different at 5 %", ylim=(0, None), ylabel="called different")


def main(given: Sequence[str] | None = None) -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=CHECKS, help="measure this check alone")
    parser.add_argument(
        "--seconds", type=float, default=math.inf, help="stop after about this long (default: no limit)"
    )
    parser.add_argument("--fast", action="store_true", help="a few minutes: fewer families; prints, and keeps nothing")
    arguments = parser.parse_args(given)
    if arguments.fast:
        with tempfile.TemporaryDirectory() as folder:
            figures = Path(folder) / "calibration.csv"
            if measure(figures, arguments.only, arguments.seconds, fast=True) and arguments.only is None:
                print(markdown(list(bounds(pd.read_csv(figures)))))
        return 0
    if measure(FIGURES, arguments.only, arguments.seconds) and arguments.only is None:
        drop_former(FIGURES)
        table = markdown(write_bounds(FIGURES, BOUNDS))
        write_docs(table, DOCS)
        picture()
        print(table)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_program(main))
