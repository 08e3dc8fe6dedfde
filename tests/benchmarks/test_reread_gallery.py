"""The first gallery's comparisons under today's rules."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.reread_gallery import OUT, PAGE, ROWS, markdown, reread, variances_of
from study.analysis.stats.crossed import crossed_effect, mean_squares
from study.analysis.stats.power import minimum_detectable_effect


@pytest.mark.parametrize(("user", "seed"), [(0.05, 0.002), (0.02, 0.006), (0.1, 0.001)])
def test_variances_follow_from_what_an_old_row_says(user: float, seed: float) -> None:
    rng = np.random.default_rng(3)
    parts = user * rng.standard_normal((1, 1500)) + seed * rng.standard_normal((5, 1))
    difference = 0.005 + parts + 0.15 * rng.standard_normal((5, 1500))
    effect, squares = crossed_effect(difference), mean_squares(difference)
    mde = minimum_detectable_effect(effect.components, seeds=5, users=1500, alpha=0.05 / 32)
    row = pd.Series(
        {
            "difference": effect.mean,
            "low": round(effect.low, 4),
            "high": round(effect.high, 4),
            "mde": mde,
            "d": effect.effect_size,
            "seeds": 5,
            "users": 1500,
        }
    )
    variances = variances_of(row, comparisons=32)
    total = effect.user_variance + effect.seed_variance
    assert variances.user + variances.seed == pytest.approx(total, rel=0.05)
    assert variances.seed / (variances.user + variances.seed) == pytest.approx(effect.seed_variance / total, abs=0.03)
    assert variances.residual == pytest.approx(float(squares.residual), rel=0.01)
    assert variances.ratio == pytest.approx(max(float(squares.seed / squares.residual), 1.0), rel=0.1)


@pytest.fixture(scope="module")
def lines() -> pd.DataFrame:
    return reread(pd.read_csv(ROWS))


@pytest.mark.slow
def test_the_table_of_the_docs_is_that_of_the_old_rows(lines: pd.DataFrame) -> None:
    assert markdown(lines) in PAGE.read_text(encoding="utf-8")
    recorded = pd.read_csv(OUT)
    assert list(recorded["new"]) == list(lines["new"])
    assert np.allclose(recorded["high_percent"], lines["high_percent"], rtol=1e-3)


@pytest.mark.slow
def test_on_lfm2k_no_removal_costs_two_percent(lines: pd.DataFrame) -> None:
    primary = lines.set_index(["dataset", "family"]).loc[("lfm2k", "primary")]
    assert set(primary["new"]) == {"non-inferior"}
    assert (primary["low_percent"] >= -2.001).all()
