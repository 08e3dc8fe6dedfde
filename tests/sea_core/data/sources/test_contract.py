"""What every registered source must keep to; a new source is under these tests by being registered."""

import json
from pathlib import Path

import numpy as np
import pytest

from sea_core.data.catalogue import load_dataset
from sea_core.data.sources.registry import sources
from sea_core.data.sources.source import Source
from sea_core.errors import UserError
from sea_core.holdout import _load_test_rows

# How to write a small dataset of a source; those that are not here are written by their name alone.
OPTIONS = {"synthetic": "users=20,items=20,interactions=6", "mmrec": "{folder}"}
NEEDS_NETWORK = {name for name, source in sources().items() if type(source).fetch is not Source.fetch}


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.slow if name in NEEDS_NETWORK else ()) for name in sources()]
)
def source(request: pytest.FixtureRequest) -> Source:
    source = sources()[request.param]
    if source.name in NEEDS_NETWORK and not source.is_fetched():
        pytest.skip(f"{source.name} is not in the cache")
    return source


@pytest.fixture
def options(source: Source, folder: Path) -> str:
    return OPTIONS.get(source.name, "").format(folder=folder)


def test_canonical_options_are_canonical(source: Source, options: str) -> None:
    canonical = source.canonical(options)
    assert source.canonical(canonical) == canonical


def test_opening_twice_gives_the_same_rows_and_features(source: Source, options: str) -> None:
    first, second = (source.open(source.canonical(options)) for _ in range(2))
    for split in ("train", "valid", "test"):
        for column in ("user", "item"):
            mine, theirs = (getattr(getattr(each.splits, split), column) for each in (first, second))
            np.testing.assert_array_equal(mine, theirs)
    again = second.read_features(None)
    for name, array in first.read_features(None).items():
        assert array.dtype == np.float32
        assert array.shape[0] == first.splits.items
        np.testing.assert_array_equal(array, again[name])


def test_what_a_dataset_calls_its_source_loads_it_again(source: Source, options: str) -> None:
    dataset = load_dataset(f"{source.name}:{options}" if options else source.name)
    again = load_dataset(dataset.source)
    assert (again.name, again.source, again.data_hash) == (dataset.name, dataset.source, dataset.data_hash)
    assert len(_load_test_rows(dataset)) > 0


def test_the_inputs_of_the_cache_are_json_and_do_not_change_by_themselves(source: Source) -> None:
    inputs = source.cache_inputs()
    assert json.loads(json.dumps(inputs)) == dict(inputs) == dict(source.cache_inputs())


def test_options_that_a_source_does_not_know_are_refused_by_name(source: Source) -> None:
    with pytest.raises(UserError) as caught:
        source.canonical("no-such-option")
    assert "no-such-option" in str(caught.value)


def test_fetching_tells_where_or_there_is_nothing_to_fetch(source: Source) -> None:
    place = source.fetch()
    assert source.is_fetched()
    assert (place is None) == (source.name not in NEEDS_NETWORK)
    assert place is None or place.exists()


def test_a_summary_is_one_line(source: Source) -> None:
    assert source.summary
    assert source.summary.isprintable()
