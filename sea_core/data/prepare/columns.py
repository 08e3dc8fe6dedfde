"""Columns of text as numbers and times, with errors that name file and line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float

from sea_core.errors import UserError

# (row of the column, what was expected, what was found) -> the error to raise
Wrong = Callable[[int, str, str], UserError]


def ids(column: pa.Array, name: str, wrong: Wrong) -> pa.Array:
    """Ids as text without blanks around them.

    Raises:
        UserError: an empty id.
    """
    stripped = pc.utf8_trim_whitespace(column)
    blank = pc.fill_null(pc.equal(stripped, ""), True)
    if pc.any(blank).as_py():
        raise wrong(pc.index(blank, True).as_py(), f"an id in the column '{name}'", "nothing")
    return stripped


def numbers(column: pa.Array, name: str, wrong: Wrong) -> Float[np.ndarray, " rows"]:
    """Finite numbers; NaN where the text is empty.

    Raises:
        UserError: other text.
    """
    text = _without_blanks(column)
    values = _cast(text, pa.float64(), f"a number in the column '{name}'", wrong).to_numpy(zero_copy_only=False)
    infinite = ~np.isfinite(values) & text.is_valid().to_numpy(zero_copy_only=False)
    if infinite.any():
        row = int(infinite.argmax())
        raise wrong(row, f"a finite number in the column '{name}'", str(text[row]))
    return values


def times(column: pa.Array, name: str, wrong: Wrong) -> Float[np.ndarray, " rows"]:
    """Times as numbers: as they are, or seconds since 1970 of ISO 8601 dates; NaN where the text is empty.

    Raises:
        UserError: other text.
    """
    text = _without_blanks(column)
    first = text.drop_null().slice(0, 1)
    if len(first) == 0 or pc.match_substring_regex(first, r"^[+-]?[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?$")[0].as_py():
        return numbers(column, name, wrong)
    plain = pc.replace_substring_regex(text, r"(Z|[+]00:?00)$", "")
    expected = f"a number or a date like 2024-05-31 or 2024-05-31T12:30:00 in the column '{name}'"
    moments = _cast(plain, pa.timestamp("us"), expected, wrong)
    micros = moments.cast(pa.int64()).cast(pa.float64()).to_numpy(zero_copy_only=False)
    return micros / 1e6


def _without_blanks(column: pa.Array) -> pa.Array:
    stripped = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(stripped, ""), pa.scalar(None, pa.string()), stripped)


def _cast(text: pa.Array, kind: Any, expected: str, wrong: Wrong) -> pa.Array:
    try:
        return pc.cast(text, kind)
    except pa.ArrowInvalid:
        low, high = 0, len(text)  # the first value that does not parse lies in [low, high)
        while high - low > 1:
            middle = (low + high) // 2
            try:
                pc.cast(text.slice(low, middle - low), kind)
                low = middle
            except pa.ArrowInvalid:
                high = middle
        raise wrong(low, expected, text[low].as_py()) from None
