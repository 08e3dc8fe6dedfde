"""The ablation table marks rows that do not stand on the same seeds."""

from pathlib import Path

from study.analysis.results import Results
from study.records.study import load_study
from study.reporting.tables import ablation
from tests.study.results import write_arms


def notes(root: Path) -> list[str]:
    table = ablation.compute_frozen(Results([load_study(root)]))
    assert table is not None
    return [note for note in table.notes if " ran on " in note]


def test_arms_on_other_seeds_than_full_are_named(tmp_path: Path) -> None:
    root = write_arms(tmp_path / "s", {"full": 0.0, "no-club": -0.1, "no-solosim": 0.1}, seeds=3)
    assert notes(root) == []
    (root / "ablations/frozen/no-club/seed-3").rename(tmp_path / "elsewhere")
    assert notes(root) == ["no-club ran on 2 seeds, full on 3; compared are the 2 that both have"]
