"""What all tables are computed from: studies, with their measurements and comparisons worked out once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import pandas as pd

from study.analysis.comparisons import compare_factors, compare_with_baselines, compare_with_full
from study.records.study import Study
from study.reporting.tables.measurements import measurements, shown_metrics


class Results:
    """Results of one or more studies that may stand side by side."""

    def __init__(self, studies: Sequence[Study]) -> None:
        """Take studies in the order of a table's columns.

        Raises:
            UserError: two studies of one dataset ran on different data, or a test result lacks its receipt.
        """
        self.studies = list(studies)
        self.measured = measurements(studies)
        self.metrics = shown_metrics(self.measured)

    @cached_property
    def arms(self) -> pd.DataFrame:
        """``compare_with_full`` on the metrics that tables show."""
        return compare_with_full(self.studies, self.metrics)

    @cached_property
    def baselines(self) -> pd.DataFrame:
        """``compare_with_baselines`` on the metrics that tables show."""
        return compare_with_baselines(self.studies, self.metrics)

    @cached_property
    def factors(self) -> pd.DataFrame:
        """``compare_factors`` on the metrics that tables show."""
        return compare_factors(self.studies, self.metrics)

    def prefix(self, name: object) -> str:
        """``name: `` where rows of several studies share a table, nothing where there is one."""
        return f"{name}: " if len(self.studies) > 1 else ""

    @cached_property
    def titles(self) -> dict[str, str]:
        """Name of an arm or baseline -> its row's title; arms that failed are among them."""
        titles = dict(zip(self.measured["name"], self.measured["title"], strict=True))
        for study in self.studies:
            titles |= {str(run.arm): str(run.record.get("arm_title", run.arm)) for run in study.ablations}
        return titles
