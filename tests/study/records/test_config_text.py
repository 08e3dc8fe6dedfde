from __future__ import annotations

from pathlib import Path

import pytest

from sea_core.config_files import build_config
from sea_core.errors import UserError
from study import export
from study.records.config_text import config_text
from study.records.study import load_study
from tests.study.results import write_search


def test_the_winners_config_comes_back_from_a_file_to_the_digit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_search(tmp_path)
    assert export.main([str(root)]) == 0
    printed = capsys.readouterr().out
    (tmp_path / "best.yaml").write_text(printed)
    assert printed.startswith("# winner (trial ")
    assert build_config(file=tmp_path / "best.yaml") == load_study(root).winner[0].config


def test_it_is_written_to_a_file_that_is_named_and_a_missing_folder_is_a_users_mistake(tmp_path: Path) -> None:
    root = write_search(tmp_path)
    assert export.main([str(root), "--out", str(tmp_path / "best.yaml")]) == 0
    assert (tmp_path / "best.yaml").read_text() == config_text(load_study(root))
    with pytest.raises(UserError, match=r"cannot write .*No such file or directory; name a file in a folder that"):
        export.main([str(root), "--out", str(tmp_path / "nowhere" / "best.yaml")])


def test_any_trial_can_be_asked_for_and_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    study = load_study(write_search(tmp_path))
    trial = study.trials[-1]
    (tmp_path / "trial.yaml").write_text(config_text(study, trial=trial.number))
    assert build_config(file=tmp_path / "trial.yaml") == trial.config
    with pytest.raises(UserError, match="has no trial 99 with a result; it has 0"):
        config_text(study, trial=99)


def test_without_a_winner_the_best_trial_is_exported(tmp_path: Path) -> None:
    import shutil

    root = write_search(tmp_path)
    shutil.rmtree(root / "final")
    study = load_study(root)
    best = max(study.trials, key=lambda trial: trial.value or 0.0)
    text = config_text(study)
    assert text.startswith(f"# best trial ({best.number}) of {study.folder.root}: ")
    (tmp_path / "best.yaml").write_text(text)
    assert build_config(file=tmp_path / "best.yaml") == best.config
