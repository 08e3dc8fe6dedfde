"""Where everything of a study lies."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from sea_core.errors import UserError

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


@dataclass(frozen=True)
class StudyFolder:
    """Paths inside a study's folder (``results/README.md`` documents each file)."""

    root: Path

    @property
    def name(self) -> str:
        """The study's name."""
        return self.root.name

    @property
    def database(self) -> Path:
        """Optuna's SQLite storage."""
        return self.root / "study.db"

    @property
    def identity(self) -> Path:
        """What was asked for: data, space, base config, sampler, pruner, seed."""
        return self.root / "config.yaml"

    @property
    def question(self) -> Path:
        """What is asked of the arms, fixed before the first of them ran."""
        return self.root / "question.json"

    @property
    def provenance(self) -> Path:
        """Where the numbers come from: commit, hashes, versions, machine, command."""
        return self.root / "provenance.json"

    @property
    def summary(self) -> Path:
        """The result in one file."""
        return self.root / "summary.json"

    @property
    def selection(self) -> Path:
        """How the winner was chosen, and what choosing cost (winner's curse)."""
        return self.root / "final" / "selection.json"

    @property
    def trials(self) -> Path:
        """Parent of all trials' run folders."""
        return self.root / "trials"

    @property
    def finalists(self) -> Path:
        """Parent of the finalists' runs, by trial number."""
        return self.root / "final" / "finalists"

    @property
    def tables(self) -> Path:
        """CSV, Markdown and LaTeX."""
        return self.root / "tables"

    @property
    def figures(self) -> Path:
        """PDF, PNG and the CSV behind each."""
        return self.root / "figures"

    def trial(self, number: int) -> Path:
        """Run folder of a trial."""
        return self.trials / str(number)

    def trial_seed(self, number: int, seed: int) -> Path:
        """Run folder of one seed of a trial that is judged on several."""
        return self.trial(number) / f"seed-{seed}"

    def finalist(self, number: int, seed: int) -> Path:
        """Run folder of trial ``number``'s config on a fresh seed."""
        return self.finalists / str(number) / f"seed-{seed}"

    def control(self, number: int, seed: int) -> Path:
        """Run folder of a trial that nobody selected, on one of the winner's fresh seeds; validation only."""
        return self.root / "final" / "controls" / str(number) / f"seed-{seed}"

    def winner(self, seed: int) -> Path:
        """Run folder of the winner on a fresh seed."""
        return self.root / "final" / "winner" / f"seed-{seed}"

    def default(self, seed: int) -> Path:
        """Run folder of the base configuration on one of the winner's fresh seeds."""
        return self.root / "final" / "default" / f"seed-{seed}"

    def baseline(self, name: str) -> Path:
        """Folder of a baseline's metrics."""
        return self.root / "final" / "baselines" / name

    def placebo(self, copy: str, seed: int) -> Path:
        """The run folder of a copy of the full model."""
        return self.root / "placebos" / copy / f"seed-{seed}"

    @property
    def path(self) -> Path:
        """How the ablation path from the base configuration to the winner was chosen."""
        return self.root / "path" / "path.json"

    def path_run(self, kind: str, config_hash: str, seed: int) -> Path:
        """Run folder of a config on the way to the winner; ``kind`` is ``candidates`` or ``steps``."""
        return self.root / "path" / kind / config_hash / f"seed-{seed}"

    def arm_search(self, arm: str, number: int) -> Path:
        """Folder of the ``number``-th search of a re-tuned arm, from 1; the full model's first is the study itself."""
        if number == 1:
            return self.root / "ablations" / "retuned" / arm / "search"
        return self.root / "ablations" / "searches" / str(number) / arm / "search"

    def searched(self, arm: str, number: int, seed: int) -> Path:
        """Run folder of what the ``number``-th search of a re-tuned arm chose."""
        if number == 1:
            return self.ablation("retuned", arm, seed)
        return self.root / "ablations" / "searches" / str(number) / arm / f"seed-{seed}"

    def ablation(self, mode: str, arm: str, seed: int) -> Path:
        """Run folder of an ablation arm; ``mode`` is ``frozen`` or ``retuned``."""
        return self.root / "ablations" / mode / arm / f"seed-{seed}"


def study_folder(out: Path, name: str) -> StudyFolder:
    """The folder of the study ``name`` under ``out``; nothing is created.

    Raises:
        UserError: the name could leave ``out`` or confuse a shell.
    """
    if not _SAFE_NAME.fullmatch(name):
        raise UserError(
            f"study name must start with a letter or digit and hold only letters, digits, '.', '_', '+' and '-' "
            f"(at most 100), got {name!r}"
        )
    return StudyFolder(out / name)


def name_for(pattern: str, dataset: str) -> str:
    """A study's name from a pattern, in which ``{dataset}`` stands for the dataset's name."""
    return pattern.replace("{dataset}", re.sub("[^A-Za-z0-9._-]+", "-", dataset))


def make_writable(root: Path) -> None:
    """Create a folder and prove that files can be written in it.

    Raises:
        UserError: it cannot.
    """
    probe = root / f".write-test.{os.getpid()}.tmp"
    try:
        root.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(f"cannot write in {root}: {error.strerror}; choose another folder with --out") from None


def refuse_shared(folders: Sequence[StudyFolder], what: str) -> None:
    """Refuse two studies of one call that would write into one folder.

    Raises:
        UserError: two would; ``what`` they are is said.
    """
    roots = [folder.root for folder in folders]
    if len({root.resolve() for root in roots}) < len(roots):
        raise UserError(f"two {what} would share one folder: {', '.join(map(str, roots))}; run them one by one")


def remove_outdated(folder: Path, names: Iterable[str], formats: Sequence[str]) -> None:
    """Remove files ``<name>.<format>``: outputs are a function of the records, and what records no longer say goes."""
    for name, suffix in itertools.product(names, formats):
        (folder / f"{name}.{suffix}").unlink(missing_ok=True)


def remove_half_written(root: Path) -> None:
    """Remove the temporary files (``.<name>.<pid>.tmp``) that killed processes left; those of living ones stay."""
    for path in root.rglob(".*.tmp"):
        pid = path.name.split(".")[-2]
        if pid == str(os.getpid()) or not (pid.isdecimal() and psutil.pid_exists(int(pid))):
            path.unlink(missing_ok=True)


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
