"""From a study to a config file: what it chose, as YAML that ``--config`` takes."""

from __future__ import annotations

import yaml

from sea_core.errors import UserError
from study.records.study import RunRecord, Study


def config_text(study: Study, *, trial: int | None = None) -> str:
    """The winner's config, with a comment that says where it is from; the best trial's where there is no winner.

    Args:
        study: with records.
        trial: the number of a trial, whose config is wanted instead.

    Raises:
        UserError: no such trial, or nothing that could be chosen.
    """
    run, what = _chosen(study, trial)
    metric, validation = run.config.valid_metric, run.record["validation"]
    comment = f"# {what} of {study.folder.root}: {metric} {validation[metric]:.4f} on validation, seed {run.seed}"
    return f"{comment}\n{yaml.safe_dump(run.config.as_dict(), sort_keys=False, allow_unicode=True)}"


def _chosen(study: Study, trial: int | None) -> tuple[RunRecord, str]:
    trials = {each.number: each for each in study.trials if each.record.get("config") and each.value is not None}
    if trial is not None:
        if trial not in trials:
            numbers = ", ".join(map(str, sorted(number for number in trials if number is not None)))
            raise UserError(f"{study.folder.root} has no trial {trial} with a result; it has {numbers or 'none'}")
        return trials[trial], f"trial {trial}"
    if study.winner:
        return study.winner[0], f"winner (trial {study.winner[0].number})"
    best = study.best_trial
    if best is None:
        raise UserError(
            f"{study.folder.root} has neither a winner nor a complete trial, so there is no config to export"
        )
    return best, f"best trial ({best.number})"
