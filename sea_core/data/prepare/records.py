"""Files of one record a line, JSON or Python literals, as columns; line by line only where they need it."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from sea_core.data.prepare.lines import Block, blocks_of_lines, numbered_lines, wrong_line
from sea_core.errors import UserError

Kind = Literal["id", "number"]
_TYPES = {"id": pa.string(), "number": pa.float64()}
_RECORD = "a record as a JSON object or a Python dictionary"


def first_record(path: Path) -> dict[str, Any]:
    """The first record.

    Raises:
        UserError: there is none, or it does not parse.
    """
    for number, line in numbered_lines(path):
        if line.strip():
            return parse_record(path, number, line)
    raise UserError(f"{path}: the file is empty; expected {_RECORD} in each line")


def parse_record(path: Path, number: int, line: str) -> dict[str, Any]:
    """A line as a record; nothing of it is executed.

    Raises:
        UserError: it is none.
    """
    record: Any
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        try:
            record = ast.literal_eval(line.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            raise wrong_line(path, number, _RECORD, line) from None
    if not isinstance(record, dict):
        raise wrong_line(path, number, _RECORD, line)
    return record


def record_columns(path: Path, fields: Mapping[str, Kind]) -> Iterator[list[pa.Array]]:
    """Blocks of columns: ids as text, never empty; numbers with null where a record has none.

    Raises:
        UserError: a line that is no record, lacks an id, or has something else where a number is expected.
    """
    by_columns = not _is_literal(path)
    for block in blocks_of_lines(path):
        columns = _read_block(block, fields) if by_columns else None
        yield _read_lines(path, block, fields) if columns is None else columns


def _is_literal(path: Path) -> bool:
    """Whether the first record is no JSON, so that trying JSON first is in vain."""
    for _, line in numbered_lines(path):
        if line.strip():
            try:
                json.loads(line)
            except (ValueError, RecursionError):
                return True
            return False
    return False


def _read_block(block: Block, fields: Mapping[str, Kind]) -> list[pa.Array] | None:
    """The block's columns, or None where anything is not as usual: then lines are looked at one by one."""
    schema = pa.schema([(name, _TYPES[kind]) for name, kind in fields.items()])
    try:
        table = pyarrow.json.read_json(
            pa.BufferReader(block.data),
            read_options=pyarrow.json.ReadOptions(block_size=1 << 22),
            parse_options=pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        )
    except pa.ArrowException:
        return None
    columns = [table[name].combine_chunks() for name in fields]
    for column, kind in zip(columns, fields.values(), strict=True):
        if kind == "id" and (column.null_count or pc.any(pc.equal(pc.utf8_trim_whitespace(column), "")).as_py()):
            return None
        if kind == "number" and not pc.all(pc.is_finite(column)).as_py() and len(column) > column.null_count:
            return None
    return columns


def _read_lines(path: Path, block: Block, fields: Mapping[str, Kind]) -> list[pa.Array]:
    values: dict[str, list[Any]] = {name: [] for name in fields}
    for offset, line in enumerate(block.data.split(b"\n")[:-1]):
        if not line.strip():
            continue
        number = block.first_line + offset
        try:
            record = parse_record(path, number, line.decode("utf-8"))
        except UnicodeDecodeError:
            raise wrong_line(path, number, "UTF-8 text", "other bytes") from None
        for name, kind in fields.items():
            read = _id if kind == "id" else _number
            values[name].append(read(path, number, name, record.get(name)))
    return [pa.array(values[name], type=_TYPES[kind]) for name, kind in fields.items()]


def _id(path: Path, line: int, name: str, value: Any) -> str:
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text:
        raise wrong_line(path, line, f"an id in '{name}'", "nothing" if value is None else value)
    return text


def _number(path: Path, line: int, name: str, value: Any) -> float | None:
    if value is None or value == "":
        return None
    try:
        number = float(value) if not isinstance(value, bool) else np.nan
    except (TypeError, ValueError, OverflowError):
        number = np.nan
    if not np.isfinite(number):
        raise wrong_line(path, line, f"a finite number in '{name}'", value)
    return number
