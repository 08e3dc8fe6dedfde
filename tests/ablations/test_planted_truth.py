"""From planted data to the statistics table: what matters is found, what does not is not."""

from pathlib import Path

import pandas as pd
import pytest

from ablations.run_ablations import main

# Text is pure noise: it shows no shared factor, and its own do not matter for any choice.
DATASET = "synthetic:users=200,items=100,interactions=20,dims=16/12,shared_signal=1.0/0.0,unique_importance=1.0/0.0"
SMALL = ["latent_dim=8", "item_mlp_hidden=16", "align_hidden=8", "align_out=8", "distance_dim=8", "club_steps=2"]
SMALL += ["knn_k=5", "batch_size=512", "learning_rate=0.01"]


@pytest.mark.slow
def test_removing_what_matters_is_found_and_removing_noise_is_not(
    tmp_path: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plots.lib.pictures.study_pictures", lambda *_: [])
    options = ["-d", DATASET, "--out", str(tmp_path), "--study-name", "planted", "--quiet", "--fresh-seeds", "5"]
    options += ["--epochs", "12", "--arms", "image-only", "text-only", "--set", *SMALL]
    assert main(options) == 0
    frame = pd.read_csv(tmp_path / "planted" / "tables" / "statistics.csv")
    found_loss, missed = (frame[frame["arm"] == arm] for arm in ("text-only", "image-only"))
    assert len(found_loss) == len(missed) == 4, "recall and NDCG at 10 and 20"
    assert (found_loss["difference"] < 0).all()
    assert (found_loss["p"] < 0.05).all()
    primary = found_loss[found_loss["metric"] == "recall@20"].iloc[0]
    assert primary["verdict"] == "worse", "removing the images is found to hurt"
    assert primary["p_adjusted"] < 0.05
    assert (missed["p_adjusted"] > 0.05).all(), "removing noise is not found to change anything"
