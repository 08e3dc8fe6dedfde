"""Ablation tables: arms as rows, datasets x metrics as columns, and below each arm its difference to full."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from study.analysis.comparisons import stars
from study.analysis.metrics import metric_title
from study.records.arm_names import FULL, in_order
from study.records.study import RunRecord, Study
from study.reporting.tables.results import Results
from study.reporting.tables.table import Cell, Number, Table, mark_best

COMPARED = ("difference", "relative", "low", "high", "p", "p_holm", "effect_size", "narrow", "verdict")


def compute_frozen(results: Results) -> Table | None:
    """Every arm with the full model's tuned config."""
    return _compute(results, "frozen", "Ablation with the full model's configuration (frozen)", "ablation")


def compute_retuned(results: Results) -> Table | None:
    """Every arm with a search of its own, of equal budget."""
    title = "Ablation, every arm tuned by a search of its own (re-tuned)"
    return _compute(results, "retuned", title, "ablation-retuned")


def _compute(results: Results, mode: str, title: str, name: str) -> Table | None:
    measured = results.measured[results.measured["mode"] == mode]
    if measured.empty:
        return None
    ran = [study for study in results.studies if any(run.mode == mode for run in study.ablations)]
    frame = _join(measured, results.arms)
    cells = {(line["study"], line["name"], line["metric"]): line for line in frame.to_dict("records")}
    columns = [(study.name, metric) for study in ran for metric in results.metrics]
    tried = {(study.name, str(run.arm)) for study in ran for run in study.ablations if run.mode == mode}
    rows: list[list[Cell]] = []
    runs: list[list[RunRecord]] = []
    for arm in in_order(arm for _, arm in tried):
        values = [_value(cells.get((study, arm, metric)), tried=(study, arm) in tried) for study, metric in columns]
        rows.append([results.titles[arm], *values])
        runs.append([run for study in ran for run in study.ablations if (run.mode, run.arm) == (mode, arm)])
        differences = [_difference(cells.get((study, arm, metric))) for study, metric in columns]
        if any(isinstance(cell, Number) for cell in differences):
            rows.append(["Δ to full", *differences])
            runs.append([])
    arms = [index for index, row in enumerate(rows) if row[0] != "Δ to full"]
    ambiguous = len({study.dataset for study in ran}) < len(ran)
    return Table(
        name=name,
        caption=f"{title}: test results, mean ± sd over seeds, and the paired difference to full with its 95 % "
        "interval over users and seeds. Stars: p < .05, .01, .001 after Holm over all comparisons.",
        columns=["Arm", *[metric_title(metric) for _, metric in columns]],
        groups=[(study.name if ambiguous else study.dataset, len(results.metrics)) for study in ran],
        rows=mark_best(rows, among=arms),
        rules=arms[1:],
        frame=frame,
        notes=[*_notes(ran, mode), *_narrow(frame, results)],
        follows=[index for index in range(len(rows)) if index not in arms],
        runs=runs,
    )


def _narrow(frame: pd.DataFrame, results: Results) -> list[str]:
    """Which intervals to believe less; an arm that was not compared has none."""
    found: dict[str, list[str]] = {}
    narrow = frame[frame["narrow"].eq(True)].to_dict("records")
    order = in_order(line["name"] for line in narrow)
    for line in sorted(narrow, key=lambda line: order.index(line["name"])):
        arm = f"{results.prefix(line['study'])}{results.titles[line['name']]}"
        found.setdefault(arm, []).append(metric_title(line["metric"]))
    if not found:
        return []
    listed = "; ".join(f"{arm}: {', '.join(metrics)}" for arm, metrics in found.items())
    return [
        "Some intervals are narrower than users alone would make them, as the seeds happened to agree; believe them "
        f"less, or run more seeds: {listed}."
    ]


def _join(measured: pd.DataFrame, compared: pd.DataFrame) -> pd.DataFrame:
    """Mean, sd and number of seeds of every arm and metric, beside its comparison with full."""
    keys = ["study", "dataset", "mode", "name", "metric"]
    summary = measured.groupby(keys, sort=False)["value"].agg(mean="mean", sd="std", seeds="count").reset_index()
    compared = compared.rename(columns={"arm": "name", "seeds": "paired_seeds"})
    compared = compared[[*keys, "paired_seeds", *COMPARED]]
    return summary.merge(compared, on=keys, how="left", validate="one_to_one")


def _value(line: Mapping[Hashable, Any] | None, *, tried: bool) -> Cell:
    if line is None:
        return "failed" if tried else "–"  # not every arm applies to every dataset
    return Number(line["mean"], sd=None if pd.isna(line["sd"]) else line["sd"], stars=stars(line["p_holm"]))


def _difference(line: Mapping[Hashable, Any] | None) -> Cell:
    if line is None or pd.isna(line["difference"]):
        return "–"
    interval = None if pd.isna(line["low"]) else (line["low"], line["high"])
    return Number(line["difference"], interval=interval, signed=True)


def _notes(studies: Sequence[Study], mode: str) -> list[str]:
    """What a reader must know before believing the table."""
    notes = []
    for study in studies:
        prefix = f"{study.name}: " if len(studies) > 1 else ""
        runs = [run for run in study.ablations if run.mode == mode]
        full = {run.seed: run.weights_hash for run in runs if run.arm == FULL}
        for arm in dict.fromkeys(str(run.arm) for run in runs):
            mine = [run for run in runs if run.arm == arm]
            failed = [run for run in mine if run.state == "failed"]
            if failed:
                why = (failed[0].failure or {}).get("message", "no reason recorded")
                notes.append(f"{prefix}{arm} failed on {len(failed)} of {len(mine)} seeds: {why}")
            if arm != FULL and all(run.weights_hash and run.weights_hash == full.get(run.seed) for run in mine):
                notes.append(f"{prefix}{arm} trained to the same weights as full; what it changes has no effect here")
        if len(full) == 1:
            notes.append(f"{prefix}one seed only, so no interval and no p-value; pass --fresh-seeds 3 or more")
    return notes
