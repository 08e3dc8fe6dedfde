"""Everything a study folder holds, read back: the one door through which tables, figures and statistics see results."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import torch

from sea_core.config import Config
from sea_core.errors import UserError
from sea_core.evaluation.user_metrics import UserMetrics
from sea_core.models.registry import find_model, model_names
from sea_core.run_folder import HISTORY, RECORD, VALIDATION, RunFolder, read_run_folder
from study.records.arm_names import in_order
from study.records.folder import StudyFolder
from study.records.path import AblationPath, read_path
from study.records.question import Question, read_question
from study.records.selection import Selection, read_selection
from study.records.spec import METRIC, StudySpec, read_spec


@dataclass(frozen=True)
class RunRecord(RunFolder):
    """What became of a ``Run``: its folder, and what ``record.json`` says; large files are read once, when asked."""

    @property
    def seed(self) -> int | None:
        """The run's seed; None for a baseline of an earlier version, which has none."""
        return self.record.get("seed")

    @property
    def dataset(self) -> str:
        """Name of the dataset."""
        return str(self.record["dataset"])

    @property
    def data_hash(self) -> str:
        """Hash of split and features."""
        return str(self.record["data_hash"])

    @property
    def split_hash(self) -> str:
        """Hash of the training and validation pairs."""
        return str(self.record["split_hash"])

    @property
    def split(self) -> Mapping[str, Any] | None:
        """Protocol, ratios and seed of the split; None where nobody wrote them down."""
        return self.record.get("split")

    @property
    def split_seed(self) -> int | None:
        """Seed of the split, if it is not the data's own (``--split-seeds``)."""
        return self.record.get("split_seed")

    @property
    def config_hash(self) -> str | None:
        """Hash of the config; None for a baseline of an earlier version."""
        return self.record.get("config_hash")

    @property
    def weights_hash(self) -> str | None:
        """Hash of the final weights; None where nothing was trained to an end."""
        return self.record.get("weights_hash")

    @property
    def best_epoch(self) -> int | None:
        """Epoch of the best validation value."""
        return self.record.get("best_epoch")

    @property
    def seconds(self) -> float:
        """Training and validation time; 0 where nothing was trained."""
        return float(self.record.get("seconds", 0.0))

    @property
    def number(self) -> int | None:
        """Number of the trial this is, or whose config this is; None for baselines and ablation runs."""
        return self._trial.get("number")

    @property
    def state(self) -> str:
        """``complete``, ``pruned`` or ``failed``."""
        return str(self._trial.get("state", "complete"))

    @property
    def value(self) -> float | None:
        """The trial's value: validation metric at the best epoch, or the last report of a pruned trial."""
        return self._trial.get("value")

    @property
    def params(self) -> dict[str, Any]:
        """The searched parameters; empty outside a search."""
        return dict(self._trial.get("params", {}))

    @property
    def judged_on(self) -> list[int]:
        """Seeds of a trial; more than one if it was judged on several."""
        return list(self._trial.get("seeds", [] if self.seed is None else [self.seed]))

    @property
    def duplicate_of(self) -> int | None:
        """The trial whose equal config answered this one."""
        return self._trial.get("duplicate_of")

    @property
    def failure(self) -> Mapping[str, Any] | None:
        """``kind`` and ``message`` of a failed trial."""
        return self._trial.get("failure")

    @property
    def title(self) -> str:
        """What tables call the arm, else its name."""
        return str(self.record.get("arm_title", self.arm))

    @property
    def arm(self) -> str | None:
        """Name of the ablation arm."""
        return self.record.get("arm")

    @property
    def mode(self) -> str | None:
        """``frozen`` or ``retuned``, of an ablation run."""
        return self.record.get("mode")

    @property
    def baseline(self) -> str | None:
        """Name of the baseline."""
        return self.record.get("baseline")

    @cached_property
    def history(self) -> pd.DataFrame | None:
        """One row per epoch: ``epoch``, loss terms, validation metrics, ``seconds``; None if no epoch was finished."""
        return self.read_history() if (self.folder / HISTORY).exists() else None

    @cached_property
    def validation(self) -> UserMetrics | None:
        """Per-user validation metrics at the best epoch."""
        return self.read_validation() if (self.folder / VALIDATION).exists() else None

    @cached_property
    def test(self) -> UserMetrics | None:
        """Per-user test metrics, where the test split was opened."""
        return self.read_test()

    @cached_property
    def embeddings(self) -> dict[str, torch.Tensor] | None:
        """``user`` ``(U, D)`` and ``item`` ``(I, D)`` at the best epoch, where they were kept."""
        return self.read_embeddings()

    @cached_property
    def parts(self) -> dict[str, torch.Tensor] | None:
        """Generic and unique parts of items at the best epoch, of final and ablation runs."""
        return self.read_parts()

    @cached_property
    def diagnostics(self) -> Mapping[str, Any] | None:
        """What separation did to the parts, of final and ablation runs; None of runs from before it was written."""
        return self.read_diagnostics()

    @property
    def _trial(self) -> Mapping[str, Any]:
        return self.record.get("trial") or {}


@dataclass(frozen=True)
class Study:
    """A study folder.

    Attributes:
        folder: its paths.
        spec: ``config.yaml`` (data, space, base config, sampler, pruner, seed, metric); None for ablations alone.
        trials: by number.
        trial_seeds: single seeds of trials that are judged on several, by number, then seed.
        finalists: by trial number, then seed.
        winner: one run per fresh seed.
        default: the base configuration on the same seeds; empty where it is the winner itself, and of older studies.
        baselines: by name.
        ablations: by mode, arm, seed.
    """

    folder: StudyFolder
    spec: StudySpec | None = field(repr=False)
    trials: list[RunRecord] = field(repr=False)
    trial_seeds: list[RunRecord] = field(repr=False)
    finalists: list[RunRecord] = field(repr=False)
    winner: list[RunRecord] = field(repr=False)
    default: list[RunRecord] = field(repr=False)
    baselines: list[RunRecord] = field(repr=False)
    ablations: list[RunRecord] = field(repr=False)

    @property
    def name(self) -> str:
        """The study's name, which is its folder's."""
        return self.folder.name

    @property
    def title(self) -> str:
        """What it is called beside others."""
        return f"{self.name} on {self.dataset}"

    @property
    def metric(self) -> str:
        """The validation metric that decides, higher is better: the search's, else that of the runs' configs."""
        if self.spec is not None:
            return self.spec.metric
        configs = (run.record.get("config") or {} for run in self.all_records())
        return next((str(config["valid_metric"]) for config in configs if "valid_metric" in config), METRIC)

    @property
    def direction(self) -> Literal["maximize"]:
        """Every metric there is counts hits, so more is better."""
        return "maximize"

    @property
    def space(self) -> Mapping[str, Any]:
        """Searched parameter -> its entry; empty without a search."""
        return {} if self.spec is None else self.spec.space

    @property
    def seed(self) -> int:
        """What all other seeds are derived from."""
        return 999 if self.spec is None else self.spec.seed

    @property
    def complete_trials(self) -> list[RunRecord]:
        """Trials with a value of their own, by number; those that were pruned, failed or lack a value are left out."""
        return [trial for trial in self.trials if trial.state == "complete" and trial.value is not None]

    @property
    def ranked_trials(self) -> list[RunRecord]:
        """Complete trials, best first; of equal ones the earlier, so that a duplicate stands below its original."""
        return sorted(self.complete_trials, key=lambda trial: (-(trial.value or 0.0), trial.number or 0))

    @property
    def best_trial(self) -> RunRecord | None:
        """The first of ``ranked_trials``; None if no trial is complete."""
        return next(iter(self.ranked_trials), None)

    @cached_property
    def selection(self) -> Selection | None:
        """How the winner was chosen; None where none was.

        Raises:
            UserError: the file that says so is unreadable.
        """
        return read_selection(self.folder)

    def runs(self, *, arm: str | None = None, mode: str | None = None) -> list[RunRecord]:
        """Ablation runs of an arm, of a mode, or of both."""
        return [run for run in self.ablations if arm in (None, run.arm) and mode in (None, run.mode)]

    @property
    def dataset(self) -> str:
        """Name of the dataset, equal in all records."""
        return next(record.dataset for record in self.all_records())

    @property
    def model(self) -> str:
        """Name of the model that is searched or ablated; studies made before there were several are of ``sea``."""
        config = (self.spec and self.spec.config) or next(
            (run.record.get("config") or {} for run in [*self.trials, *self.winner, *self.ablations]), {}
        )
        return str(config.get("model", Config.model))

    @property
    def model_title(self) -> str:
        """What tables call the model; its name where its file is not loaded."""
        return find_model(self.model).title if self.model in model_names() else self.model

    @cached_property
    def placebos(self) -> list[RunRecord]:
        """Copies of the full model on seeds of their own, by copy and seed."""
        return _read(self.folder.root / "placebos", "*/seed-*")

    @cached_property
    def path(self) -> AblationPath | None:
        """The way from the base configuration to the winner; None where nobody walked it, or to another winner."""
        path = read_path(self.folder)
        return path if path is not None and self.winner and self.winner[0].config.hash() == path.end else None

    @cached_property
    def path_candidates(self) -> list[RunRecord]:
        """Runs that decided the order of the path; validation only. Those of former winners are among them."""
        return _read(self.folder.path.parent / "candidates", "*/seed-*")

    @cached_property
    def path_steps(self) -> list[RunRecord]:
        """Tested runs of configurations on the path that stand nowhere else, of former winners' too."""
        return _read(self.folder.path.parent / "steps", "*/seed-*")

    @cached_property
    def imported(self) -> list[RunRecord]:
        """Results of programs elsewhere (``records/imported.py``), by name and seed; they have no config."""
        return _read(self.folder.root / "imported", "*/seed-*")

    @cached_property
    def controls(self) -> list[RunRecord]:
        """Trials that were not selected, on the winner's fresh seeds: what a lucky seed of the search was worth."""
        runs = _read(self.folder.root / "final" / "controls", "*/seed-*")
        return [run for run in runs if self.selection is None or run.number != self.selection.winner]

    @cached_property
    def repeated(self) -> list[RunRecord]:
        """What further searches of re-tuned arms chose, by number of the search (``search``), arm and seed."""
        return _read(self.folder.root / "ablations" / "searches", "*/*/seed-*")

    @cached_property
    def question(self) -> Question | None:
        """What was asked of the arms before they ran; None of studies that did not write it down."""
        return read_question(self.folder.question)

    @cached_property
    def arm_searches(self) -> Mapping[str, Study]:
        """Searches of arms that were re-tuned, by arm in the order of tables; read when first asked for.

        Further searches of an arm follow as ``<arm>, search 2``.
        """
        retuned = self.folder.root / "ablations" / "retuned"
        arms = in_order(folder.parent.name for folder in retuned.glob("*/search"))
        first = {arm: load_study(retuned / arm / "search") for arm in arms}
        searches = self.folder.root / "ablations" / "searches"
        further: dict[str, Study] = {}
        for number in sorted(int(path.name) for path in searches.glob("*") if path.name.isdecimal()):
            names = in_order(folder.parent.name for folder in (searches / str(number)).glob("*/search"))
            for arm in names:
                if any((folder := searches / str(number) / arm / "search").glob(f"trials/*/{RECORD}")):
                    further[f"{arm}, search {number}"] = load_study(folder)
        return first | further

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that its tables and figures show."""
        chosen = None if self.spec is None else self.spec.config.get("metrics")
        if chosen is None:
            run = next((run for run in self.ablations if run.record.get("config")), None)
            chosen = Config.metrics if run is None else run.config.metrics
        return tuple(map(str, chosen))

    def all_records(self) -> list[RunRecord]:
        """Every record, in the order of the attributes, but the single seeds, which their trials stand for."""
        return [
            *self.trials,
            *self.finalists,
            *self.winner,
            *self.default,
            *self.baselines,
            *self.ablations,
            *self.repeated,
            *self.placebos,
            *self.controls,
            *self.path_candidates,
            *self.path_steps,
        ]


def load_study(folder: str | os.PathLike[str]) -> Study:
    """Read a study's records. Runs that are still going on have no record yet and do not appear.

    Args:
        folder: ``results/<study>``.

    Raises:
        UserError: the folder holds no record, or an unreadable one.

    Example, of the study that the example of ``finalize`` made:
        >>> import study
        >>> found = study.load_study("results/tiny")
        >>> found.dataset, len(found.trials)
        ('synthetic:users=40,items=30,interactions=8,dims=8/6', 3)
    """
    folder = Path(folder)
    paths = StudyFolder(folder.resolve())
    if not folder.is_dir():
        raise UserError(f"no study folder {folder}; expected something like results/synthetic-search")
    study = Study(
        folder=paths,
        spec=read_spec(paths),
        trials=_read(paths.trials, "*"),
        trial_seeds=_read(paths.trials, "*/seed-*"),
        finalists=_read(paths.finalists, "*/seed-*"),
        winner=_read(paths.root / "final" / "winner", "seed-*"),
        default=_read(paths.root / "final" / "default", "seed-*"),
        baselines=[run for pattern in ("*", "*/split-*") for run in _read(paths.root / "final" / "baselines", pattern)],
        ablations=_read(paths.root / "ablations", "*/*/seed-*"),
    )
    if not study.all_records():
        raise UserError(f"{folder} holds no finished run; expected trials/<n>/{RECORD} (results/README.md)")
    return study


def _read(parent: Path, pattern: str) -> list[RunRecord]:
    """All records below ``parent``, in natural order (trial 2 before trial 10)."""
    folders = [path.parent for path in parent.glob(f"{pattern}/{RECORD}")]
    runs = [read_run_folder(folder) for folder in sorted(folders, key=_natural)]
    return [RunRecord(run.folder, run.record) for run in runs]


def _natural(folder: Path) -> list[tuple[int, int | str]]:
    parts = [part.removeprefix("seed-") for part in folder.parts]
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts]
