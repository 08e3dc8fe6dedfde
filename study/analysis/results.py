"""What tables, figures, page and terminal are drawn from: studies, measured and compared once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeVar, cast

from sea_core.errors import UserError, suggest
from study.analysis.comparisons import Comparisons, compare_study, side_by_side
from study.analysis.measurements import Measurement, check_comparable, measure_study, shown_metrics
from study.analysis.stats.comparison import Comparison
from study.records.study import Study

T = TypeVar("T")


class Results:
    """Results of one or more studies that may stand side by side. A program makes one and hands it on."""

    def __init__(
        self, studies: Sequence[Study], *, known: Sequence[Results] = (), metrics: Sequence[str] | None = None
    ) -> None:
        """Take studies in the order of a table's columns.

        Args:
            studies: at least one.
            known: results of some of them by themselves; what was worked out there is not worked out again.
            metrics: to show, of those that were measured; None = those that the studies chose.

        Raises:
            UserError: a metric that was not measured, two studies of one dataset that ran on different data, or a test
                result without its receipt.
        """
        self.studies = list(studies)
        check_comparable(studies)
        there: dict[int, _Part] = {id(part.study): part for results in known for part in results._parts}
        self._parts: list[_Part] = [there.get(id(study)) or _Part(study, metrics) for study in studies]
        self.measured: list[Measurement] = [line for part in self._parts for line in part.measured]
        if metrics is not None:
            _require_measured(metrics, self.measured)
        chosen = [metric for study in studies for metric in study.metrics] if metrics is None else metrics
        self.metrics = shown_metrics(self.measured, chosen)

    @classmethod
    def joined(cls, results: Sequence[Results]) -> Results:
        """Results of all studies together: their comparisons are not computed again."""
        metrics = list(dict.fromkeys(metric for each in results for metric in each.metrics))
        return cls([study for each in results for study in each.studies], known=results, metrics=metrics)

    @cached_property
    def comparisons(self) -> Comparisons:
        """Every comparison on the metrics that tables show.

        Raises:
            UserError: runs that were tested on different users.
        """
        return side_by_side([part.comparisons for part in self._parts], self.metrics)

    def once(self, study: Study, what: str, compute: Callable[[], T]) -> T:
        """``compute()`` of a study, worked out when first asked for; for what tables and figures both show."""
        known = next(part.known for part in self._parts if part.study is study)
        if what not in known:
            known[what] = compute()
        return cast("T", known[what])

    @property
    def arms(self) -> Sequence[Comparison]:
        """Arms against ``full``."""
        return self.comparisons.arms

    @property
    def baselines(self) -> Sequence[Comparison]:
        """The winner against baselines."""
        return self.comparisons.baselines

    @property
    def factors(self) -> Sequence[Comparison]:
        """CLUB, Solosim and their interaction."""
        return self.comparisons.factors

    @property
    def tuning(self) -> Sequence[Comparison]:
        """The winner against the base configuration of its search."""
        return self.comparisons.tuning

    @property
    def placebos(self) -> Sequence[Comparison]:
        """Copies of ``full`` against it."""
        return self.comparisons.placebos

    @property
    def path(self) -> Sequence[Comparison]:
        """Steps from the base configuration to the winner, each against the one before; then the whole path."""
        return self.comparisons.path

    @property
    def imported(self) -> Sequence[Comparison]:
        """Results of programs elsewhere against ``full``, or the winner."""
        return self.comparisons.imported

    @property
    def study(self) -> Study:
        """The only study.

        Raises:
            ValueError: there are several.
        """
        if len(self.studies) != 1:
            raise ValueError(f"expected the results of one study, got {len(self.studies)}")
        return self.studies[0]

    def named(self, name: str) -> Study:
        """The study of that name."""
        return next(study for study in self.studies if study.name == name)

    def prefix(self, name: object) -> str:
        """``name: `` where rows of several studies share a table, nothing where there is one."""
        return f"{name}: " if len(self.studies) > 1 else ""

    @cached_property
    def titles(self) -> dict[str, str]:
        """Name of an arm or baseline -> its row's title; arms that failed are among them."""
        titles = {line.name: line.title for line in self.measured}
        for study in self.studies:
            titles |= {str(run.arm): str(run.record.get("arm_title", run.arm)) for run in study.placebos}
            titles |= {str(run.arm): run.title for run in study.ablations}
        return titles


class _Part:
    """One study's share, whatever else it stands beside."""

    def __init__(self, study: Study, metrics: Sequence[str] | None) -> None:
        self.study, self.measured = study, measure_study(study)
        self.known: dict[str, object] = {}
        self._metrics = study.metrics if metrics is None else metrics

    @cached_property
    def comparisons(self) -> Comparisons:
        return compare_study(self.study, shown_metrics(self.measured, self._metrics))


def _require_measured(metrics: Sequence[str], measured: Sequence[Measurement]) -> None:
    present = {line.metric for line in measured}
    for metric in metrics:
        if present and metric not in present:
            raise UserError(
                f"metric '{metric}' was not measured{suggest(metric, present)}; a study measures other K if it is made "
                f"with --metrics {metric}"
            )
