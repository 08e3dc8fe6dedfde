"""Errors of searches as a sample and of a reference with more seeds, on few replicates."""

from __future__ import annotations

import numpy as np
import pytest

from study.analysis.stats.design_calibration import extra_seed_errors, search_errors


@pytest.mark.parametrize("between", [0.0, 3.0])
def test_searches_err_as_often_as_they_should(between: float) -> None:
    rng = np.random.default_rng(0)
    errors = search_errors(searches=4, between=between, seeds=4, users=30, replicates=200, rng=rng)
    assert errors.rate <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_what_searches_choose_widens_the_error() -> None:
    design = {"searches": 4, "seeds": 4, "users": 30, "replicates": 50}
    errors = [search_errors(between=b, rng=np.random.default_rng(1), **design).standard_error for b in (0.0, 3.0)]
    # 3 seed sds between searches, over 4 searches of two arms: at least sqrt(2 / 4) of 0.3.
    assert errors[1] > 3 * errors[0]
    assert errors[1] == pytest.approx(0.3 * np.sqrt(2 / 4), rel=0.2)


def test_more_seeds_of_the_reference_narrow_the_error() -> None:
    design = {"correlation": 0.2, "seeds": 5, "users": 30, "replicates": 60}
    plain, more = (extra_seed_errors(more=m, rng=np.random.default_rng(2), **design) for m in (0, 8))
    assert more.standard_error < 0.95 * plain.standard_error
    assert max(plain.rate, more.rate) < 0.11
