"""``--listener mlflow[:URI]``: an MLflow experiment per study, one MLflow run per run.

Without a URI (and without MLFLOW_TRACKING_URI) all goes to ``mlflow.db`` in the study's folder:
``mlflow ui --backend-store-uri sqlite:///results/<study>/mlflow.db`` shows it. Needs the extra ``mlflow``.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sea_core.errors import UserError
from study.listeners.registry import register_listener
from study.listeners.tracker import TrackedRun, Tracker
from study.running.events import StudyBegun

_KEY = "sea.key"
_STATUS = {"complete": "FINISHED", "pruned": "FINISHED", "failed": "FAILED", "put aside": "KILLED"}
_LONGEST = 250  # characters of a parameter that old servers take


@register_listener("mlflow")
class MLflow(Tracker[str]):
    """Uses MLflow's client alone, so that several runs may be open and nothing of the process's own changes."""

    def __init__(self, argument: str = "") -> None:
        """Take the URI of a tracking server or store; empty for MLflow's own setting, else the study's folder.

        Raises:
            UserError: MLflow is not installed.
        """
        super().__init__()
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # nobody asked the user
        try:
            import mlflow.entities  # an optional extra, and it takes a second
            import mlflow.tracking
        except ImportError:
            raise UserError("--listener mlflow needs MLflow: pip install 'sea-study[mlflow]'") from None
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._make_client, self._entities = mlflow.tracking.MlflowClient, mlflow.entities
        self._uri = argument or os.environ.get("MLFLOW_TRACKING_URI", "")
        self._clients: dict[str, tuple[Any, str]] = {}  # study -> client, experiment
        self._tables_of: dict[str, str] = {}  # study -> the run that holds its tables

    def begin_study(self, study: StudyBegun) -> None:
        """See ``Tracker``."""
        client = self._make_client(self._uri or f"sqlite:///{(study.folder / 'mlflow.db').resolve()}")
        experiment = client.get_experiment_by_name(study.name)
        if experiment is not None:
            self._clients[study.name] = (client, experiment.experiment_id)
            return
        artifacts = None if self._uri else (study.folder / "mlflow-artifacts").resolve().as_uri()
        number = client.create_experiment(study.name, artifact_location=artifacts, tags={"dataset": study.dataset})
        self._clients[study.name] = (client, number)

    def begin_run(self, run: TrackedRun) -> tuple[str, int]:
        """See ``Tracker``. A continued run is found by its key, and its epochs are counted."""
        client, experiment = self._clients[run.study.name]
        runs = client.search_runs([experiment], f"tags.`{_KEY}` = '{run.key}'", max_results=1)
        if runs:
            client.update_run(runs[0].info.run_id, status="RUNNING")
            epochs = client.get_metric_history(runs[0].info.run_id, "seconds")
            return f"{run.study.name}\n{runs[0].info.run_id}", 1 + max((each.step for each in epochs), default=-1)
        made = client.create_run(experiment, run_name=run.name, tags={_KEY: run.key})
        parameters = [self._entities.Param(name, str(value)[:_LONGEST]) for name, value in run.facts.items()]
        client.log_batch(made.info.run_id, params=parameters)
        return f"{run.study.name}\n{made.info.run_id}", 0

    def log(self, handle: str, epoch: int, numbers: Mapping[str, float]) -> None:
        """See ``Tracker``."""
        client, number = self._of(handle)
        client.log_batch(number, metrics=self._metrics(numbers, epoch))

    def conclude(self, handle: str, results: Mapping[str, float], notes: Mapping[str, str]) -> None:
        """See ``Tracker``; a result is named ``result/...``, apart from the curve of the same metric."""
        client, number = self._of(handle)
        metrics = self._metrics({f"result/{name}": value for name, value in results.items()}, 0)
        tags = [self._entities.RunTag(f"sea.{name}", text) for name, text in notes.items()]
        client.log_batch(number, metrics=metrics, tags=tags)

    def end_run(self, handle: str, how: str) -> None:
        """See ``Tracker``."""
        client, number = self._of(handle)
        client.set_terminated(number, _STATUS[how])

    def keep_table(self, study: StudyBegun, path: Path) -> None:
        """See ``Tracker``: tables are artifacts of a run named ``tables``."""
        if study.name not in self._tables_of:
            handle, _ = self.begin_run(TrackedRun(study, "tables", "tables", {}))
            self._tables_of[study.name] = handle
        client, number = self._of(self._tables_of[study.name])
        client.log_artifact(number, str(path), artifact_path="tables")

    def end_study(self, study: StudyBegun, how: str) -> None:
        """See ``Tracker``."""
        if study.name in self._tables_of:
            self.end_run(self._tables_of.pop(study.name), "complete")

    def _of(self, handle: str) -> tuple[Any, str]:
        study, _, number = handle.partition("\n")
        return self._clients[study][0], number

    def _metrics(self, numbers: Mapping[str, float], step: int) -> list[Any]:
        """MLflow allows no ``@`` in names: ``recall@20`` becomes ``recall_at_20``."""
        now = time.time_ns() // 1_000_000
        return [self._entities.Metric(name.replace("@", "_at_"), value, now, step) for name, value in numbers.items()]
