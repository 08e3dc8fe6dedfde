"""Verdicts are grouped by the question that an arm answers, which its config says, also for an arm of one's own."""

from pathlib import Path
from typing import Any

import pytest

from sea_core.config import Config
from study.analysis.stats.comparison import Comparison, Verdict
from study.records.study import Study, load_study
from study.reporting.page.tiles import MOST, tile_groups
from tests.study.results import write_result

FULL = Config()
ARMS: dict[str, dict[str, Any]] = {
    "mine": {"distancing": "none"},
    "no-solosim": {"alignment": "none"},
    "neither": {"distancing": "none", "alignment": "none"},
    "negative-l2": {"distancing": "negative_l2"},
    "zero-club": {"distance_weight": 0.0},
    "zero-image": {"feature_transform": {"image": "zero"}},
    "no-item-graph": {"item_graph_layers": 0},
    "bpr": {"model": "bpr"},
}


def line(arm: str, verdict: Verdict = "undecided", mode: str = "frozen") -> Comparison:
    unknown = Comparison(**dict.fromkeys(Comparison._fields))
    return unknown._replace(
        arm=arm,
        verdict=verdict,
        mode=mode,
        difference=0.01,
        sim_low=0.0,
        sim_high=0.02,
        margin=0.004,
        reference_mean=0.2,
    )


@pytest.fixture
def study(tmp_path: Path) -> Study:
    for arm, changes in {"full": {}, **ARMS}.items():
        folder = tmp_path / "s" / "ablations" / "frozen" / arm / "seed-1"
        write_result(folder, 0.1, seed=1, arm=arm, mode="frozen", config=FULL.override(**changes))
    return load_study(tmp_path / "s")


def test_an_arm_stands_below_its_question_whatever_its_name_and_row(study: Study) -> None:
    lines = [line(arm) for arm in reversed(ARMS)]
    groups = {group.title: [tile.label for tile in group.tiles] for group in tile_groups(study, lines, {})}
    assert groups == {
        "CLUB": ["zero-club", "mine"],
        "Solosim": ["no-solosim"],
        "CLUB and Solosim together": ["neither"],
        "Rivals": ["bpr", "negative-l2"],
        "Modalities": ["The modality image"],
        "Other arms": ["no-item-graph"],
    }
    assert list(groups) == ["CLUB", "Solosim", "CLUB and Solosim together", "Rivals", "Modalities", "Other arms"]


def test_of_many_arms_the_undecided_are_counted(study: Study) -> None:
    lines = [line(f"arm-{n}", "better" if n == 2 else "undecided") for n in range(MOST + 1)]
    (group,) = tile_groups(study, lines, {"arm-2": "title"})
    assert [(tile.label, tile.value) for tile in group.tiles] == [
        ("title", "better"),
        (f"{MOST} other arms", "not decided"),
    ]


@pytest.mark.parametrize(
    ("arm", "verdict", "value", "tone"),
    [
        ("no-club", "worse", "CLUB helps", "good"),
        ("no-solosim", "better", "Solosim harms", "bad"),
        ("no-both", "worse", "both help", "good"),
        ("no-both", "equivalent", "no difference within 2 %", "even"),
        ("no-club", "non-inferior", "costs less than 2 %", "even"),
        ("no-club", "undecided", "not decided", "open"),
        ("no-club", "user-limited", "too few users", "open"),
        ("negative-l2", "descriptive", "no verdict", "open"),
        ("negative-l2", "worse", "worse", "bad"),
    ],
)
def test_a_removed_part_is_judged_by_what_is_missed(
    study: Study, arm: str, verdict: str, value: str, tone: str
) -> None:
    ((tile,),) = [group.tiles for group in tile_groups(study, [line(arm, verdict)], {})]
    assert (tile.value, tile.tone) == (value, tone)
