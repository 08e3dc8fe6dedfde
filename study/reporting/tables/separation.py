"""Does it matter how the parts are separated? Each arm's diagnostics beside those of the full model, with intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from statistics import fmean
from typing import NamedTuple

import numpy as np
import pandas as pd

from study.analysis.comparisons import stars
from study.analysis.results import Results
from study.analysis.stats.family import holm
from study.analysis.stats.paired import paired_difference
from study.records.arm_names import FULL, in_order
from study.records.study import RunRecord
from study.reporting.tables.diagnostics import DIAGNOSTICS, RECOVERY, measure
from study.reporting.tables.registry import register_table
from study.reporting.tables.table import Cell, Number, Table

# What every arm has or can have in common. Bound and clamping are CLUB's alone, and of two nets with different fits.
COMPARED = {
    name: {**DIAGNOSTICS, **RECOVERY}[name]
    for name in ("probe_r2", "cka", "hsic", "generic_cka", "angle_distance", "recovery_separation")
}
Key = tuple[str, str, str, str]  # study, mode, arm, diagnostic
Values = dict[int, dict[str, float]]  # seed -> modality -> value


class Comparison(NamedTuple):
    """A diagnostic of an arm against that of full, over the seeds that both have."""

    study: str
    mode: str
    arm: str
    diagnostic: str
    full: float
    value: float
    difference: float
    low: float
    high: float
    p: float
    seeds: int


@register_table("separation", place=100)
def compute(results: Results) -> Table | None:
    """Every arm's difference to full, paired by seed. None without diagnostics of full and another arm."""
    values = _by_key(measure(results.studies))
    compared = list(_compared(values))
    if not compared:
        return None
    p_holm = holm(np.array([each.p for each in compared]))
    corrected = {each[:4]: (each, float(p)) for each, p in zip(compared, p_holm, strict=True)}
    shown = [name for name in COMPARED if any(each.diagnostic == name for each in compared)]
    rows: list[list[Cell]] = []
    rules: list[int] = []
    runs: list[list[RunRecord]] = []
    for study in results.studies:
        for mode in sorted({each.mode for each in compared if each.study == study.name}):
            rules += [len(rows)] if rows else []
            mine = [run for run in study.runs(mode=mode) if run.diagnostics is not None]
            for arm in in_order(str(run.arm) for run in mine):
                keys = [(study.name, mode, arm, name) for name in shown]
                levels = [_level(values.get(key)) for key in keys]
                differences = [_difference(*corrected.get(key, (None, math.nan))) for key in keys]
                title = f"{results.prefix(study.name)}{results.titles[arm]} ({mode})"
                rows.append([title, *(levels if arm == FULL else differences)])
                runs.append([run for run in mine if run.arm == arm])
    frame = pd.DataFrame(compared, columns=list(Comparison._fields))
    frame.insert(frame.columns.size - 1, "p_holm", p_holm)
    return Table(
        name="separation",
        caption="Does the way of separating matter? Diagnostics of the full model, mean ± sd over seeds, and below "
        "it each arm's paired difference to it with its 95 % interval over seeds (t); means over modalities. Probe "
        "R², CKA and HSIC between the two parts: lower is further apart. CKA g–g: generic parts across modalities. "
        "KS: distance of the heads' angles to those of random directions. Separation: of planted factors, 1 is a "
        "perfect split. Stars: p < .05, .01, .001 after Holm over all differences.",
        columns=["Arm", *(COMPARED[name] for name in shown)],
        rows=rows,
        rules=rules,
        frame=frame,
        runs=runs,
    )


def _by_key(measured: pd.DataFrame) -> dict[Key, Values]:
    """What is compared, of the arms' runs."""
    chosen = measured[measured["diagnostic"].isin(list(COMPARED)) & (measured["mode"] != "")]
    by_key: dict[Key, Values] = {}
    for line in chosen.to_dict("records"):
        key = (line["study"], line["mode"], line["arm"], line["diagnostic"])
        by_key.setdefault(key, {}).setdefault(int(line["seed"]), {})[line["modality"]] = line["value"]
    return by_key


def _compared(values: Mapping[Key, Values]) -> Iterator[Comparison]:
    """Every arm and diagnostic that full has on common seeds, over the modalities that both have."""
    for (study, mode, arm, diagnostic), mine in values.items():
        full = values.get((study, mode, FULL, diagnostic), {})
        pairs = [_pair(full[seed], mine[seed]) for seed in sorted(mine.keys() & full.keys())]
        levels = np.array([pair for pair in pairs if pair is not None])
        if arm != FULL and len(levels):
            paired = paired_difference(levels[:, 1] - levels[:, 0])
            theirs, ours = map(float, levels.mean(axis=0))
            yield Comparison(study, mode, arm, diagnostic, theirs, ours, *paired)


def _pair(full: Mapping[str, float], mine: Mapping[str, float]) -> tuple[float, float] | None:
    """Both means over the modalities, or pairs of them, that the two runs have in common; None without one."""
    common = sorted(full.keys() & mine.keys())
    return (fmean(full[m] for m in common), fmean(mine[m] for m in common)) if common else None


def _level(values: Values | None) -> Cell:
    if not values:
        return "–"
    means = np.array([fmean(of_seed.values()) for of_seed in values.values()])
    return Number(float(means.mean()), sd=float(means.std(ddof=1)) if len(means) > 1 else None, decimals=3)


def _difference(compared: Comparison | None, p_holm: float) -> Cell:
    if compared is None:
        return "–"
    interval = None if math.isnan(compared.low) else (compared.low, compared.high)
    return Number(compared.difference, interval=interval, decimals=3, signed=True, stars=stars(p_holm))
