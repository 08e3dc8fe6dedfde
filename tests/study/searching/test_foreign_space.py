"""Spaces of MMRec and RecBole, in files as those projects ship or document them."""

from __future__ import annotations

from pathlib import Path

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from sea_core.config import Config
from sea_core.errors import UserError
from sea_core.mmrec_names import CONFIG_KEYS
from study.planning.requests import SearchRequest
from study.planning.study_plan import plan_study
from study.searching.foreign_space import SAME_OF_MODEL, is_foreign, read_foreign
from study.searching.space import parse_space

FREEDOM = """\
embedding_size: 64
lambda_coeff: 0.9
n_mm_layers: 1
dropout: [0.8, 0.9]
reg_weight: [0.0, 1e-05, 1e-04, 1e-03]
hyper_parameters: ["dropout", "reg_weight"]
"""
RECBOLE = """\
# comment
learning_rate loguniform -8,0
embedding_size choice [64,96,128]

n_layers quniform 1,4,1
image_weight uniform 0.1,0.9
train_batch_size choice [512, 1024]
"""


@pytest.fixture
def write(tmp_path: Path):
    def make(text: str, name: str = "space.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return make


def test_mmrecs_freedom_is_its_search_here(write) -> None:
    space = read_foreign(write(FREEDOM), "freedom")
    assert space.content == {
        "edge_dropout": {"choices": [0.8, 0.9]},
        "modality_weight": {"choices": [0.0, 1e-5, 1e-4, 1e-3]},
    }
    assert space.notes[:2] == [
        "space.yaml: dropout is edge_dropout here",
        "space.yaml: reg_weight is modality_weight here",
    ]
    assert space.notes[2].startswith("space.yaml: fixed values are not taken over (embedding_size: 64, ")


def test_a_name_means_what_the_model_means_by_it(write) -> None:
    text = "reg_weight: [0.1, 0.01]\nhyper_parameters: [reg_weight]\n"
    assert list(read_foreign(write(text), "vbpr").content) == ["reg_weight"]
    assert list(read_foreign(write(text), "freedom").content) == ["modality_weight"]


def test_recboles_kinds_are_ranges_and_logarithms_are_natural(write) -> None:
    content = read_foreign(write(RECBOLE, "hyper.test"), "sea").content
    assert content["learning_rate"] == {"low": 0.000335463, "high": 1.0, "log": True}  # e^-8
    space = parse_space(content, source="test")
    assert space["learning_rate"] == FloatDistribution(0.000335463, 1.0, log=True)
    assert space["latent_dim"] == CategoricalDistribution((64, 96, 128))
    assert space["gnn_layers"] == IntDistribution(1, 4)
    assert space["image_weight"] == FloatDistribution(0.1, 0.9)
    assert space["batch_size"] == CategoricalDistribution((512, 1024))


def test_quniform_gives_the_multiples_that_hyperopt_rounds_to(write) -> None:
    content = read_foreign(write("split_ratio quniform 0.11,0.88,0.2\n", "a.test"), "sea").content
    assert content["split_ratio"] == pytest.approx({"low": 0.2, "high": 0.8, "step": 0.2})


@pytest.mark.parametrize(
    ("model", "text", "named"),
    [
        ("sea", FREEDOM, [r"dropout \(the nearest key is '\w+'\)", r"reg_weight \(the nearest key is '\w+'\)"]),
        ("vbpr", "reg_weight: [1]\ncl_loss: [0.1]\nhyper_parameters: [reg_weight, cl_loss]\n", [r"cl_loss \(the"]),
        ("vbpr", "reg_weight: [1]\nhyper_parameters: [seed, reg_weight]\n", [r"seed \(seeds are no hyper-parameter"]),
    ],
)
def test_what_means_nothing_here_is_named(write, model: str, text: str, named: list[str]) -> None:
    path = write(text)
    for pattern in named:
        with pytest.raises(UserError, match=pattern):
            read_foreign(path, model)
    with pytest.raises(UserError, match=r"--skip-unknown leaves (it|them) out"):
        read_foreign(path, model)


def test_what_means_nothing_here_is_skipped_when_asked_and_said(write) -> None:
    path = write("reg_weight: [1, 2]\ncl_loss: [0.1]\nhyper_parameters: [reg_weight, cl_loss, seed]\n")
    space = read_foreign(path, "vbpr", skip_unknown=True)
    assert list(space.content) == ["reg_weight"]
    assert [note.split(" (")[0] for note in space.notes] == ["space.yaml: skipped cl_loss", "space.yaml: skipped seed"]
    with pytest.raises(UserError, match="searches nothing that model 'sea' has: reg_weight, cl_loss"):
        read_foreign(path, "sea", skip_unknown=True)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.yaml", "hyper_parameters: [reg_weight]\n", r"names 'reg_weight', which has no values"),
        ("a.yaml", "hyper_parameters: reg_weight\n", r"must be a list of names, got 'reg_weight'"),
        ("a.yaml", "hyper_parameters: []\nreg_weight: [1]\n", r"is empty"),
        ("a.test", "", r"names no parameter"),
        ("a.test", "reg_weight choice\n", r"line 1: expected 'name kind values'"),
        ("a.test", "reg_weight normal 0,1\n", r"line 1: unknown kind 'normal'"),
        ("a.test", "\nreg_weight uniform 0\n", r"line 2: expected 2 numbers with a comma between them, got '0'"),
        ("a.test", "reg_weight uniform 0,inf\n", r"expected 2 numbers"),
        ("a.test", "reg_weight quniform 0,1,0\n", r"step of quniform must be > 0"),
        ("a.test", "reg_weight choice __import__('os').abort()\n", r"choice must be a list of values"),
        ("a.test", "reg_weight loguniform 1,100\n", r"bounds of loguniform are natural logarithms"),
        ("a.test", "reg_weight uniform 0,1\nreg_weight uniform 0,1\n", r"line 2: 'reg_weight' stands there a second"),
        ("a.test", "n_layers choice [1]\nn_ui_layers choice [2]\n", r"two parameters mean 'gnn_layers' here"),
    ],
)
def test_mistakes_are_named_with_their_place(write, name: str, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_foreign(write(text, name), "lightgcn")


def test_a_missing_file_and_binary_are_mistakes_too(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read .*nowhere\.test"):
        read_foreign(tmp_path / "nowhere.test", "vbpr")
    (tmp_path / "binary.test").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="it is no text"):
        read_foreign(tmp_path / "binary.test", "vbpr")


def test_every_name_of_the_tables_is_a_config_key_and_documented() -> None:
    known = set(Config.__dataclass_fields__)
    page = (Path(__file__).parents[3] / "docs" / "search.md").read_text()
    for table in (CONFIG_KEYS, *SAME_OF_MODEL.values()):
        assert set(table.values()) <= known
        for theirs, ours in table.items():
            assert f"`{theirs}`" in page, theirs
            assert f"`{ours}`" in page, ours


def test_own_files_are_not_foreign(write) -> None:
    assert not is_foreign(write("temperature: {low: 0.1, high: 1}\n"))
    assert not is_foreign(Path("default"))
    assert is_foreign(write(RECBOLE, "hyper.test"))


def test_a_study_is_planned_with_it_and_says_what_it_made_of_it(write, tmp_path: Path, cache_folder: Path) -> None:
    request = SearchRequest(
        dataset="synthetic:users=30,items=30,interactions=8,dims=6/5",
        out=tmp_path,
        model="vbpr",
        space=str(write("reg_weight: [1, 0.1]\nfoo: [1]\nhyper_parameters: [reg_weight, foo]\n")),
        sampler="grid",
        skip_unknown=True,
    )
    plan = plan_study(request)
    assert plan.expected_trials == 2
    assert plan.spec.space == {"reg_weight": {"choices": [1.0, 0.1]}}
    assert plan.notes[0].startswith("space.yaml: skipped foo (the nearest key is ")
    with pytest.raises(UserError, match="--skip-unknown is for space files of MMRec and RecBole"):
        plan_study(SearchRequest(dataset=request.dataset, out=tmp_path, skip_unknown=True))
