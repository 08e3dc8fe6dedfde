"""What a bundle says of software, machines, data and commands, as the records have it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import distributions
from typing import Any

from study.records.provenance import read_provenance
from study.records.study import RunRecord, Study
from study.reporting.bundling.contents import RESULTS


class Facts:
    """A study's provenance, read once."""

    def __init__(self, study: Study) -> None:
        """Read ``provenance.json``; a study without one has only what its records say.

        Raises:
            UserError: the file is damaged.
        """
        self.study = study
        self.records: list[RunRecord] = [*study.all_records(), *study.trial_seeds]
        self.provenance: dict[str, Any] = read_provenance(study.folder)

    @property
    def place(self) -> str:
        """Where the study lies in its bundle."""
        return f"{RESULTS}/{self.study.name}"

    @property
    def calls(self) -> list[Mapping[str, Any]]:
        """Every invocation, the first one first."""
        return [self.provenance, *self.provenance.get("resumed", [])] if self.provenance else []

    @property
    def commits(self) -> list[str]:
        """Commits of the code, as they came; one with changes that are in no commit ends in ``-dirty``."""
        named = [
            f"{call['commit']}{'-dirty' if call.get('dirty') else ''}" for call in self.calls if call.get("commit")
        ]
        return list(dict.fromkeys(named))

    @property
    def time(self) -> str:
        """Of the last call; empty where nobody wrote it down."""
        return str(self.calls[-1].get("time", "")) if self.calls else ""

    def environment(self) -> dict[str, Any]:
        """Commits, versions and machines of all runs, and what was installed where the bundle was made."""
        installed = {each.metadata["Name"]: each.version for each in distributions() if each.metadata["Name"]}
        return {
            "commits": self.commits,
            "versions": _distinct(run.record.get("versions") for run in self.records),
            "machines": _distinct(run.record.get("machine") for run in self.records),
            "threads": sorted({run.record["threads"] for run in self.records if "threads" in run.record}),
            "devices": sorted({str(run.record["device"]) for run in self.records if "device" in run.record}),
            "installed": dict(sorted(installed.items(), key=lambda item: item[0].lower())),
        }

    def data(self) -> dict[str, Any]:
        """Name, source and hashes of the data, by which anybody knows whether theirs are the same."""
        known = ("dataset", "source", "data_hash", "split_hash", "feature_hashes", "split")
        stated = {key: self.provenance[key] for key in known if key in self.provenance}
        return {
            **stated,
            "dataset": self.study.dataset,
            "data_hashes": sorted({run.data_hash for run in self.records if "data_hash" in run.record}),
            "split_hashes": sorted({run.split_hash for run in self.records if "split_hash" in run.record}),
            "splits": _distinct(run.split for run in self.records),
        }

    def commands(self) -> str:
        """Every command that made the study, with time and commit."""
        lines = []
        for call in self.calls:
            dirty = ", with changes that are in no commit" if call.get("dirty") else ""
            lines.append(f"# {call.get('time', 'unknown time')}, commit {call.get('commit') or 'unknown'}{dirty}")
            lines.append(str(call.get("command", "")))
        return "\n".join([*lines, ""]) if lines else "# nobody wrote down the commands\n"


def _distinct(values: Sequence[Any] | Any) -> list[Any]:
    known = {json.dumps(value, sort_keys=True): value for value in values if value}
    return [known[key] for key in sorted(known)]
