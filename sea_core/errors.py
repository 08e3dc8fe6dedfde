"""The errors a user can cause, and how a program ends on them."""

from __future__ import annotations

import difflib
import errno
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from sea_core.interrupts import ignore_interrupts, no_interrupt_lost


class UserError(Exception):
    """Something the user gave us is wrong; the message is one line that says what, where and what to do.

    Programs print it without a traceback and exit with code 2 (see ``run_program``).
    """


class DivergedError(Exception):
    """A loss term became NaN or infinite; the run has no result.

    Attributes:
        epoch: epoch in which it happened, from 0.
        batch: batch within the epoch, from 0.
        term: name of the first loss term that is not finite.
    """

    def __init__(self, *, epoch: int, batch: int, term: str) -> None:
        super().__init__(
            f"training diverged: loss term '{term}' is not finite (epoch {epoch}, batch {batch}); "
            "try a smaller learning_rate or a larger temperature"
        )
        self.epoch, self.batch, self.term = epoch, batch, term

    def __reduce__(self) -> tuple[Callable[..., DivergedError], tuple[int, int, str]]:
        return _rebuild_diverged, (self.epoch, self.batch, self.term)


def _rebuild_diverged(epoch: int, batch: int, term: str) -> DivergedError:
    return DivergedError(epoch=epoch, batch=batch, term=term)


def suggest(wrong: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest known name, or the list of known names."""
    names = sorted(known)
    near = difflib.get_close_matches(wrong, names, n=1)
    return f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(names) or 'none'}"


def one_line(text: str) -> str:
    """The text with line breaks and other control characters written out, as names of files and data may have them."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


# What a disk says when it is full, read-only, someone else's or failing; any other OSError is a mistake of ours.
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}


INTERRUPTED = 130  # what a shell says of a program that Ctrl-C ended


def run_program(main: Callable[[], int]) -> int:
    """Run a program's main function and turn user errors, and what disks refuse, into one line and exit code 2.

    Ctrl-C ends with the shell's code 130, a divergence (a result, not a mistake of ours) with 3. After Ctrl-C, further
    ones are ignored.
    """
    try:
        _require_own_code(Path(sys.argv[0]))
        with no_interrupt_lost():
            code = main()
    except UserError as error:
        print(f"error: {one_line(str(error))}", file=sys.stderr)
        return 2
    except DivergedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    except BrokenPipeError:
        # The reader (head, less) has gone: nothing is left to say, and saying so would fail again.
        sys.stderr.close()
        return 0
    except OSError as error:
        if error.errno not in _DISK_ERRORS:
            raise
        where = f" {one_line(str(error.filename))}" if error.filename is not None else ""
        print(f"error: cannot use{where}: {error.strerror}; mend that and repeat the command", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        ignore_interrupts()
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    if code == INTERRUPTED:
        ignore_interrupts()
    return code


def _require_own_code(program: Path) -> None:
    """Two checkouts that share an environment: the program of one must not run the code of the other.

    Raises:
        UserError: it would.
    """
    code = Path(__file__).resolve().parents[1]
    checkout = program.resolve().parent.parent
    if program.suffix == ".py" and (checkout / "sea_core" / "errors.py").is_file() and checkout != code:
        raise UserError(
            f"{program} belongs to the checkout {checkout}, but this environment runs the code of {code}; use the "
            f"environment of that checkout (make setup), or pip install -e {checkout}"
        )
