"""Whether a storage and a study's folder belong together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import optuna
import sqlalchemy
from optuna.storages import BaseStorage

from sea_core.errors import UserError
from sea_core.run_folder import RECORD
from study.records.folder import StudyFolder
from study.records.spec import StudySpec, read_spec, write_spec
from study.searching.trial_store import TrialStore


def check_database(folder: StudyFolder, url: str) -> None:
    """See that a database file is still there, before opening it would make an empty one.

    Raises:
        UserError: it is gone, and the study's trials with it.
    """
    parsed = sqlalchemy.make_url(url)
    missing = parsed.get_backend_name() == "sqlite" and not Path(str(parsed.database)).exists()
    if missing and (count := count_records(folder)):
        raise UserError(
            f"{parsed.database} is gone, and {folder.trials} holds the records of {count} trials; restore it (or give "
            "the --storage the study was made with), or choose another --study-name"
        )


def count_records(folder: StudyFolder) -> int:
    """Number of trials that left a record."""
    return sum(1 for _ in folder.trials.glob(f"*/{RECORD}"))


def find_study(folder: StudyFolder, storage: BaseStorage, *, adopt: bool) -> None:
    """See whether the storage knows the study under an earlier name, and if so give it the folder's.

    Killed in between, the same call begins anew. Hyperband sorts trials by the study's name, so its later brackets are
    others than under the earlier one.

    Args:
        folder: the study's, perhaps renamed or copied since its ``config.yaml`` was written.
        storage: opened.
        adopt: the user wants that.

    Raises:
        UserError: it has another name there, and ``adopt`` was not asked for.
    """
    earlier = name_in_storage(folder, storage)
    if earlier == folder.name:
        return
    if not adopt:
        raise UserError(
            f"{folder.root} is the study '{earlier}', renamed or copied; add --adopt to go on with it as "
            f"'{folder.name}', or give the folder its name back"
        )
    if folder.name in optuna.get_all_study_names(storage):  # half a copy
        optuna.delete_study(study_name=folder.name, storage=storage)
    optuna.copy_study(from_study_name=earlier, from_storage=storage, to_storage=storage, to_study_name=folder.name)
    if (spec := read_spec(folder)) is not None:
        write_spec(folder, replace(spec, study=folder.name))


def name_in_storage(folder: StudyFolder, storage: BaseStorage) -> str:
    """The folder's name, or the one its study has in the storage from before the folder was renamed or copied."""
    spec = read_spec(folder)
    earlier = folder.name if spec is None or not spec.study else spec.study
    counts = {each.study_name: each.n_trials for each in optuna.get_all_study_summaries(storage)}
    return earlier if counts.get(earlier, 0) > counts.get(folder.name, 0) else folder.name


def check_storage(folder: StudyFolder, store: TrialStore, spec: StudySpec) -> None:
    """Mark a new study in the storage as this one, and see that storage and folder belong together.

    Raises:
        UserError: the storage holds another study of this name, or has lost the trials whose records are in the folder.
    """
    mark = {"dataset": spec.dataset, "data_hash": spec.data_hash, "metric": spec.metric}
    mark["identity"] = spec.fingerprint()
    known = store.attributes()
    if store.begun == 0:
        if any(folder.trials.glob(f"*/{RECORD}")):
            raise UserError(
                f"{folder.trials} holds trials that the storage does not know; restore {folder.database.name} "
                "(or give the --storage it was made with), or choose another --study-name"
            )
        for key, value in mark.items():
            store.set_attribute(key, value)
    # An earlier version may have marked it with fewer config fields, those that config.yaml still has.
    elif known.get("identity") not in (mark["identity"], (read_spec(folder) or spec).fingerprint()):
        raise UserError(f"the storage holds another study named '{folder.name}'; choose another --study-name")
