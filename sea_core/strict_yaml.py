"""YAML that maps names to plain values, in files and after ``--set``: strict, with errors that name file and line.

Nothing heavy is imported here, so that a mistyped command line is answered at once.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from sea_core.errors import UserError


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """Parse ``["temperature=0.1", "modalities=[text]"]`` into a mapping; values are YAML.

    Raises:
        UserError: no ``=``, no key, a key given twice, or a value that is not YAML.
    """
    result: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        key = key.strip()
        if not equals or not key:
            raise UserError(f"--set takes key=value, like temperature=0.1, got {assignment!r}")
        if key in result:
            raise UserError(f"--set gives {key!r} twice: {result[key]!r} and {value!r}; keep one")
        result[key] = _load(value, f"--set {key}", lines=False)
    return result


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that maps names to values.

    Stricter than YAML, because a config is written once and trusted for years: a key given twice, a key that is no
    string, an alias, and an empty file are errors. Kinder in one point: ``1e-3`` is a number, as in YAML 1.2.

    Raises:
        UserError: unreadable, not UTF-8, malformed, or not a mapping; with the line.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}, line {line}: not UTF-8 text; save the file as UTF-8") from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UserError(f"cannot read {path}: {reason}; expected a YAML file") from None
    content = _load(text, str(path), lines=True)
    if not isinstance(content, dict):
        content_type = "nothing" if content is None else f"a {type(content).__name__}"
        raise UserError(
            f"{path}: expected lines like 'temperature: 0.1' (a space after the colon), found {content_type}"
        )
    return content


def _load(text: str, source: str, *, lines: bool) -> Any:
    """The one document in ``text`` as plain values; errors name the source, and the line if ``lines``."""

    def where(line: int) -> str:
        return f"{source}, line {line}" if lines else source

    try:
        loader = _Loader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = ": ".join(part for part in (error.context, error.problem) if part)
        raise UserError(f"{where(mark.line + 1 if mark else 1)}: {' '.join(problem.split())}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise UserError(f"{where(line)}: {error.reason}, found #x{int(error.character):04x}") from None
    except RecursionError:
        raise UserError(f"{where(1)}: nested too deeply to be a config") from None


class _Loader(yaml.SafeLoader):
    """Plain values only, as ``yaml.safe_load``, and strict about keys."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            # A handful of nested aliases writes out as gigabytes.
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(
                None, None, "aliases (*name) are not allowed; write the value again", mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        lines: dict[Any, int] = {}
        for key_node, _ in node.value:
            key, line = self.construct_object(key_node, deep=True), key_node.start_mark.line + 1
            if not isinstance(key, str) or not key.isprintable():
                raise _problem(key_node, f"a key must be a string, got {key!r}; put it in quotes")
            if key in lines:
                raise _problem(key_node, f"key '{key}' appears twice, first in line {lines[key]}; keep one")
            lines[key] = line
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (yaml.YAMLError, RecursionError):
            raise
        except Exception:
            # PyYAML hands impossible dates, endless numbers and the like to Python's own constructors.
            raise _problem(node, f"{reprlib.repr(node.value)} is no valid {node.tag.rpartition(':')[2]}") from None


# YAML 1.1, which PyYAML reads, wants a dot and a sign: 1.0e-3.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def _problem(node: yaml.Node, problem: str) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
