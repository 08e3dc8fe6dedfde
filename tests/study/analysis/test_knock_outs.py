"""Whether a modality matters follows from the verdicts of all arms that take it away, whatever they are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sea_core.config import Config
from sea_core.files import write_json
from study.analysis.knock_outs import knock_outs, taken_away
from study.analysis.results import Results
from study.analysis.stats.comparison import Comparison, Verdict
from study.records.study import Study, load_study
from study.reporting.page.answer import answer
from study.reporting.page.question import question
from tests.study.results import USERS, write_result

FEATURES = {"image": "a", "text": "b"}
ARMS: dict[str, dict[str, Any]] = {
    "nothing-seen": {"feature_transform": {"image": "zero"}},
    "shuffled": {"feature_transform": {"image": "permute:3"}},
    "text-only": {"modalities": {"text": "text_feat.npy"}},
    "no-words": {"feature_transform": {"text": "noise"}},
    "both-gone": {"feature_transform": {"image": "zero", "text": "mean"}},
    "random": {"feature_transform": {"all": "random-features"}},
    "swapped": {"feature_transform": {"image": "swap:text", "text": "swap:image"}},
    "half-swapped": {"feature_transform": {"image": "swap:text", "text": "zero"}},
    "no-club": {"distancing": "none"},
    "short": {"feature_transform": {"image": "zero"}, "gnn_layers": 1},
    "other": {"model": "bpr"},
}


def write(root: Path, levels: dict[str, float], *, seeds: int = 6, features: Any = FEATURES) -> Study:
    """Frozen arms of ``ARMS`` whose recall@20 differs by their level from that of full, with a little noise."""
    users = np.random.default_rng(0).uniform(0.2, 0.4, USERS)
    for n, (arm, level) in enumerate({"full": 0.0, **levels}.items()):
        changes = ARMS.get(arm, {})
        config = Config.from_mapping(changes) if "model" in changes else Config().override(**changes)
        for seed in range(1, seeds + 1):
            noise = np.random.default_rng([n, seed]).normal(0, 0.004, USERS)
            folder = root / "s" / "ablations" / "frozen" / arm / f"seed-{seed}"
            write_result(
                folder,
                users + level + noise,
                seed=seed,
                config=config,
                arm=arm,
                mode="frozen",
                arm_title=f"title {arm}",
            )
    if features is not None:
        write_json(root / "s" / "provenance.json", {"schema_version": 1, "feature_hashes": features})
    return load_study(root / "s")


def line(arm: str, difference: float, verdict: Verdict) -> Comparison:
    unknown = Comparison(**dict.fromkeys(Comparison._fields))
    return unknown._replace(arm=arm, mode="frozen", difference=difference, verdict=verdict)


def test_which_modality_an_arm_takes_away_is_read_off_its_config(tmp_path: Path) -> None:
    assert taken_away(write(tmp_path, dict.fromkeys(ARMS, 0.0), seeds=1)) == {
        "nothing-seen": "image",
        "shuffled": "image",
        "text-only": "image",
        "no-words": "text",
        "both-gone": "all",
        "random": "all",
    }


def test_of_three_modalities_keeping_one_takes_away_two_and_so_says_nothing_about_either(tmp_path: Path) -> None:
    three = {**FEATURES, "knowledge": "c"}
    assert "text-only" not in taken_away(write(tmp_path, {"text-only": 0.0}, seeds=1, features=three))


@pytest.mark.parametrize("content", [None, "nonsense"])
def test_without_provenance_arms_that_name_a_modality_are_still_read(tmp_path: Path, content: str | None) -> None:
    levels = {"nothing-seen": 0.0, "text-only": 0.0}
    study = write(tmp_path, levels, seeds=1, features=None)
    if content is not None:
        study.folder.provenance.write_text(content)
    assert taken_away(study) == {"nothing-seen": "image"}


@pytest.mark.parametrize(
    ("verdicts", "expected", "cheapest"),
    [
        (("worse", "worse", "worse"), "matters", "text-only"),
        (("worse", "worse", "equivalent"), "does not matter", "text-only"),
        (("non-inferior", "worse", "undecided"), "does not matter", "nothing-seen"),
        (("better", "worse", "worse"), "does not matter", "nothing-seen"),
        (("better", "better", "better"), "better left out", "text-only"),
        (("worse", "undecided", "worse"), "not decided", "shuffled"),
        (("user-limited", "descriptive", "worse"), "not decided", "shuffled"),
        (("descriptive", "descriptive", "descriptive"), "no verdict", "text-only"),
    ],
)
def test_no_answer_is_stronger_than_the_verdict_on_the_cheapest_way(
    tmp_path: Path, verdicts: tuple[Verdict, ...], expected: str, cheapest: str
) -> None:
    arms = ["nothing-seen", "shuffled", "text-only"]
    study = write(tmp_path, dict.fromkeys(arms, 0.0), seeds=1)
    lines = [line(arm, 0.01 * n, verdict) for n, (arm, verdict) in enumerate(zip(arms, verdicts, strict=True))]
    (image,) = knock_outs(study, lines)
    assert (image.modality, image.answer, image.cheapest.arm) == ("image", expected, cheapest)


def test_planted_outcomes_become_sentences_with_their_kind_and_simultaneous_bounds(tmp_path: Path) -> None:
    levels = {"nothing-seen": -0.05, "shuffled": -0.04, "no-words": 0.0, "random": -0.1, "other": -0.2}
    study = write(tmp_path, levels, seeds=10)
    results = Results([study])
    page = answer(study, results)
    rows = {row.arm: row for row in results.arms if row.metric == study.metric}
    assert rows["no-words"].verdict in ("equivalent", "non-inferior")
    image, text, everything = page.sentences[1:4]
    assert image.startswith(
        "The modality image matters: of 2 ways to take it away the cheapest is named here: “title shuffled” changes "
    )
    assert f"[−{-rows['shuffled'].sim_low:.4f}, " in image
    assert "worse by at most" in image
    assert text.startswith("The modality text does not matter within 2 %: “title no-words” changes")
    assert rows["no-words"].verdict in text
    assert everything.startswith("All modalities together matter: “title random” changes")
    assert not any("nothing-seen" in sentence for sentence in page.sentences)  # the tables have it
    group = next(group for group in page.groups if group.title == "Modalities")
    assert [(tile.label, tile.value, tile.tone) for tile in group.tiles] == [
        ("The modality image", "matters", "good"),
        ("The modality text", "does not matter", "even"),
        ("All modalities together", "matters", "good"),
    ]
    assert page.short[0].startswith("By test Recall@20, the modality image matters (−0.04")
    assert question([study]) == (
        "Do the modalities matter on tiny, how does “title other” compare with SEA, and how sure are we?"
    )


def test_beside_the_parts_the_modalities_come_second(tmp_path: Path) -> None:
    study = write(tmp_path, {"no-club": -0.05, "nothing-seen": -0.05}, seeds=6)
    assert question([study]) == "Does CLUB matter on tiny, do the modalities, and how sure are we?"
    short = answer(study, Results([study])).short[0]
    assert short.startswith("CLUB helps: ")
    assert "; the modality image matters (−0.05" in short


def test_what_is_not_decided_says_how_many_ways_are(tmp_path: Path) -> None:
    study = write(tmp_path, {"nothing-seen": -0.05, "shuffled": -0.002}, seeds=2)
    (sentence,) = [s for s in answer(study, Results([study])).sentences if "modality" in s]
    assert sentence.startswith("Whether the modality image matters is not decided: ")
    assert "of 2 ways to take it away" in sentence
