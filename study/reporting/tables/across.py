"""What holds over several datasets, and what the next one may show: a table of joint results."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from study.analysis.metrics import metric_title
from study.analysis.results import Results
from study.analysis.stats.across_datasets import on_all, shown_on
from study.analysis.stats.comparison import Comparison
from study.analysis.stats.hierarchical import TAU_SCALES, NextDataset, next_dataset
from study.analysis.stats.meta_analysis import LEAST_DATASETS, hartung_knapp
from study.reporting.tables.registry import register_table
from study.reporting.tables.statistics import p_text
from study.reporting.tables.table import Cell, Number, Table

COLUMNS = ["arm", "metric", "datasets", "lower_on", "p_lower_on_all", "next_low", "next_high"]


@register_table("across", place=55)
def compute(results: Results) -> Table | None:
    """Each frozen arm that ran on several datasets, by the primary metric; None of a single dataset."""
    groups: dict[tuple[str, str], dict[str, Comparison]] = {}
    for line in results.arms:
        primary = results.named(line.study).question
        wanted = primary.metric if primary is not None else results.named(line.study).metric
        usable = line.mode == "frozen" and line.metric == wanted and line.standard_error > 0 and line.reference_mean > 0
        if usable and line.arm_mean > 0:
            groups.setdefault((line.arm, line.metric), {}).setdefault(line.dataset, line)
    several = {key: list(lines.values()) for key, lines in groups.items() if len(lines) > 1}
    if not several:
        return None
    rows: list[list[Cell]] = []
    frame = []
    for (arm, metric), lines in several.items():
        p = np.array([_lower_p(line) for line in lines])
        ahead = [_ahead(lines, scale) for scale in TAU_SCALES]
        low, high = _prediction(lines)
        frame.append([arm, metric, len(lines), shown_on(p), on_all(p), low, high, *(x for n in ahead for x in n[1:4])])
        middle = ahead[len(ahead) // 2]
        shares = [Number(100 * value, decimals=0, unit=" %") for value in (middle.worse, middle.inside, middle.better)]
        spread = max(abs(each.worse - middle.worse) for each in ahead)
        interval = None if math.isnan(low) else (100 * low, 100 * high)
        pooled = Number(100 * middle.mean, decimals=2, signed=True, interval=interval, unit="")
        title = results.titles.get(arm, arm)
        on = f"{shown_on(p)} of {len(lines)}"
        rows.append(
            [title, metric_title(metric), pooled, on, p_text(on_all(p)), *shares, Number(100 * spread, decimals=0)]
        )
    scaled = [f"{name}_{scale:g}" for scale in TAU_SCALES for name in ("worse", "inside", "better")]
    return Table(
        name="across",
        caption="Arms over datasets, frozen, by the primary metric. Change: pooled change in % of the full model, from "
        f"{LEAST_DATASETS} datasets on with the interval in which the next dataset's lies. Lower on: the most datasets "
        "of which it can be said that the arm is lower on at least so many (partial conjunction, p < .05); p: it is "
        "lower on all. Next: probabilities that on the next dataset the arm is worse than the margin, inside it, or "
        "better, in a hierarchical model; ± how far the first moves with the prior on how much datasets differ.",
        columns=["Arm", "Metric", "Change %", "Lower on", "p (all)", "Next worse", "Inside", "Better", "±"],
        rows=rows,
        frame=pd.DataFrame(frame, columns=[*COLUMNS, *scaled]),
    )


def _lower_p(line: Comparison) -> float:
    """One-sided p-value that the arm is not lower, from its two-sided one."""
    return line.p / 2 if line.difference < 0 else 1 - line.p / 2


def _log_ratios(lines: Sequence[Comparison]) -> tuple[np.ndarray, np.ndarray]:
    """Log of the arm's mean over its reference's, and its standard error."""
    effects = np.array([math.log(line.arm_mean / line.reference_mean) for line in lines])
    errors = np.array([line.standard_error / line.arm_mean for line in lines])
    return effects, errors


def _ahead(lines: Sequence[Comparison], scale: float) -> NextDataset:
    effects, errors = _log_ratios(lines)
    margin = max(line.margin / line.reference_mean for line in lines)
    return next_dataset(effects, errors, margin=margin, tau_scale=scale)


def _prediction(lines: Sequence[Comparison]) -> tuple[float, float]:
    if len(lines) < LEAST_DATASETS:
        return math.nan, math.nan
    pooled = hartung_knapp(*_log_ratios(lines))
    return pooled.next_low, pooled.next_high
