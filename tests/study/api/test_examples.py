"""The examples in the documentation of ``import study`` run, in the order of a study's life, and give what they say."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import study

IN_ORDER = ("plan", "search", "finalize", "ablate", "path", "load_study", "compare", "tables", "draw", "report")
IN_ORDER += ("make_bundle", "check_bundle", "add_results")
HEAVY = ("torch", "optuna", "pandas", "numpy", "scipy", "matplotlib", "ray", "numba", "yaml")


@pytest.mark.slow
def test_every_example_gives_what_it_says(tmp_path: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(verbose=False)
    for name in IN_ORDER:
        tests = doctest.DocTestFinder().find(getattr(study, name), name, module=False, globs={})
        assert sum(len(test.examples) for test in tests) > 1, f"{name} has no example"
        for test in tests:
            runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


def test_every_public_name_is_there_and_documented() -> None:
    for name in study.__all__:
        assert inspect.getdoc(getattr(study, name)), name
    functions = {name for name in study.__all__ if inspect.isfunction(getattr(study, name))}
    assert functions == set(IN_ORDER)


def test_a_name_that_is_not_offered_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="module 'study' has no attribute 'serach'"):
        study.serach  # noqa: B018


def test_no_room_hides_a_public_name() -> None:
    rooms = {path.parent.name for path in Path(study.__file__).parent.glob("*/__init__.py")}
    assert rooms & set(study.__all__) == set()


def test_importing_study_and_making_a_request_loads_nothing_heavy() -> None:
    code = f"import sys, study; study.SearchRequest(); print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
