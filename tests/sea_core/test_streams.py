import torch
from hypothesis import given
from hypothesis import strategies as st

from sea_core.streams import fresh_seeds, stream, stream_seed


def test_streams_of_one_seed_differ_by_name_and_repeat_by_name() -> None:
    draws = {name: torch.rand(4, generator=stream(999, name)).tolist() for name in ("batches/0", "batches/1", "club/0")}
    assert len({tuple(values) for values in draws.values()}) == 3
    assert torch.rand(4, generator=stream(999, "batches/0")).tolist() == draws["batches/0"]


def test_stream_seeds_do_not_change_between_versions() -> None:
    """Old records replay only while this holds."""
    assert stream_seed(999, "batches/0") == 3766753285357627798


@given(st.integers(0, 2**31 - 1), st.integers(1, 20))
def test_fresh_seeds_are_distinct_and_never_the_study_seed(seed: int, count: int) -> None:
    seeds = fresh_seeds(seed, count)
    assert len({seed, *seeds}) == count + 1
    assert seeds == fresh_seeds(seed, count + 5)[:count]
