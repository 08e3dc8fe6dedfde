import argparse
import subprocess
import sys

import pytest

from sea_core.errors import UserError
from sea_core.models.registry import find_model, keys_read, model_names
from sea_core.models_command import add_models_parser


def show(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_models_parser(parser.add_subparsers())
    arguments = parser.parse_args(["models", *words])
    return int(arguments.run(arguments))


def test_every_model_is_listed_with_its_paper_and_presets(capsys: pytest.CaptureFixture[str]) -> None:
    assert show() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == model_names()
    for line in lines:
        model = find_model(line.split()[0])
        assert model.paper in line
        assert line.endswith(f"Presets: {', '.join(model.presets)}.")


def test_one_model_is_shown_with_what_its_presets_say_and_what_it_reads(capsys: pytest.CaptureFixture[str]) -> None:
    assert show("item-knn") == 0
    shown = capsys.readouterr().out
    assert "plain: knn_k=100, shrink=20.0" in shown
    assert shown.split("config keys:")[1].split() == sorted(keys_read(find_model("item-knn")))


@pytest.mark.parametrize(("word", "message"), [("itemknn", "did you mean 'item-knn'"), ("x", "known: ")])
def test_an_unknown_model_is_refused_with_those_there_are(word: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        show(word)


@pytest.mark.slow
def test_the_program_ends_with_one_line_and_exit_code_2() -> None:
    ended = subprocess.run([sys.executable, "-m", "sea_core", "models", "x"], capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert "Traceback" not in ended.stderr
