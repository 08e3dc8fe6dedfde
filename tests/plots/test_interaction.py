import numpy as np
import pytest

from plots.interaction import compute
from plots.lib.figure import MissingRecordsError
from study.analysis.results import Results
from study.records.folder import StudyFolder
from study.records.study import load_study
from tests.plots.tiny_study import user_metrics, write_run


def test_cells_and_effects_follow_the_factorial(study):
    data = compute(Results([study])).data.query("metric == 'recall@20'")
    cells = data.query("kind == 'cell'").set_index(["club", "solosim"])["value"]
    mean = lambda change: np.mean([user_metrics(s, 60, change).means()["recall@20"] for s in (1001, 1002, 1003)])  # noqa: E731
    full, no_club, no_solosim, no_both = mean(0.0), mean(-0.004), mean(-0.012), mean(-0.014)
    assert cells[True, True] == pytest.approx(full, rel=1e-14)
    assert cells[False, True] == pytest.approx(no_club, rel=1e-14)
    assert cells[True, False] == pytest.approx(no_solosim, rel=1e-14)
    assert cells[False, False] == pytest.approx(no_both, rel=1e-14)
    effects = data.query("kind == 'effect'").set_index("name")["value"]
    assert effects["CLUB"] == pytest.approx((full - no_club + no_solosim - no_both) / 2, rel=1e-9)
    assert effects["Solosim"] == pytest.approx((full - no_solosim + no_club - no_both) / 2, rel=1e-9)
    assert effects["CLUB × Solosim"] == pytest.approx(full - no_club - no_solosim + no_both, rel=1e-9)


def test_a_missing_cell_is_named(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    for arm in ("full", "no-club"):
        write_run(folder.ablation("frozen", arm, 1), seed=1, test=True, arm=arm, mode="frozen")
    with pytest.raises(MissingRecordsError, match="no-solosim, no-both are not all there on a common seed"):
        compute(Results([load_study(folder.root)]))
