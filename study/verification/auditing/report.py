"""The audit's findings as a table."""

from __future__ import annotations

from collections.abc import Sequence

from study.verification.auditing.knobs import Finding

HEADINGS = ("field", "change", "must move", "moved", "verdict")
_LONGEST = 44


def table(findings: Sequence[Finding]) -> list[str]:
    """One line a finding, columns aligned."""
    rows = [HEADINGS, *(_row(finding) for finding in findings)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def problems(findings: Sequence[Finding]) -> list[str]:
    """What is wrong, one line each."""
    return [finding.problem for finding in findings if finding.problem is not None]


def _row(finding: Finding) -> tuple[str, ...]:
    change = finding.change if len(finding.change) <= _LONGEST else finding.change[: _LONGEST - 1] + "…"
    verdict = "alive" if finding.problem is None else "FAULT"
    return finding.subject, change, finding.expected, ", ".join(finding.moved) or "nothing", verdict
