"""The decisions of pause-and-promote, from curves alone."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sea_core.errors import UserError
from study.searching.promotion import Promotion, Standing, TakeUp

RULES = Promotion(rungs=(2, 4), factor=2, points=1)


def paused(number: int, *curve: float) -> Standing:
    return Standing(number, curve)


def ended(number: int, *curve: float) -> Standing:
    return Standing(number, curve, ended=True)


def going(number: int, *curve: float) -> Standing:
    return Standing(number, curve, going=True)


def test_a_search_begins_with_new_trials_until_one_in_factor_may_go_on() -> None:
    assert RULES.decide([]) == "begin"
    assert RULES.decide([paused(1, 0.1, 0.2)]) == "begin"
    assert RULES.decide([paused(1, 0.1, 0.2), paused(2, 0.3, 0.3)]) == TakeUp(2)
    assert RULES.decide([paused(1, 0.1, 0.2), paused(2, 0.3, 0.3, 0.3, 0.3)]) == "begin"


def test_a_trial_that_was_passed_over_is_taken_up_when_later_ones_are_worse() -> None:
    first = [paused(1, 0.1, 0.2), paused(2, 0.3, 0.3, 0.3, 0.3)]
    assert RULES.decide([*first, paused(3, 0.1, 0.1)]) == "begin"
    assert RULES.decide([*first, paused(3, 0.1, 0.1), paused(4, 0.0, 0.0)]) == TakeUp(1)


def test_the_highest_rung_that_has_one_comes_first() -> None:
    high = [paused(1, 0.1, 0.2, 0.3, 0.4), paused(2, 0.1, 0.2, 0.3, 0.3)]
    low = [paused(3, 0.5, 0.5), paused(4, 0.1, 0.1)]
    assert RULES.decide([*high, *low]) == TakeUp(1)
    assert RULES.decide([ended(1, 0.1, 0.2, 0.3, 0.4, 0.4), high[1], *low]) == TakeUp(3)


def test_the_first_trial_is_never_paused_and_others_at_each_rung() -> None:
    assert RULES.pause_after(0, 0) is None
    assert [RULES.pause_after(1, epochs) for epochs in (0, 1, 2, 3, 4, 9)] == [2, 2, 4, 4, None, None]


def test_what_was_cut_between_two_rungs_goes_on_before_all_others() -> None:
    assert RULES.decide([paused(1, 0.9, 0.9), paused(2, 0.0, 0.0, 0.0), paused(3, 0.0, 0.0)]) == TakeUp(2)
    assert RULES.decide([paused(1)], may_begin=False) == TakeUp(1), "a trial without an epoch"


def test_no_new_trial_begins_where_none_may_and_deserved_promotions_are_still_made() -> None:
    assert RULES.decide([paused(1, 0.1, 0.2)], may_begin=False) == "end"
    assert RULES.decide([paused(1, 0.1, 0.2), paused(2, 0.3, 0.3)], may_begin=False) == TakeUp(2)


def test_a_run_that_ended_early_keeps_its_place_at_later_rungs() -> None:
    """It cannot be overtaken unseen by those that trained longer, and needs nobody's slot."""
    short = ended(1, 0.5, 0.5, 0.5)
    assert RULES.decide([short, paused(2, 0.1, 0.1, 0.1, 0.1)]) == "begin"
    assert RULES.decide([short, paused(2, 0.1, 0.1, 0.1, 0.9)]) == TakeUp(2)


def test_trials_that_are_trained_elsewhere_count_and_are_not_taken_up() -> None:
    assert RULES.decide([going(1, 0.9, 0.9), paused(2, 0.1, 0.1)]) == "begin"
    assert RULES.decide([going(1, 0.9), paused(2, 0.1, 0.1), paused(3, 0.2, 0.2)]) == TakeUp(3)


def test_trials_are_ranked_by_the_mean_of_their_last_points() -> None:
    lucky, steady = paused(1, 0.1, 0.1, 0.5), paused(2, 0.3, 0.3, 0.3)
    rules = {points: Promotion(rungs=(3,), factor=2, points=points) for points in (1, 3)}
    assert rules[1].decide([lucky, steady]) == TakeUp(1)
    assert rules[3].decide([lucky, steady]) == TakeUp(2)


def test_checkpoints_are_kept_for_those_who_are_next_in_line() -> None:
    trials = [
        going(0, 0.9, 0.9, 0.9, 0.9, 0.9),
        paused(1, 0.1, 0.1),
        paused(2, 0.2, 0.2),
        paused(3, 0.2, 0.2, 0.9, 0.8),
        ended(4, 0.5, 0.5, 0.5, 0.5),
    ]
    assert RULES.next_in_line(trials) == [2, 3, 1], "third of five, second of three, last of five"


@given(st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=6), max_size=12))
def test_whom_it_takes_up_is_paused_and_no_trial_is_taken_up_for_ever(curves: Sequence[Sequence[float]]) -> None:
    """Followed without new trials, the decisions end, and each trial was sent on once a rung at most."""
    trials = {number: Standing(number, curve[:2]) for number, curve in enumerate(curves)}
    steps = 0
    while (decision := RULES.decide(list(trials.values()), may_begin=False)) != "end":
        assert isinstance(decision, TakeUp)
        before = trials[decision.number]
        assert not before.ended
        until = RULES.pause_after(decision.number, len(before.curve))
        curve = curves[decision.number][: until or len(curves[decision.number])]
        trials[decision.number] = Standing(decision.number, curve, ended=len(curve) == len(curves[decision.number]))
        steps += 1
        assert steps <= 3 * len(curves)


@pytest.mark.parametrize("rungs", [(10, 10), (30, 10), (0, 5)])
def test_rungs_that_do_not_rise_are_refused(rungs: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="rising numbers of epochs"):
        Promotion(rungs=rungs)


def test_rules_are_read_back_as_they_were_written() -> None:
    assert Promotion.from_mapping(RULES.as_dict()) == RULES
