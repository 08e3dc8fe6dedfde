"""How much each searched parameter of a study mattered: worked out once, for the table and the figure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sea_core.errors import UserError
from study.analysis.results import Results
from study.analysis.stats.importances import Importances, importances
from study.records.study import Study
from study.searching.space import parse_space

PERMUTATIONS = 199


def study_importances(results: Results, study: Study) -> Importances:
    """Importances over the complete trials, those that repeat another left out.

    Args:
        results: keep what was worked out.
        study: one of theirs.

    Raises:
        UserError: no search space, fewer than two searched parameters, or too few trials.
    """
    return results.once(study, "importances", lambda: _compute(study))


def _compute(study: Study) -> Importances:
    trials = [trial for trial in study.complete_trials if trial.duplicate_of is None]
    if not study.space:
        raise UserError("the study has no search space")
    space = parse_space(study.space, source=str(study.folder.identity))
    if sum(not searched.single() for searched in space.values()) < 2:
        raise UserError("fewer than two parameters were searched")
    return importances(
        pd.DataFrame([trial.params for trial in trials]),
        np.array([trial.value for trial in trials], dtype=np.float64),
        distributions=space,
        rng=np.random.default_rng(0),
        permutations=PERMUTATIONS,
    )
