from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from ablations.run_ablations import ablation_requests
from ablations.run_ablations import make_parser as ablation_parser
from sea_core.errors import UserError
from study.planning.requests import AblationRequest, SearchRequest
from study.planning.search_options import make_parser, search_requests
from study.planning.study_plan import plan_study
from study.running.resources import Resources


def searches(*arguments: str) -> list[SearchRequest]:
    return search_requests(make_parser().given(arguments))


def ablations(*arguments: str) -> list[AblationRequest]:
    return ablation_requests(ablation_parser().given(arguments))


def test_no_option_gives_the_request_that_a_notebook_makes_without_arguments() -> None:
    assert searches() == [SearchRequest()]
    assert ablations() == [AblationRequest()]


def test_options_become_the_fields_of_their_names() -> None:
    (request,) = searches(
        *("-d", "ml-100k", "--n-trials", "7", "--set", "knn_k=5", "modalities=[text]", "--workers", "2"),
        *("--no-ablations", "--out", "there", "--study-name", "mine", "--timeout", "1.5"),
    )
    assert request == SearchRequest(
        dataset="ml-100k",
        n_trials=7,
        settings={"knn_k": 5, "modalities": ["text"]},
        resources=Resources(workers=2),
        suite=None,
        out=Path("there"),
        study_name="mine",
        timeout=1.5,
    )


def test_several_datasets_are_a_request_each_with_a_folder_each() -> None:
    assert [(each.dataset, each.study_name) for each in searches("-d", "a", "-d", "b", "-d", "a")] == [
        ("a", "search-{dataset}"),
        ("b", "search-{dataset}"),
    ]
    named = ablations("-d", "a", "-d", "b", "--study-name", "x")
    assert [each.study_name for each in named] == ["x-{dataset}"] * 2
    studies = ablations("--from-study", "s", "--from-study", "t", "--arms", "no-club,no-both", "zero-club")
    assert [(each.from_study, each.arms) for each in studies] == [
        ("s", ("no-club", "no-both", "zero-club")),
        ("t", ("no-club", "no-both", "zero-club")),
    ]


def test_requests_are_frozen_and_take_strings_for_paths() -> None:
    request = SearchRequest(out="there", config="my.yaml")  # type: ignore[arg-type]
    assert (request.out, request.config) == (Path("there"), Path("my.yaml"))
    with pytest.raises(FrozenInstanceError):
        request.seed = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n_trials": 0}, "--n-trials must be at least 1, got 0"),
        ({"sampler": "tpee"}, "unknown --sampler 'tpee'; did you mean 'tpe'?"),
        ({"pruner": "medain"}, "unknown --pruner 'medain'; did you mean 'median'?"),
        ({"warm_start": "x", "sampler": "grid"}, "--warm-start and --sampler grid exclude each other"),
        ({"timeout": float("nan")}, "--timeout must be at least 0, got nan"),
        ({"fresh_seeds": 100_000}, "--fresh-seeds must be at most 1000, got 100000"),
    ],
)
def test_a_search_that_cannot_be_is_refused_where_it_is_asked_for(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        SearchRequest(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"mode": "freeze"}, "unknown --mode 'freeze'"),
        ({"from_study": "x", "seed": 5}, "--seed cannot be combined with --from-study"),
        ({"from_study": "x", "metrics": ("recall@5",)}, "--metrics cannot be combined with --from-study"),
        ({"from_study": "x", "settings": {"knn_k": 5}}, "--set cannot be combined with --from-study"),
        ({"fresh_seeds": 0}, "--fresh-seeds must be at least 1, got 0; differences get an interval from 2 on"),
        ({"fresh_seeds": 100_000}, "--fresh-seeds must be at most 1000, got 100000"),
        ({"fresh_seeds": "auto", "max_seeds": 100_000}, "--max-seeds must be at most 1000, got 100000"),
        ({"extra_full": 100_000}, "--extra-full must be at most 1000, got 100000"),
        ({"placebo": 100_000}, "--placebo must be at most 50, got 100000"),
        ({"mode": "retuned", "searches": 100_000}, "--searches must be at most 100, got 100000"),
    ],
)
def test_an_ablation_that_cannot_be_is_refused_where_it_is_asked_for(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        AblationRequest(**fields)


def test_an_arm_that_is_named_twice_is_one_contrast() -> None:
    assert AblationRequest(contrasts=("no-club", "no-both", "no-club")).contrasts == ("no-club", "no-both")


def test_seeds_until_decided_may_be_asked_for_by_either_name() -> None:
    assert ablations("--fresh-seeds", "auto") == ablations("--seeds", "auto") == [AblationRequest(fresh_seeds="auto")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--no-ablations", "--suite", "paper"], "--no-ablations leaves out the arms, so --suite has no effect"),
        (["--no-finalize", "--fresh-seeds", "5"], "--no-finalize ends with the search, so --fresh-seeds has no effect"),
        (["--no-finalize", "--final-epochs", "5"], "so --final-epochs has no effect"),
        (["--epochs", "9", "--final-epochs", "5"], r"--final-epochs must be at least --epochs \(9\), got 5"),
        (["--budget", "lots"], "--budget must be like 20x, 2000epochs, 30min or 1.5h, got 'lots'"),
        (["--budget", "0.5x"], "--budget 0.5x is less than one run"),
        (["--no-finalize", "--finalists", "5"], "--no-finalize ends with the search, so --finalists has no effect"),
        (["--no-finalize", "--suite", "paper"], "--no-finalize ends with the search, so --suite has no effect"),
    ],
)
def test_an_option_that_another_makes_meaningless_is_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        searches(*arguments)


def test_what_a_study_has_already_is_refused_even_if_it_is_the_default() -> None:
    with pytest.raises(UserError, match="--seed cannot be combined with --from-study"):
        ablations("--from-study", "x", "--seed", "999")


@pytest.mark.parametrize(("asked", "planned"), [(None, 9), (100, 9), (4, 4)])
def test_a_grid_has_no_more_trials_than_cells(asked: int | None, planned: int, tmp_path: Path) -> None:
    space = {"temperature": {"choices": [0.1, 0.2, 0.3]}, "knn_k": {"choices": [5, 10, 20]}}
    plan = plan_study(SearchRequest(out=tmp_path, space=space, sampler="grid", n_trials=asked))
    assert plan.expected_trials == planned
