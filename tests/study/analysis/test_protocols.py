"""Split protocols stand in every caption, and two of them never in one table."""

from pathlib import Path
from typing import Any

import pytest

from sea_core.data.splits import split_words
from sea_core.errors import UserError
from study.analysis.protocols import caption_words
from study.analysis.results import Results
from study.records.study import load_study
from study.reporting.tables.render import to_latex, to_markdown
from study.reporting.tables.write import compute_tables
from tests.study.results import write_arms, write_search

RANDOM = {"protocol": "random", "ratios": "8:1:1", "seed": 3}
TIMED = {"protocol": "global-time", "ratios": "8:1:1"}


def studied(root: Path, name: str, split: dict[str, Any] | None) -> Path:
    keys = {} if split is None else {"split": split}
    folder = write_search(root, name=f"{name}-search", dataset=name, **keys)
    write_arms(folder, {"full": 0.0, "no-club": -0.01}, dataset=name, **keys)
    return folder


@pytest.mark.parametrize(
    ("split", "words"),
    [
        (RANDOM, "random 8:1:1, seed 3"),
        (TIMED, "global-time 8:1:1"),
        ({"protocol": "leave-one-out", "seed": 0}, "leave-one-out, seed 0"),
        (
            {"protocol": "k-fold", "ratios": "8:1:1", "seed": 0, "folds": 5, "fold": 2},
            "k-fold 8:1:1, folds 5, fold 2, seed 0",
        ),
    ],
)
def test_words_of_a_split(split: dict[str, Any], words: str) -> None:
    assert split_words(split) == words


def test_every_caption_ends_with_the_protocol(tmp_path: Path) -> None:
    tables = compute_tables(Results([load_study(studied(tmp_path, "shop", TIMED))]))
    assert {"overall", "ablation", "statistics"} <= {table.name for table in tables}
    for table in tables:
        assert table.caption.endswith("Split: global-time 8:1:1."), table.name
        assert "Split: global-time 8:1:1." in to_markdown(table)
        assert "Split: global-time 8:1:1." in to_latex(table)


def test_captions_are_as_before_where_nobody_wrote_the_split_down(tmp_path: Path) -> None:
    study = load_study(studied(tmp_path, "shop", None))
    assert caption_words([study]) == ""
    assert all("Split" not in table.caption for table in compute_tables(Results([study])))


def test_seeds_of_one_protocol_share_a_table_that_says_which_is_whose(tmp_path: Path) -> None:
    splits = {"a": RANDOM, "b": {**RANDOM, "seed": 4}, "c": None}
    studies = [load_study(studied(tmp_path, name, split)) for name, split in splits.items()]
    Results(studies)
    assert caption_words(studies) == "Split: a: random 8:1:1, seed 3; b: random 8:1:1, seed 4."


def test_one_split_and_several_of_the_same_data_are_refused_in_one_table(tmp_path: Path) -> None:
    plain = load_study(write_search(tmp_path, name="a", dataset="shop", split=RANDOM))
    several = load_study(write_search(tmp_path, name="b", dataset="shop", split=RANDOM, split_seed=7))
    Results([several])
    with pytest.raises(UserError, match=r"were not run on the same splits \(--split-seeds\)"):
        Results([plain, several])


@pytest.mark.parametrize("other", [RANDOM, None, {"protocol": "user-time", "ratios": "8:1:1"}])
def test_two_protocols_are_refused_in_one_table(tmp_path: Path, other: dict[str, Any] | None) -> None:
    studies = [load_study(studied(tmp_path, name, split)) for name, split in (("a", TIMED), ("b", other))]
    with pytest.raises(UserError, match=r"a-search was split by global-time and .*b-search by .*one table cannot hold"):
        Results(studies)
