"""From one emitter to many listeners, none of which can harm the study."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping

import torch

from study.listeners.listener import Listener
from study.running.events import RunEvent


class Hub:
    """Passes events on to listeners; call it to emit one, and use it as a context manager to have them closed."""

    def __init__(self, listeners: Mapping[str, Listener], *, warn: Callable[[str], None] | None = None) -> None:
        """Take listeners by the name that a warning gives them.

        Args:
            listeners: in the order in which they hear.
            warn: takes one line about a listener that failed; None writes it to standard error.
        """
        self._listeners = dict(listeners)
        self._warn = warn or _to_stderr
        self._closed = False

    def __call__(self, event: RunEvent) -> None:
        """Emit an event. A listener that raises is warned about once, closed, and hears nothing more."""
        for name, listener in list(self._listeners.items()):
            with self._guarded(name, listener):
                listener.hear(event)

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *error: object) -> None:
        for name, listener in list(self._listeners.items()):
            with self._guarded(name, listener):
                listener.close()
        self._listeners.clear()

    @contextlib.contextmanager
    def _guarded(self, name: str, listener: Listener) -> Iterator[None]:
        """Within the block ``listener`` can neither end the study nor change the arithmetic of its runs."""
        before = (torch.get_num_threads(), torch.get_default_dtype(), torch.get_float32_matmul_precision())
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of a tracker's own libraries; they are not about the study
                yield
        # What calls sys.exit must not end the study either; Ctrl-C must.
        except (Exception, SystemExit) as error:
            self._leave_out(name, listener, error)
        finally:
            if torch.get_num_threads() != before[0]:
                torch.set_num_threads(before[0])
            torch.set_default_dtype(before[1])
            torch.set_float32_matmul_precision(before[2])

    def _leave_out(self, name: str, listener: Listener, error: BaseException) -> None:
        del self._listeners[name]
        with contextlib.suppress(Exception, SystemExit):
            listener.close()
        what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        self._warn(f"warning: listener '{name}' failed and is left out from here; the study goes on ({what})")


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
