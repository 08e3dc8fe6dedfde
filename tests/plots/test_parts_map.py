import numpy as np
import pytest

from plots.lib.figure import MissingRecordsError
from plots.parts_map import compute
from study.analysis.results import Results
from study.records.study import load_study
from tests.study.results import write_search


def test_groups_that_lie_apart_are_laid_out_apart_and_items_are_named(info_of):
    data = info_of("parts_map").data
    assert data.groupby(["modality", "part"]).size().to_dict() == dict.fromkeys(
        [("image", "generic"), ("image", "unique"), ("text", "generic"), ("text", "unique")], 40
    )
    assert sorted(data.query("modality == 'text' and part == 'unique'")["item"]) == list(range(40))
    places = data[["x", "y"]].to_numpy()
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    nearest = data.iloc[distance.argmin(axis=1)]
    groups = data["modality"].where(data["modality"] == "image", data["part"])  # image's two parts lie together
    assert (groups.to_numpy() == groups.loc[nearest.index].to_numpy()).mean() > 0.98


def test_studies_from_before_parts_were_kept_have_none(tmp_path):
    with pytest.raises(MissingRecordsError, match="kept its parts"):
        compute(Results([load_study(write_search(tmp_path))]))
