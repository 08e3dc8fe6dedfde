"""Every program reads a study once and compares it once, whatever it then draws, tabulates and writes from it."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import study.analysis.results
import study.records.study
from ablations.run_ablations import _conclude, _write_results
from plots.lib import pictures
from plots.lib.figures import FIGURES, JOINT_FIGURES
from plots.make_figures import main as make_figures
from study.make_report import main as make_report
from study.make_tables import main as make_tables
from study.records.study import Study
from study.run_search import main as run_search
from study.running.events import silent
from tests.study.results import write_arms, write_search

pytestmark = pytest.mark.usefixtures("cache_folder")
ARMS = {"full": 0.0, "no-club": -0.02, "no-solosim": 0.0, "no-both": -0.02}
DATA = "synthetic:users=40,items=30,interactions=8,dims=8/6"
SMALL = ["latent_dim=4", "item_mlp_hidden=6", "align_hidden=4", "align_out=4", "distance_dim=4", "club_steps=2"]


@pytest.fixture
def counts() -> Iterator[Counter[tuple[str, str]]]:
    """``(what, study)`` -> how often a whole study was read (``load``) or its comparisons computed (``compare``).

    Reading is counted where every way of reading a study ends, so that no import can go around it.
    """
    counted: Counter[tuple[str, str]] = Counter()
    read, compare = study.records.study._read, study.analysis.results.compare_study

    def counted_read(parent: Path, pattern: str) -> Any:
        if parent.name == "trials" and pattern == "*":
            counted["load", parent.parent.name] += 1
        return read(parent, pattern)

    def counted_compare(of: Study, metrics: Any) -> Any:
        counted["compare", of.name] += 1
        return compare(of, metrics)

    with (
        mock.patch.object(study.records.study, "_read", counted_read),
        mock.patch.object(study.analysis.results, "compare_study", counted_compare),
    ):
        yield counted


@pytest.fixture(autouse=True)
def figures_that_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others cost time, and read what these studies lack."""
    monkeypatch.setattr(pictures, "FIGURES", {name: FIGURES[name] for name in ("ablation", "interaction")})
    monkeypatch.setattr(pictures, "JOINT_FIGURES", {"forest": JOINT_FIGURES["forest"]})


def two_studies(tmp_path: Path) -> list[Path]:
    return [write_arms(write_search(tmp_path, name=name, dataset=name), ARMS, dataset=name) for name in ("one", "two")]


def once(*names: str) -> Counter[tuple[str, str]]:
    return Counter((what, name) for what in ("load", "compare") for name in names)


@pytest.mark.slow
@pytest.mark.parametrize("main", [make_tables, make_report])
def test_programs_read_and_compare_a_study_once(
    main: Callable[[list[str]], int], tmp_path: Path, counts: Counter[tuple[str, str]]
) -> None:
    root, _ = two_studies(tmp_path)
    assert main([str(root)]) == 0
    assert counts == once("one")


@pytest.mark.slow
@pytest.mark.parametrize("main", [make_tables, make_report])
def test_programs_over_several_studies_read_and_compare_each_once(
    main: Callable[[list[str]], int], tmp_path: Path, counts: Counter[tuple[str, str]]
) -> None:
    assert main([*map(str, two_studies(tmp_path)), "--out", str(tmp_path / "joint")]) == 0
    assert counts == once("one", "two")


@pytest.mark.slow
def test_figures_read_and_compare_a_study_once(tmp_path: Path, counts: Counter[tuple[str, str]]) -> None:
    one, two = two_studies(tmp_path)
    assert make_figures([str(one), "--only", "ablation", "interaction"]) == 0
    assert counts == once("one")
    counts.clear()
    assert make_figures([str(one), str(two), "--only", "forest", "--out", str(tmp_path)]) == 0
    assert counts == once("one", "two")


@pytest.mark.slow
def test_an_ablation_reads_and_compares_each_study_once(tmp_path: Path, counts: Counter[tuple[str, str]]) -> None:
    computed: list[Any] = []
    for root in two_studies(tmp_path):
        _write_results(root, computed, silent)
    _conclude(computed, tmp_path / "joint")
    assert counts == once("one", "two")
    for again in range(2):
        counts.clear()
        computed.clear()
        for name in ("one", "two"):
            _write_results(tmp_path / name, computed, silent)
        _conclude(computed, tmp_path / "joint")
        assert counts == Counter({("load", "one"): 1, ("load", "two"): 1}), again


@pytest.mark.slow
def test_a_search_reads_and_compares_its_finished_study_once(
    tmp_path: Path, counts: Counter[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [
        "--out",
        str(tmp_path / "results"),
        "--n-trials",
        "2",
        "--finalists",
        "1",
        "--fresh-seeds",
        "2",
        "--no-ablations",
        "--quiet",
    ]
    assert run_search(["-d", DATA, "--study-name", "one", *few, "--set", "epochs=2", *SMALL]) == 0
    assert counts == once("one")
    counts.clear()
    assert run_search(["-d", DATA, "--study-name", "one", *few, "--set", "epochs=2", *SMALL]) == 0
    assert counts == Counter({("load", "one"): 1})
