import numpy as np
import pytest
import torch

from plots.angles import compute
from plots.lib.figure import MissingRecordsError
from study.analysis.results import Results
from study.records.study import load_study
from tests.study.results import write_search


def test_densities_are_those_of_the_parts_and_of_theory(study):
    data = compute(Results([study])).data
    assert list(data["series"].unique()) == ["image", "text", "random directions"]
    for _, part in data.groupby("series"):
        assert np.trapezoid(part["density"], part["cosine"]) == pytest.approx(1, abs=0.05)
    parts = [run.parts for run in study.winner]
    cosines = torch.cat([torch.cosine_similarity(p["generic_head/image"], p["unique_head/image"]) for p in parts])
    image = data[data["series"] == "image"]
    mean = np.average(image["cosine"], weights=image["density"])
    assert mean == pytest.approx(cosines.mean().item(), abs=0.01)  # bins are 0.05 wide
    random = data[data["series"] == "random directions"]
    variance = np.average(random["cosine"] ** 2, weights=random["density"])
    assert variance == pytest.approx(1 / 8, abs=0.002)  # in 8 dimensions


def test_studies_from_before_parts_were_kept_have_none(tmp_path):
    with pytest.raises(MissingRecordsError, match="kept its parts"):
        compute(Results([load_study(write_search(tmp_path))]))
