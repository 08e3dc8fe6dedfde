"""Words that the page's question is made of."""

import pytest

from study.reporting.page.question import listed


@pytest.mark.parametrize(
    ("words", "expected"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_a_list_reads_as_a_sentence(words: list[str], expected: str) -> None:
    assert listed(words) == expected
