"""Seeds: none serves twice, and many cost no more than few."""

from __future__ import annotations

import time

from study.records.seeds import fresh_seeds, placebo_seeds


def test_no_copy_shares_a_seed_with_another_or_with_the_arms() -> None:
    copies = [placebo_seeds(7, copy, 40) for copy in range(1, 8)]
    every = [seed for copy in copies for seed in copy]
    assert len(set(every)) == 7 * 40
    assert not {7, *fresh_seeds(7, 40)} & set(every)
    assert placebo_seeds(7, 3, 5) == copies[2][:5]


def test_seeds_of_a_copy_are_those_of_earlier_studies() -> None:
    assert placebo_seeds(999, 1, 2) == [418322538, 1267424267]
    assert placebo_seeds(999, 7, 2) == [1279274356, 1692722094]


def test_a_copy_asks_for_each_copy_before_it_once() -> None:
    begun = time.process_time()
    assert len(placebo_seeds(8, 20, 10)) == 10  # half a million times the first one's work otherwise
    assert time.process_time() - begun < 10
