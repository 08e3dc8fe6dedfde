"""Search spaces of MMRec and RecBole, read as they are: names and values in this project's words.

MMRec lists in its YAML which keys are searched (``hyper_parameters``), and each of them holds its values. RecBole has a
line a parameter in a file like ``hyper.test``: ``learning_rate loguniform -8,0``. Its ``loguniform`` bounds are natural
logarithms, as hyperopt takes them.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sea_core.errors import UserError, suggest
from sea_core.mmrec_names import CONFIG_KEYS
from sea_core.models.registry import find_model, keys_read, nearest_key
from sea_core.strict_yaml import read_yaml

SEARCHED = "hyper_parameters"  # key of MMRec's files
RECBOLE = (".test", ".hyper")  # suffixes of RecBole's files

# What one model means by a name that another model uses for something else (docs/search.md lists all names).
SAME_OF_MODEL: Mapping[str, Mapping[str, str]] = {
    "freedom": {"dropout": "edge_dropout", "reg_weight": "modality_weight"},
    "freedom+sea": {"dropout": "edge_dropout", "reg_weight": "modality_weight"},
}
_HINTS = {"seed": "seeds are no hyper-parameter here: --seeds-per-trial judges a trial on several"}


class ForeignSpace(NamedTuple):
    """A space of another project.

    Attributes:
        content: as a space file of this project holds it.
        notes: what was renamed, skipped or not taken over, a line each.
    """

    content: dict[str, Any]
    notes: list[str]


def is_foreign(path: Path) -> bool:
    """Whether a file is one of RecBole's, by its suffix, or of MMRec's, by its key ``hyper_parameters``.

    Raises:
        UserError: a YAML file that cannot be read.
    """
    if path.suffix in RECBOLE:
        return True
    return path.suffix in (".yaml", ".yml") and SEARCHED in read_yaml(path)


def read_foreign(path: Path, model: str, *, skip_unknown: bool = False) -> ForeignSpace:
    """Read a space of MMRec or RecBole for a model.

    Args:
        path: of the file.
        model: whose keys count.
        skip_unknown: leave out parameters that mean nothing here, instead of refusing the file.

    Raises:
        UserError: an unreadable or malformed file, parameters that mean nothing here, or none that does.
    """
    entries, fixed = (_recbole(path), dict[str, Any]()) if path.suffix in RECBOLE else _mmrec(path)
    names = {**CONFIG_KEYS, **SAME_OF_MODEL.get(model, {})}
    read = keys_read(find_model(model))
    content: dict[str, Any] = {}
    notes: list[str] = []
    unknown: list[str] = []
    for name, entry in entries.items():
        key = names.get(name, name)
        if key not in read or key in ("epochs", "metrics", "valid_metric"):
            unknown.append(f"{name} ({_HINTS.get(name) or _nearest(name, key, model)})")
            continue
        if key in content:
            raise UserError(f"{path}: two parameters mean '{key}' here, the second is '{name}'; leave one of them out")
        content[key] = entry
        if key != name:
            notes.append(f"{path.name}: {name} is {key} here")
    if unknown and not skip_unknown:
        raise UserError(
            f"{path} searches what model '{model}' does not have: {'; '.join(unknown)}; --skip-unknown leaves "
            f"{'it' if len(unknown) == 1 else 'them'} out"
        )
    if not content:
        raise UserError(f"{path} searches nothing that model '{model}' has: {', '.join(entries)}")
    notes += [f"{path.name}: skipped {each}" for each in unknown]
    if fixed:
        shown = ", ".join(f"{name}: {value}" for name, value in fixed.items())
        notes.append(f"{path.name}: fixed values are not taken over ({shown}); give what you want with --set")
    return ForeignSpace(content, notes)


def _nearest(name: str, key: str, model: str) -> str:
    """What a reader may have meant, of the keys that the model reads."""
    return f"the nearest key is '{nearest_key(key if key != name else name, find_model(model))}'"


def _mmrec(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Searched parameters as choices, and the file's fixed values."""
    content = read_yaml(path)
    searched = content.pop(SEARCHED)
    if not isinstance(searched, list) or not all(isinstance(name, str) for name in searched):
        raise UserError(f"{path}: {SEARCHED} must be a list of names, got {searched!r}")
    if not searched:
        raise UserError(f"{path}: {SEARCHED} is empty, so nothing is searched")
    entries: dict[str, Any] = {}
    for name in dict.fromkeys(searched):
        if name not in content and name in _HINTS:
            entries[name] = {"choices": []}  # MMRec has its values in another file; it is named as unknown anyway
            continue
        if name not in content:
            raise UserError(f"{path}: {SEARCHED} names '{name}', which has no values{suggest(name, content)}")
        values = content.pop(name)
        entries[name] = {"choices": _distinct(values if isinstance(values, list) else [values])}
    return entries, content


def _recbole(path: Path) -> dict[str, Any]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UserError(f"cannot read {path}: {reason}") from None
    entries: dict[str, Any] = {}
    for number, line in enumerate(lines, start=1):
        words, where = line.split(), f"{path}, line {number}"
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 3:
            raise UserError(f"{where}: expected 'name kind values', like 'learning_rate loguniform -8,0', got {line!r}")
        name, kind, text = words[0], words[1], "".join(words[2:])
        if kind not in _KINDS:
            raise UserError(f"{where}: unknown kind '{kind}'{suggest(kind, _KINDS)}; RecBole has {', '.join(_KINDS)}")
        if name in entries:
            raise UserError(f"{where}: '{name}' stands there a second time")
        entries[name] = _KINDS[kind](text, where)
    if not entries:
        raise UserError(f"{path} names no parameter; expected lines like 'learning_rate loguniform -8,0'")
    return entries


def _choice(text: str, where: str) -> dict[str, Any]:
    try:
        values = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        values = None
    if not isinstance(values, list | tuple) or not values:
        raise UserError(f"{where}: choice must be a list of values, like [0.1,0.2], got '{text}'")
    return {"choices": _distinct(list(values))}


def _uniform(text: str, where: str) -> dict[str, Any]:
    low, high = _numbers(text, 2, where)
    return {"low": low, "high": high}


def _quniform(text: str, where: str) -> dict[str, Any]:
    """Multiples of the step, as hyperopt rounds to them."""
    low, high, step = _numbers(text, 3, where)
    if step <= 0:
        raise UserError(f"{where}: the step of quniform must be > 0, got {step}")
    return {"low": round(low / step) * step, "high": round(high / step) * step, "step": step}


def _loguniform(text: str, where: str) -> dict[str, Any]:
    low, high = _numbers(text, 2, where)
    if high > 50:
        raise UserError(f"{where}: bounds of loguniform are natural logarithms (-8,0 is 0.00034 to 1), got '{text}'")
    # Six digits, so that a space can be read and compared.
    return {"low": float(f"{math.exp(low):.6g}"), "high": float(f"{math.exp(high):.6g}"), "log": True}


_KINDS: Mapping[str, Callable[[str, str], dict[str, Any]]] = {
    "choice": _choice,
    "uniform": _uniform,
    "quniform": _quniform,
    "loguniform": _loguniform,
}


def _numbers(text: str, count: int, where: str) -> list[float]:
    try:
        numbers = [_plain(float(part)) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(math.isfinite(number) for number in numbers):
        raise UserError(f"{where}: expected {count} numbers with a comma between them, got '{text}'")
    return numbers


def _plain(number: float) -> float:
    """A whole number as one: the field may want it, and others take it too."""
    return int(number) if number.is_integer() else number


def _distinct(values: list[Any]) -> list[Any]:
    """Values once each, in their order."""
    return [value for n, value in enumerate(values) if value not in values[:n]]
