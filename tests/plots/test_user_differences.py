import numpy as np
import pytest

from plots import user_differences
from plots.lib.figure import canvas
from plots.lib.style import paper_style
from plots.user_differences import compute
from study.analysis.results import Results
from study.records.folder import StudyFolder
from study.records.study import load_study
from tests.plots.drawn_text import clipped, drawn_text, overlaps
from tests.plots.tiny_study import user_metrics, write_run


def test_every_user_is_worse_equal_or_better(study):
    for _, part in compute(Results([study])).data.groupby("arm"):
        first = part.iloc[0]
        assert first["worse"] + first["equal"] + first["better"] == pytest.approx(1)
        assert part["share"].sum() == pytest.approx(first["worse"] + first["better"])
        assert part.loc[part["high"] <= 0, "share"].sum() == pytest.approx(first["worse"])


def test_a_users_difference_is_the_mean_over_seeds(study):
    seeds = (1001, 1002, 1003)
    pairs = [[user_metrics(seed, 60, change).values["recall@20"] for seed in seeds] for change in (-0.012, 0.0)]
    expected = np.mean(pairs[0], axis=0) - np.mean(pairs[1], axis=0)
    first = compute(Results([study])).data.query("arm == 'no-solosim'").iloc[0]
    assert first["mean"] == pytest.approx(expected.mean(), rel=1e-9)
    assert first["worse"] == np.mean(expected < 0)


def test_an_arm_that_changes_nobody_is_drawn_empty(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    for arm in ("full", "zero-club"):
        write_run(folder.ablation("frozen", arm, 1), seed=1, test=True, arm=arm, mode="frozen")
    differences = compute(Results([load_study(folder.root)]))
    assert (differences.data["equal"] == 1).all()
    assert (differences.data["share"] == 0).all()
    canvas(user_differences, differences)  # without a warning, which the test run turns into an error


def test_four_arms_with_long_names_fit_side_by_side(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    for n, arm in enumerate(("full", "no-user-item-graph", "split-representation", "symmetric-infonce", "released")):
        write_run(folder.ablation("frozen", arm, 1), seed=1, test=True, change=-0.01 * n, arm=arm, mode="frozen")
    with paper_style():
        figure = canvas(user_differences, compute(Results([load_study(folder.root)])))
        texts = drawn_text(figure)
    assert overlaps(texts) == []
    assert clipped(figure, texts) == []
    assert len([text for text, _ in texts if text.endswith("worse")]) == 4
