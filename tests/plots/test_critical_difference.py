from pathlib import Path
from typing import Any

import pytest

from plots import critical_difference
from plots.critical_difference import compute
from plots.lib.figure import MissingRecordsError, canvas
from plots.lib.style import paper_style
from study.analysis.results import Results
from study.records.study import Study, load_study
from tests.plots.tiny_study import write_datasets


def load_datasets(root: Path, count: int, **options: Any) -> list[Study]:
    return [load_study(folder) for folder in write_datasets(root, count, **options)]


def test_arms_come_by_mean_rank_with_demsars_critical_difference(tmp_path):
    info = compute(Results(load_datasets(tmp_path, 6)))
    assert info.data["arm"].tolist() == ["full", "no-club", "no-solosim"]
    assert info.data["mean_rank"].tolist() == [1.0, 2.0, 3.0]
    assert info.difference == pytest.approx(2.343 * (3 * 4 / (6 * 6)) ** 0.5, abs=1e-3)  # q.05 of Demšar's table 5
    assert info.groups == [(0, 1), (1, 2)]  # 1 apart is not told apart, 2 is


def test_four_datasets_are_too_few(tmp_path):
    with pytest.raises(MissingRecordsError, match="at least 5 datasets, got 4"):
        compute(Results(load_datasets(tmp_path, 4)))


def test_two_studies_of_one_dataset_do_not_count_twice(tmp_path):
    studies = load_datasets(tmp_path, 5)
    with pytest.raises(MissingRecordsError, match="two studies of dataset data-0"):
        compute(Results([*studies, studies[0]]))


def test_two_arms_have_no_ranks(tmp_path):
    with pytest.raises(MissingRecordsError, match="at least 3"):
        compute(Results(load_datasets(tmp_path, 5, arms=2)))


def test_the_whole_critical_difference_is_in_the_picture(tmp_path):
    info = compute(Results(load_datasets(tmp_path, 5)))
    tied = info._replace(data=info.data.assign(mean_rank=2.0))
    with paper_style():
        axes = canvas(critical_difference, tied).axes[0]
    assert axes.get_xlim()[1] > 2 + info.difference > 3.2
