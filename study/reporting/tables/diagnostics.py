"""What separation does: arms as rows, diagnostics of both parts as columns; on planted data, what they recover."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from study.analysis.results import Results
from study.records.arm_names import in_order
from study.records.study import RunRecord, Study
from study.reporting.tables.registry import register_table
from study.reporting.tables.table import Cell, Number, Table

DIAGNOSTICS = {
    "probe_r2": "Probe R²",
    "cka": "CKA g–u",
    "hsic": "HSIC g–u",
    "generic_cka": "CKA g–g",
    "unique_cka": "CKA u–u",
    "alignment": "Alignment",
    "generic_uniformity": "Unif. g",
    "unique_uniformity": "Unif. u",
    "angle_mean": "Cos. mean",
    "angle_sd": "Cos. sd",
    "angle_random_sd": "Random sd",
    "angle_distance": "KS",
    "bound": "Bound",
    "clamped": "Clamped",
}
RECOVERY = {
    "recovery_shared_from_generic": "Shared from g",
    "recovery_shared_from_unique": "Shared from u",
    "recovery_unique_from_generic": "Unique from g",
    "recovery_unique_from_unique": "Unique from u",
    "recovery_separation": "Separation",
}


@register_table("diagnostics", place=80)
def compute(results: Results) -> Table | None:
    """How far apart the two parts are, by every measure there is. None where no run left diagnostics."""
    return _table(
        results,
        DIAGNOSTICS,
        name="diagnostics",
        caption="What separation does, at the best epoch, mean ± sd over seeds of means over modalities (the CSV has "
        "each): R² of a linear probe that reads the unique part off the generic one for unseen items, and CKA and "
        "HSIC, which sees more than lines, between the two (0: nothing shared); CKA of generic and of unique parts "
        "across modalities; alignment of the alignment heads (0: equal, 2: orthogonal); uniformity (lower: more "
        "even); mean and sd of the cosine of the two distance heads, the sd of random directions and the "
        "Kolmogorov-Smirnov distance to them; CLUB's bound (nats) and the share of batches in which it was negative. "
        "A dash: no such head, or no CLUB.",
    )


@register_table("recovery", place=90)
def compute_recovery(results: Results) -> Table | None:
    """How well parts recover planted factors. None where nothing was planted."""
    return _table(
        results,
        RECOVERY,
        name="recovery",
        caption="Planted factors recovered from generic (g) and unique (u) parts at the best epoch: held-out R² of "
        "linear probes, mean ± sd over seeds of means over modalities (the CSV has each). Separation is what is "
        "where it belongs minus what is not, halved: 1 is a perfect split, 0 none.",
    )


def measure(studies: Sequence[Study]) -> pd.DataFrame:
    """One line per run, modality (or pair, ``image|text``) and diagnostic that could be computed.

    Columns: ``study``, ``dataset``, ``mode`` (empty for a search's winner), ``arm``, ``seed``, ``modality``,
    ``diagnostic``, ``value``.
    """
    lines = [
        (study.name, study.dataset, mode, arm, run.seed, modality, name, float(value))
        for study in studies
        for mode, arm, runs in _groups(study)
        for run in runs
        for modality, name, value in _values(run.diagnostics or {})
        if value is not None
    ]
    return pd.DataFrame(lines, columns=["study", "dataset", "mode", "arm", "seed", "modality", "diagnostic", "value"])


def _table(results: Results, columns: Mapping[str, str], *, name: str, caption: str) -> Table | None:
    measured = measure(results.studies)
    measured = measured[measured["diagnostic"].isin(list(columns))]
    if measured.empty:
        return None
    per_seed = measured.groupby(["study", "mode", "arm", "seed", "diagnostic"])["value"].mean()
    summary = per_seed.groupby(["study", "mode", "arm", "diagnostic"]).agg(["mean", "std"])
    mean_and_sd = {key: (float(mean), float(sd)) for key, mean, sd in summary.itertuples()}
    rows: list[list[Cell]] = []
    rows_runs: list[list[RunRecord]] = []
    for study in results.studies:
        for mode, arm, runs in _groups(study):
            cells = [_cell(mean_and_sd.get((study.name, mode, arm, diagnostic))) for diagnostic in columns]
            if any(isinstance(cell, Number) for cell in cells):
                title = runs[0].title if runs[0].arm else arm
                rows.append([f"{results.prefix(study.name)}{title}{f' ({mode})' if mode else ''}", *cells])
                rows_runs.append([run for run in runs if run.diagnostics is not None])
    keys = ["study", "dataset", "mode", "arm", "modality", "diagnostic"]
    frame = measured.groupby(keys, sort=False)["value"].agg(mean="mean", sd="std", seeds="count").reset_index()
    return Table(name=name, caption=caption, columns=["Arm", *columns.values()], rows=rows, frame=frame, runs=rows_runs)


def _groups(study: Study) -> Iterator[tuple[str, str, list[RunRecord]]]:
    """Mode, arm and runs: the winner, then arms in the order of the suites, then the user's own by name."""
    if study.winner:
        yield "", "winner", study.winner
    for mode in sorted({str(run.mode) for run in study.ablations}):
        mine = study.runs(mode=mode)
        for arm in in_order(str(run.arm) for run in mine):
            yield mode, arm, [run for run in mine if run.arm == arm]


def _values(diagnostics: Mapping[str, Any]) -> Iterator[tuple[str, str, float | None]]:
    """Modality, name and value of everything in a ``diagnostics.json``; groups become prefixes (``angle_mean``)."""
    for modality, values in diagnostics.get("modalities", {}).items():
        for name, value in values.items():
            if isinstance(value, Mapping):
                yield from ((modality, f"{name}_{key}", each) for key, each in value.items())
            else:
                yield modality, name, value
    for pair in diagnostics.get("pairs", []):
        modalities = "|".join(pair["modalities"])
        yield from ((modalities, name, value) for name, value in pair.items() if name != "modalities")


def _cell(mean_and_sd: tuple[float, float] | None) -> Cell:
    if mean_and_sd is None:
        return "–"
    mean, sd = mean_and_sd
    return Number(mean, sd=None if sd != sd else sd, decimals=3)
