import io
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from plots.make_figures import main, make_figures
from plots.search_history import compute
from sea_core.errors import UserError, run_program
from study.analysis.results import Results
from study.records.folder import StudyFolder
from study.records.study import load_study
from tests.plots.tiny_study import write_datasets, write_trial

PROGRAM = Path(__file__).parents[2] / "plots" / "make_figures.py"


@pytest.fixture
def one_trial(tmp_path: Path) -> Path:
    folder = StudyFolder(tmp_path / "study")
    write_trial(folder, 0)
    return folder.root


def test_a_figure_is_written_as_pdf_png_and_csv(one_trial):
    written = make_figures(one_trial, only=["search_history"])
    assert [path.relative_to(one_trial).as_posix() for path in written] == [
        "figures/search_history.pdf",
        "figures/search_history.png",
        "figures/search_history.csv",
    ]
    assert written[0].read_bytes().startswith(b"%PDF")
    assert written[1].read_bytes().startswith(b"\x89PNG")
    expected = compute(Results([load_study(one_trial)])).data
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(written[2].read_bytes())), expected, check_exact=True)


def test_what_is_missing_is_skipped_with_one_line_each(one_trial):
    skipped: list[str] = []
    assert make_figures(one_trial, only=["ablation", "club_bound"], write_line=skipped.append) == []
    assert [line.partition(":")[0] for line in skipped] == ["figure ablation skipped", "figure club_bound skipped"]
    assert all("\n" not in line for line in skipped)


def test_the_program_does_not_claim_figures_that_it_could_not_draw(one_trial, capsys):
    assert main([str(one_trial), "--only", "ablation"]) == 1  # it was asked for by name
    assert capsys.readouterr().out.splitlines()[-1] == "no figure was written"
    assert not (one_trial / "figures").exists()


def test_an_unknown_figure_is_answered_with_the_nearest(one_trial):
    with pytest.raises(UserError, match="unknown figure 'sensitivty'; did you mean 'sensitivity'"):
        make_figures(one_trial, only=["sensitivty"])
    assert not (one_trial / "figures").exists()


def test_a_folder_that_is_no_study_ends_with_code_2_and_one_line(tmp_path, capsys):
    assert run_program(lambda: main([str(tmp_path / "nothing")])) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: no study folder")
    assert error.count("\n") == 1


def test_an_unwritable_folder_is_the_users_error(one_trial):
    (one_trial / "figures").write_text("in the way")
    with pytest.raises(UserError, match="cannot write in"):
        make_figures(one_trial, only=["search_history"])


def test_several_studies_get_the_figures_that_compare_them(tmp_path, capsys):
    folders = write_datasets(tmp_path, 5)
    assert main([*map(str, folders), "--out", str(tmp_path / "joint")]) == 0
    assert "2 figures in" in capsys.readouterr().out
    files = {f"{name}.{suffix}" for name in ("forest", "critical_difference") for suffix in ("csv", "pdf", "png")}
    assert {path.name for path in (tmp_path / "joint").iterdir()} == files


@pytest.mark.slow
def test_the_program_runs_as_a_script_and_repeats_its_bytes(one_trial):
    outputs = []
    for seed in ("1", "2"):  # the order of sets must not reach the files
        arguments = [sys.executable, str(PROGRAM), str(one_trial), "--only", "search_history"]
        done = subprocess.run(
            arguments, capture_output=True, text=True, check=True, cwd=one_trial, env={"PYTHONHASHSEED": seed}
        )
        assert "1 figure in" in done.stdout
        outputs.append([path.read_bytes() for path in sorted((one_trial / "figures").iterdir())])
    assert outputs[0] == outputs[1]
