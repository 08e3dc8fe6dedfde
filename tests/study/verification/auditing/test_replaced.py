"""Names come back whatever happens in the block."""

from types import ModuleType

import pytest

from study.verification.auditing.replaced import replaced


def test_values_are_other_ones_within_the_block_alone() -> None:
    module = ModuleType("m")
    module.one, module.two = 1, 2  # type: ignore[attr-defined]
    with replaced(module, one=10):
        assert (module.one, module.two) == (10, 2)
    assert (module.one, module.two) == (1, 2)


def test_values_come_back_after_an_error() -> None:
    module = ModuleType("m")
    module.one = 1  # type: ignore[attr-defined]
    with pytest.raises(ZeroDivisionError), replaced(module, one=0):
        _ = 1 / module.one
    assert module.one == 1


def test_a_name_that_is_not_there_is_not_made() -> None:
    module = ModuleType("m")
    with pytest.raises(AttributeError), replaced(module, three=3):
        pass
    assert not hasattr(module, "three")
