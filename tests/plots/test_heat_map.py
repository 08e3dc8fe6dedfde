import pytest

from plots.figure import MissingRecordsError
from plots.heat_map import compute
from study.records import load_study
from tests.plots.tiny_study import write_grid


def test_cells_are_the_trials_of_the_grid(tmp_path):
    data = compute(load_study(write_grid(tmp_path))).data
    assert data.columns.tolist() == ["alignment_weight", "distance_weight", "value"]
    assert len(data) == 15
    best = data.loc[data["value"].idxmax()]
    assert (best["alignment_weight"], best["distance_weight"], best["value"]) == (0.1, 0.01, 0.12)


def test_a_grid_with_a_hole_is_refused(tmp_path):
    root = write_grid(tmp_path)
    (root / "trials" / "7" / "record.json").unlink()
    with pytest.raises(MissingRecordsError, match="14 of the 15 cells"):
        compute(load_study(root))


def test_a_search_over_more_parameters_is_no_grid(study):
    with pytest.raises(MissingRecordsError, match="here 9 vary"):
        compute(study)
