"""Named parts, found without a list."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sea_core.errors import UserError
from sea_core.registry import Registry


def one() -> int:
    return 1


def two() -> int:
    return 2


def test_parts_are_kept_in_the_order_of_registration() -> None:
    registry = Registry[Callable[[], int]]("number")
    registry.register("one", one)
    assert registry.add("two")(two) is two
    assert dict(registry) == {"one": one, "two": two}
    assert len(registry) == 2


def test_a_name_is_taken_once_but_the_same_place_may_register_again() -> None:
    registry = Registry[Callable[[], int]]("number")
    registry.register("one", one)
    registry.register("one", one)
    with pytest.raises(UserError, match=r"two numbers are named 'one'.*one and .*two; rename one"):
        registry.register("one", two)


@pytest.mark.parametrize("name", ["", "a b", "1a", "a@b", "../x"])
def test_a_name_that_cannot_be_written_on_a_command_line_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="a number's name must be letters"):
        Registry[object]("number").register(name, one)


def test_a_reserved_name_is_refused() -> None:
    with pytest.raises(UserError, match="'none' has a meaning of its own among loss names"):
        Registry[object]("loss", reserved=["none"]).register("none", one)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    registry = Registry[Callable[[], int]]("number")
    registry.register("seven", one)
    with pytest.raises(UserError, match="unknown number 'sevn'; did you mean 'seven'"):
        registry.find("sevn")


def test_a_file_beside_the_others_is_found_without_editing_a_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "numbers_found"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from sea_core.registry import Registry\nNUMBERS = Registry('number', package='numbers_found')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for name, value in (("first", 1), ("second", 2)):
        text = f"from numbers_found import NUMBERS\n@NUMBERS.add('{name}')\ndef {name}():\n    return {value}\n"
        (package / f"{name}.py").write_text(text)
    from numbers_found import NUMBERS  # type: ignore[import-not-found]

    assert {name: make() for name, make in NUMBERS.items()} == {"first": 1, "second": 2}
    for name in [module for module in sys.modules if module.startswith("numbers_found")]:
        del sys.modules[name]
