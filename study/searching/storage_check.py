"""Whether a storage and a study's folder belong together."""

from __future__ import annotations

from sea_core.errors import UserError
from sea_core.run_folder import RECORD
from study.records.folder import StudyFolder
from study.records.spec import StudySpec, read_spec
from study.searching.trial_store import TrialStore


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
