"""What takes longer than a moment says what it is, on a terminal only."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from sea_core.working import working


def shown(*, terminal: bool, seconds: float, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("sea_core.working._AFTER", 0.05)
    console = Console(file=io.StringIO(), force_terminal=terminal, width=80)
    with working("drawing figures", console):
        time.sleep(seconds)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_long_step_is_named_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "drawing figures" in shown(terminal=True, seconds=0.5, monkeypatch=monkeypatch)


def test_a_short_step_and_a_log_see_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "drawing" not in shown(terminal=True, seconds=0.0, monkeypatch=monkeypatch)
    assert shown(terminal=False, seconds=0.2, monkeypatch=monkeypatch) == ""


def test_an_error_in_the_block_passes_through_and_the_line_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sea_core.working._AFTER", 0.0)

    def fail() -> None:
        with working("x", Console(file=io.StringIO(), force_terminal=True)):
            time.sleep(0.1)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()


def test_what_the_block_prints_stays_on_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sea_core.working._AFTER", 0.0)
    with working("x", Console(file=io.StringIO(), force_terminal=True)):
        time.sleep(0.1)
        print("figure skipped")
    assert capsys.readouterr().out == "figure skipped\n"
