"""The surrogate against curves whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from benchmarks.curve_plan import configuration
from benchmarks.curve_surrogate import CurveSurrogate, _predict, cross_validate, epochs_run
from sea_core.errors import UserError
from tests.benchmarks.planted_curves import MOST_EPOCHS, SPACE, STOPPING_STEP, planted_curves, true_curve

UNSEEN = [configuration(number, SPACE) for number in range(500, 540)]


@pytest.fixture(scope="module")
def surrogate() -> CurveSurrogate:
    return CurveSurrogate(planted_curves(), SPACE, most_epochs=MOST_EPOCHS)


def test_unseen_configurations_are_ranked_as_the_truth_ranks_them(surrogate: CurveSurrogate):
    for epoch in (5, 20, MOST_EPOCHS - 1):
        truth = [true_curve(each)[epoch] for each in UNSEEN]
        predicted = [surrogate.mean_curve(each)[epoch] for each in UNSEEN]
        assert spearmanr(truth, predicted).statistic > 0.9


def test_runs_of_one_configuration_differ_as_much_as_between_the_tables_seeds(surrogate: CurveSurrogate):
    wide = CurveSurrogate(planted_curves(between_seeds=0.05), SPACE, most_epochs=MOST_EPOCHS)
    for each, expected in ((surrogate, 0.01), (wide, 0.05)):
        finals = [each.curve(UNSEEN[0], seed=seed, world=0)[-20:].mean() for seed in range(200)]
        assert np.std(finals) / np.mean(finals) == pytest.approx(expected, rel=0.3)


def test_equal_arguments_give_equal_curves_and_another_world_other_luck(surrogate: CurveSurrogate):
    again = CurveSurrogate(planted_curves(), SPACE, most_epochs=MOST_EPOCHS)
    curve = surrogate.curve(UNSEEN[3], seed=5, world=2)
    assert np.array_equal(again.curve(UNSEEN[3], seed=5, world=2), curve)
    assert not np.array_equal(surrogate.curve(UNSEEN[3], seed=5, world=3), curve)
    assert not np.array_equal(surrogate.curve(UNSEEN[3], seed=6, world=2), curve)


@pytest.mark.slow
def test_cross_validation_sees_signal_where_there_is_some_and_none_where_there_is_none():
    table = planted_curves(60)
    quality = cross_validate(table, SPACE, most_epochs=MOST_EPOCHS, stopping_step=STOPPING_STEP, folds=5)
    assert quality.best > 0.8
    assert all(each > 0.85 for each in quality.at_epoch.values())
    assert quality.between_seeds == pytest.approx(0.01, rel=0.4)

    numbers = table["configuration"].unique()
    other = dict(zip(numbers, np.random.default_rng(1).permutation(numbers), strict=True))
    parameters = table.drop_duplicates("configuration").set_index("configuration")[list(SPACE)]
    wrong = table["configuration"].map(other)
    shuffled = table.assign(**{name: parameters.loc[wrong, name].to_numpy() for name in SPACE})
    lost = cross_validate(shuffled, SPACE, most_epochs=MOST_EPOCHS, stopping_step=STOPPING_STEP, folds=5)
    assert lost.best < 0.4
    assert all(each < 0.4 for each in lost.at_epoch.values())


def test_early_stopping_of_a_curve_is_that_of_a_training_run():
    def slowly(curve: np.ndarray, stopping_step: int) -> int:
        best, best_epoch = -np.inf, -1
        for epoch, value in enumerate(curve):
            if value > best:
                best, best_epoch = value, epoch
            if epoch - best_epoch > stopping_step:
                return epoch + 1
        return len(curve)

    rng = np.random.default_rng(0)
    for step in (0, 1, 5, 30):
        for _ in range(50):
            curve = rng.integers(0, 8, 25).astype(float)
            assert epochs_run(curve, step) == slowly(curve, step)


def test_the_quick_prediction_is_the_forests_own(surrogate: CurveSurrogate):
    for each in UNSEEN[:5]:
        point = surrogate.coordinates(each)
        for forest in (surrogate._level, surrogate._shape):
            assert _predict(forest, point) == pytest.approx(forest.predict(point[None]).ravel(), rel=1e-12)


def test_a_table_that_says_too_little_is_refused():
    table = planted_curves(3)
    with pytest.raises(UserError, match="at least 10 runs, the table has 9"):
        CurveSurrogate(table, SPACE, most_epochs=MOST_EPOCHS)
    alone = pd.concat([planted_curves(20)]).query("seed == 1")
    with pytest.raises(UserError, match="several seeds"):
        CurveSurrogate(alone, SPACE, most_epochs=MOST_EPOCHS)


def test_the_noise_of_seeds_may_be_borrowed_where_a_table_has_none():
    alone, lender = planted_curves(20).query("seed == 1"), planted_curves(between_seeds=0.05)
    surrogate = CurveSurrogate(alone, SPACE, most_epochs=MOST_EPOCHS, seeds=[lender])
    finals = [surrogate.curve(UNSEEN[0], seed=seed, world=0)[-20:].mean() for seed in range(200)]
    assert np.std(finals) / np.mean(finals) == pytest.approx(0.05, rel=0.3)


def test_runs_that_diverged_are_left_out():
    table = planted_curves(20)
    diverged = table[table["configuration"] == 4].head(3).assign(end="diverged", configuration=999)
    with_them = CurveSurrogate(pd.concat([table, diverged]), SPACE, most_epochs=MOST_EPOCHS)
    without = CurveSurrogate(table, SPACE, most_epochs=MOST_EPOCHS)
    assert np.array_equal(with_them.mean_curve(UNSEEN[0]), without.mean_curve(UNSEEN[0]))
