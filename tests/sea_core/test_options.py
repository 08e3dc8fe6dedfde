"""What the command line promises, whichever program it belongs to."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ablations import run_ablations, run_path
from sea_core.options import Parser, add_options, defaults_of, option, version
from sea_core.train_command import add_train_parser
from sea_core.train_request import TrainRequest
from study.planning import search_options
from study.planning.requests import AblationRequest, SearchRequest

ROOT = Path(__file__).parents[2]
PROGRAMS = (
    "study/run_search.py",
    "study/make_tables.py",
    "study/make_report.py",
    "study/bundle.py",
    "study/replay.py",
    "study/status.py",
    "study/audit.py",
    "study/export.py",
    "ablations/run_ablations.py",
    "ablations/run_path.py",
)
HEAVY = ("torch", "optuna", "pandas", "numpy", "scipy", "matplotlib", "ray", "numba")
SEVERAL = {"--dataset", "--out"}  # programs differ in how many data they take, and in what they write


def train_parser() -> argparse.ArgumentParser:
    commands = Parser(prog="x").add_subparsers()
    add_train_parser(commands)
    return commands.choices["train"]


def options_of(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.Action]]:
    for action in parser._actions:
        for flag in action.option_strings:
            yield flag, action


def test_an_option_has_one_text_and_one_default_in_all_programs() -> None:
    parsers = [search_options.make_parser(), run_ablations.make_parser(), train_parser()]
    seen: dict[str, str | None] = {}
    shared = 0
    for parser in parsers:
        for flag, action in options_of(parser):
            shared += flag in seen
            if flag not in SEVERAL and flag != "-d":
                assert seen.setdefault(flag, action.help) == action.help, flag
    assert shared > 20


def test_requests_agree_on_the_defaults_of_what_they_share() -> None:
    search, ablation, train = map(defaults_of, (SearchRequest, AblationRequest, TrainRequest))
    differing = {name for name in search.keys() & ablation.keys() if search[name] != ablation[name]}
    # The names of folders say what they hold.
    assert differing == {"dataset", "study_name"}
    assert {name for name in search.keys() & train.keys() if search[name] != train[name]} == {"out"}


def test_no_help_shows_a_default_of_none() -> None:
    for parser in (search_options.make_parser(), run_ablations.make_parser(), run_path.make_parser(), train_parser()):
        assert "(default: None)" not in parser.format_help()


@pytest.mark.parametrize("make", [search_options.make_parser, run_ablations.make_parser, train_parser])
def test_an_abbreviated_option_is_refused(make: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        make().parse_args(["--see", "3"])  # type: ignore[operator]
    assert end.value.code == 2
    assert "unrecognized arguments: --see 3; did you mean --seed?" in capsys.readouterr().err


def test_a_mistyped_name_of_an_option_leads_to_the_present_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_ablations.make_parser().parse_args(["--seedz", "3"])
    error = capsys.readouterr().err
    assert "did you mean --" in error
    assert error.count("\n") == 1


def test_a_mistake_in_an_option_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        search_options.make_parser().parse_args(["--n-trials", "many"])
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        "error: argument --n-trials: invalid int value: 'many' (run_search.py --help lists the options)\n"
    )


@pytest.mark.parametrize("option", ["--seeds", "--extra-full", "--workers"])
def test_an_option_that_takes_auto_says_so(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run_ablations.make_parser().parse_args([option, "many"])
    assert end.value.code == 2
    assert f"argument {option}: must be a number or auto, got 'many'" in capsys.readouterr().err


def test_every_program_knows_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        Parser(prog="x").parse_args(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"SEA Study {version()}\n"
    assert version()[0].isdigit()


def test_what_was_not_given_is_not_in_the_answer() -> None:
    parser = Parser(prog="x")
    add_options(parser, TrainRequest, dict([option("--seed", text="of all", type=int)]), ["--seed"])
    assert parser.given([]) == {}
    assert parser.given(["--seed", "3"]) == {"seed": 3}
    assert "of all (default: 999)" in parser.format_help()


def test_help_of_training_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['sea_core', 'train', '--help']\n"
        "from sea_core.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_and_mistyped_options_load_nothing_heavy(program: str) -> None:
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['{program}', sys.argv[1]]\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "try:\n"
        f"    runpy.run_path({str(ROOT / program)!r}, run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    code = end.code\n"
        f"print(code, [name for name in {HEAVY} if name in sys.modules])\n"
    )
    for argument, expected in (("--help", "0 []"), ("--hepl", "2 []")):
        done = subprocess.run([sys.executable, "-c", code, argument], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == expected
