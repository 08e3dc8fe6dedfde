import errno

import pytest

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
    said = capsys.readouterr().err
    assert said == "error: cannot use tables/over\\nall.csv: what it says; mend that and repeat the command\n"


def test_other_errors_of_the_system_are_mistakes_of_ours() -> None:
    with pytest.raises(FileNotFoundError):
        ending(FileNotFoundError(errno.ENOENT, "not there", "x"))
