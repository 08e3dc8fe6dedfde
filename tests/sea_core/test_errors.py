import errno
from pathlib import Path

import pytest

import sea_core
from sea_core.errors import UserError, run_program


def ending(error: BaseException) -> int:
    def main() -> int:
        raise error

    return run_program(main)


def test_an_error_is_one_line_whatever_the_names_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(UserError("no study folder results/a\nb\x1b[31m\u2028c")) == 2
    assert capsys.readouterr().err == "error: no study folder results/a\\nb\\x1b[31m\\u2028c\n"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_what_a_disk_refuses_is_one_line_that_names_the_file(code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(OSError(code, "what it says", "tables/over\nall.csv")) == 2
    error_line = capsys.readouterr().err
    assert error_line == "error: cannot use tables/over\\nall.csv: what it says; mend that and repeat the command\n"


def test_other_errors_of_the_system_are_mistakes_of_ours() -> None:
    with pytest.raises(FileNotFoundError):
        ending(FileNotFoundError(errno.ENOENT, "not there", "x"))


def test_a_program_of_another_checkout_does_not_run_this_ones_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sea_core").mkdir()
    (tmp_path / "sea_core" / "errors.py").touch()
    program = tmp_path / "study" / "run_search.py"
    monkeypatch.setattr("sys.argv", [str(program)])
    assert run_program(lambda: 0) == 2
    assert f"belongs to the checkout {tmp_path}, but this environment runs the code of" in capsys.readouterr().err
    own = Path(sea_core.__file__).parents[1] / "study" / "run_search.py"
    monkeypatch.setattr("sys.argv", [str(own)])
    assert run_program(lambda: 0) == 0
