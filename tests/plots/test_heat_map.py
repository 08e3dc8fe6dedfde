import pytest

from plots import heat_map
from plots.heat_map import compute
from plots.lib.figure import MissingRecordsError, canvas
from plots.lib.style import paper_style
from study.analysis.plausible_best import contenders
from study.analysis.results import Results
from study.records.study import load_study
from tests.plots.drawn_text import drawn_text
from tests.plots.tiny_study import write_grid


def test_cells_are_the_trials_of_the_grid(tmp_path):
    data = compute(Results([load_study(write_grid(tmp_path))])).data
    assert data.columns.tolist() == ["alignment_weight", "distance_weight", "value", "contender"]
    assert len(data) == 15
    best = data.loc[data["value"].idxmax()]
    assert (best["alignment_weight"], best["distance_weight"], best["value"]) == (0.1, 0.01, 0.12)


def test_dotted_cells_are_those_that_might_be_the_best(tmp_path):
    study = load_study(write_grid(tmp_path))
    candidates = contenders(study)
    assert candidates is not None
    assert 1 < len(candidates.trials) < 15
    data = compute(Results([study])).data
    dotted = data.loc[data["contender"], ["alignment_weight", "distance_weight"]]
    assert set(dotted.itertuples(index=False, name=None)) == {tuple(t.params.values()) for t in candidates.trials}


def test_a_hole_is_a_cell_without_a_value(tmp_path):
    root = write_grid(tmp_path)
    (root / "trials" / "7" / "record.json").unlink()
    info = compute(Results([load_study(root)]))
    hole = info.data[info.data["value"].isna()]
    assert hole[["alignment_weight", "distance_weight"]].to_numpy().tolist() == [[0.1, 0.01]]
    assert not hole["contender"].any()
    with paper_style():
        texts = [text for text, _ in drawn_text(canvas(heat_map, info))]
    assert texts.count("–") == 1


def test_a_grid_that_is_mostly_holes_is_refused(tmp_path):
    root = write_grid(tmp_path)
    for number in (1, 2, 4, 5, 7, 8, 10, 11):
        (root / "trials" / str(number) / "record.json").unlink()
    with pytest.raises(MissingRecordsError, match="7 of the 15 cells"):
        compute(Results([load_study(root)]))


def test_a_search_over_more_parameters_is_no_grid(study):
    with pytest.raises(MissingRecordsError, match="here 9 vary"):
        compute(Results([study]))
