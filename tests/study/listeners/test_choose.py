"""From ``--listener`` to listeners."""

from __future__ import annotations

import pytest

from sea_core.errors import UserError
from study.listeners.choose import check_listeners, listening
from study.listeners.listener import Listener
from study.listeners.registry import LISTENERS, register_listener
from study.running.events import Note, RunEvent


class Diary:
    """Keeps lines under the text it was made with."""

    made: list[tuple[str, list[str]]] = []  # noqa: RUF012 -- emptied by each test

    def __init__(self, text: str) -> None:
        self.lines: list[str] = []
        self.made.append((text, self.lines))

    def hear(self, event: RunEvent) -> None:
        self.lines.append(str(event))

    def close(self) -> None:
        self.lines.append("closed")


@pytest.fixture(autouse=True)
def diary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LISTENERS, "_parts", dict(LISTENERS))
    monkeypatch.setattr(Diary, "made", [])
    register_listener("diary")(Diary)


def test_a_listener_is_made_of_the_text_behind_its_name_heard_and_closed() -> None:
    with listening(["diary:a:b"], quiet=True) as emit:
        emit(Note("x"))
    assert Diary.made == [("a:b", ["x", "closed"])]


def test_unknown_and_repeated_listeners_are_refused_before_anything_is_made() -> None:
    with pytest.raises(UserError, match="unknown listener 'dairy'; did you mean 'diary'"):
        check_listeners(["dairy"])
    with pytest.raises(UserError, match="--listener diary is given 2 times"):
        check_listeners(["diary", "diary:x"])
    assert Diary.made == []


def test_the_trackers_are_found_without_a_list() -> None:
    assert {"mlflow", "tensorboard", "wandb"} <= set(LISTENERS)


@pytest.mark.parametrize("name", ["diary"])
def test_every_listener_passes_over_events_that_it_does_not_know(name: str) -> None:
    listener: Listener = LISTENERS[name]("")
    listener.hear(object())  # type: ignore[arg-type]
    listener.close()
