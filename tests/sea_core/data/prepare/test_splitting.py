"""Splits: nothing leaks, nothing is in two parts, sizes are what was asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sea_core.data.prepare.splitting import PROTOCOLS, Split, parse_ratios, split_rows
from sea_core.data.splits import TEST, TRAIN, VALID, split_per_user
from sea_core.errors import UserError

RATIOS = st.tuples(*(st.integers(1, 8) for _ in range(3)))
COUNTS = st.lists(st.integers(3, 25), min_size=5, max_size=12)


def users_of(counts: list[int]) -> np.ndarray:
    return np.repeat(np.arange(len(counts)), counts)


def times_of(rows: int, seed: int, moments: int = 10**6) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, moments, rows)


def per_user(user: np.ndarray, label: np.ndarray, number: int) -> np.ndarray:
    return np.bincount(user, weights=label == number, minlength=int(user.max()) + 1).astype(int)


@settings(deadline=None, max_examples=60)
@given(counts=COUNTS, ratios=RATIOS, seed=st.integers(0, 99), protocol=st.sampled_from(sorted(PROTOCOLS)))
def test_every_row_has_one_label_and_no_split_is_empty(
    counts: list[int], ratios: tuple[int, int, int], seed: int, protocol: str
) -> None:
    user = users_of(counts)
    time = np.random.default_rng(seed).permutation(len(user))
    label = split_rows(Split(protocol, ratios, seed, folds=3), user, time)
    assert label.shape == user.shape
    assert set(np.unique(label)) == {TRAIN, VALID, TEST}


@settings(deadline=None, max_examples=60)
@given(counts=COUNTS, ratios=RATIOS, seed=st.integers(0, 99), protocol=st.sampled_from(["random", "user-time"]))
def test_each_user_gets_the_share_asked_for_and_keeps_a_row_in_each_part(
    counts: list[int], ratios: tuple[int, int, int], seed: int, protocol: str
) -> None:
    user, total = users_of(counts), sum(ratios)
    label = split_rows(Split(protocol, ratios, seed), user, times_of(len(user), seed))
    for number in (TRAIN, VALID, TEST):
        assert per_user(user, label, number).min() >= 1
    size = np.array(counts)
    for number, part in ((VALID, ratios[1]), (TEST, ratios[2])):
        wanted = np.maximum(size * part // total, 1)
        assert (per_user(user, label, number) <= wanted).all()
        fits = np.maximum(size * ratios[1] // total, 1) + np.maximum(size * ratios[2] // total, 1) < size
        np.testing.assert_array_equal(per_user(user, label, number)[fits], wanted[fits])


@settings(deadline=None, max_examples=60)
@given(counts=COUNTS, ratios=RATIOS, seed=st.integers(0, 99), moments=st.integers(1, 30))
def test_under_user_time_no_user_is_tested_on_what_came_before(
    counts: list[int], ratios: tuple[int, int, int], seed: int, moments: int
) -> None:
    user = users_of(counts)
    time = times_of(len(user), seed, moments)
    label = split_rows(Split("user-time", ratios), user, time)
    for one in range(len(counts)):
        train, valid, test = (time[(user == one) & (label == number)] for number in (TRAIN, VALID, TEST))
        assert train.max() <= valid.min()
        assert valid.max() <= test.min()


@settings(deadline=None, max_examples=60)
@given(counts=COUNTS, ratios=RATIOS, seed=st.integers(0, 99), moments=st.integers(3, 60))
def test_under_global_time_training_ends_before_validation_and_that_before_the_test(
    counts: list[int], ratios: tuple[int, int, int], seed: int, moments: int
) -> None:
    user = users_of(counts)
    time = times_of(len(user), seed, moments)
    time[:3] = [0, 1, 2]
    label = split_rows(Split("global-time", ratios), user, time)
    assert time[label == TRAIN].max() < time[label == VALID].min()
    assert time[label == VALID].max() < time[label == TEST].min()


def test_global_time_meets_the_ratios_where_times_differ() -> None:
    label = split_rows(Split("global-time"), np.zeros(1000, dtype=int), np.random.default_rng(0).permutation(1000))
    np.testing.assert_array_equal(np.bincount(label), [800, 100, 100])


@settings(deadline=None, max_examples=30)
@given(counts=COUNTS, seed=st.integers(0, 99), timed=st.booleans())
def test_leave_one_out_holds_out_one_row_each_the_last_where_there_are_times(
    counts: list[int], seed: int, timed: bool
) -> None:
    user = users_of(counts)
    time = np.random.default_rng(seed).permutation(len(user))
    label = split_rows(Split("leave-one-out", seed=seed), user, time if timed else None)
    assert (per_user(user, label, TEST) == 1).all()
    assert (per_user(user, label, VALID) == 1).all()
    if timed:
        for one in range(len(counts)):
            order = np.argsort(time[user == one])
            assert label[user == one][order][-2:].tolist() == [VALID, TEST]


@settings(deadline=None, max_examples=30)
@given(users=st.integers(9, 40), folds=st.integers(3, 6), seed=st.integers(0, 99))
def test_every_user_is_tested_in_exactly_one_fold_and_always_trained_on(users: int, folds: int, seed: int) -> None:
    user = users_of([6] * users)
    tested = np.zeros(users, dtype=int)
    for fold in range(folds):
        label = split_rows(Split("k-fold", seed=seed, folds=folds, fold=fold), user, None)
        tested += per_user(user, label, TEST) > 0
        assert per_user(user, label, TRAIN).min() >= 1
        assert not ((per_user(user, label, TEST) > 0) & (per_user(user, label, VALID) > 0)).any()
    np.testing.assert_array_equal(tested, 1)


def test_random_holds_out_as_many_as_the_planted_data_do() -> None:
    user = users_of([*range(3, 40)])
    label = split_rows(Split("random"), user, None)
    theirs = split_per_user(user, np.random.default_rng(0))
    for number in (TRAIN, VALID, TEST):
        np.testing.assert_array_equal(per_user(user, label, number), per_user(user, theirs, number))


@pytest.mark.parametrize("protocol", ["random", "k-fold", "leave-one-out"])
def test_another_seed_draws_another_split_and_the_same_one_the_same(protocol: str) -> None:
    user = users_of([8] * 20)
    first, same, other = (split_rows(Split(protocol, seed=seed), user, None) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_users_with_fewer_than_three_rows_are_only_trained_on() -> None:
    label = split_rows(Split("random"), users_of([2, 1, 5]), None)
    assert not label[:3].any()


@pytest.mark.parametrize(
    ("ratios", "message"),
    [
        ("8:1", "three numbers joined by colons"),
        ("8:1:x", "three numbers joined by colons"),
        ("8:0:2", "--ratios 8:0:2 leaves the validation split empty"),
        ("8:2:0", "leaves the test split empty"),
        ("0:1:1", "leaves the training split empty"),
        ("-8:1:1", "must be three shares"),
        ("nan:1:1", "must be three shares"),
    ],
)
def test_impossible_ratios_are_refused(ratios: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Split("random", parse_ratios(ratios))


@pytest.mark.parametrize("protocol", ["user-time", "global-time"])
def test_splits_of_time_need_times(protocol: str) -> None:
    with pytest.raises(UserError, match="needs times, but the raw files have none"):
        split_rows(Split(protocol), users_of([5]), None)
    with pytest.raises(UserError, match="needs a time in every row, but 1 rows have none"):
        split_rows(Split(protocol), users_of([5]), np.array([1, 2, 3, 4, np.nan]))
    with pytest.raises(UserError, match="at least 3 different times, found 1"):
        split_rows(Split("global-time"), users_of([5]), np.ones(5))
