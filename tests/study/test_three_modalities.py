"""A study of three modalities: none of them is forgotten in search, arms, tables, figures and page."""

from pathlib import Path

import pandas as pd
import pytest

from sea_core.config import Config
from sea_core.data.catalogue import load_dataset
from sea_core.errors import UserError, run_program
from sea_core.training.run import TrainingRun
from study import run_search
from study.planning.search_options import make_parser, search_requests
from study.planning.study_plan import plan_study
from study.records.study import load_study

DATA = "synthetic:users=40,items=30,interactions=8,dims=8/6/5"
NAMES = {"image", "text", "audio"}
SMALL = ["latent_dim=4", "item_mlp_hidden=6", "align_hidden=4", "align_out=4", "distance_dim=4", "club_steps=2"]


def plan(*words: str) -> object:
    return plan_study(search_requests(make_parser().given(["-d", DATA, *words]))[0])


def test_the_weight_of_one_modality_is_not_searched_over_three() -> None:
    assert "image_weight" not in plan().space  # type: ignore[attr-defined]
    with pytest.raises(UserError, match="image_weight is for two modalities, but the data have image, text, audio"):
        plan("--space", "sweep-image-weight")


@pytest.mark.slow
def test_every_output_knows_all_three(tmp_path: Path, cache_folder: Path) -> None:
    words = ["-d", DATA, "--out", str(tmp_path), "--n-trials", "2", "--epochs", "2", "--quiet", "--threads", "1"]
    words += ["--fresh-seeds", "2", "--suite", "modalities", "--set", *SMALL]
    assert run_program(lambda: run_search.main(words)) == 0
    root = next(path for path in tmp_path.iterdir() if path.name.endswith("-search"))
    study = load_study(root)
    arms = {run.arm for run in study.ablations}
    assert {"image-only", "text-only", "permute-image", "zero-text", "random-features"} <= arms
    for run in study.winner:
        assert set(run.diagnostics["modalities"]) == NAMES
        assert len(run.diagnostics["pairs"]) == 3
    for name, column in (("club_bound", "modality"), ("parts_map", "modality"), ("angles", "series")):
        (path,) = root.rglob(f"{name}.csv")
        assert set(pd.read_csv(path)[column]) >= NAMES, name
    table = pd.read_csv(root / "tables" / "diagnostics.csv")
    assert set(table["modality"].str.split("|").explode()) >= NAMES


@pytest.mark.slow
def test_the_real_lfm2k_trains_with_two_encoders_of_its_audio(shared_data: Path, cache_folder: Path) -> None:
    files = {name: f"{name}_feat.npy" for name in ("image", "text", "vggish")}
    dataset = load_dataset("lfm2k", data_root=shared_data, modalities=files)
    run = TrainingRun(Config(modalities=files, epochs=2, club_steps=2, learning_rate=1e-3), dataset, seed=1)
    while not run.finished:
        run.advance()
    assert run.model.modalities == ("image", "text", "vggish")
    assert run.best.validation.means()["recall@20"] > 0.05
