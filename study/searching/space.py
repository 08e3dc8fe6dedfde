"""Search spaces: YAML files that name config fields and the values they may take.

A file maps a config key to ``{low, high}`` (with ``log: true`` or ``step``), or to ``{choices: [...]}``. Whether a
number is whole is the config field's business. Every bound and choice must itself be a legal value of its field.
Under ``first`` a file may list settings that a search should try before anything else.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)

from sea_core.config import Config
from sea_core.errors import UserError, suggest
from sea_core.models.registry import find_model, keys_unread, what_instead
from sea_core.strict_yaml import read_yaml

Space = dict[str, BaseDistribution]

SHIPPED = Path(__file__).parents[1] / "spaces"
DEFAULT = "default"  # of sea; other models have a space of their name
FIRST = "first"  # key of a file
_NOT_SEARCHED = ("epochs", "valid_metric", "metrics")
_RANGE_KEYS, _CHOICE_KEYS = {"low", "high", "log", "step"}, {"choices"}


def load_space(name_or_path: str) -> Space:
    """Read a search space: the name of one in ``study/spaces``, or a YAML file.

    Raises:
        UserError: no such file, malformed YAML, an unknown key, or bounds that make no sense.
    """
    return parse_space(*read_space(name_or_path))


def read_space(name_or_path: str) -> tuple[dict[str, Any], str]:
    """The content of a space's file, for ``parse_space`` and ``parse_first``, and where it lies.

    Raises:
        UserError: no such file, or malformed YAML.
    """
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        path = SHIPPED / f"{name_or_path}.yaml"
        if not path.is_file() or path.parent != SHIPPED:
            names = [file.stem for file in SHIPPED.glob("*.yaml")]
            raise UserError(
                f"unknown search space '{name_or_path}'{suggest(name_or_path, names)} (or give a .yaml file)"
            )
    return read_yaml(path), str(path)


def parse_space(content: Mapping[str, Any], source: str) -> Space:
    """Turn a mapping of config keys to ranges or choices into Optuna distributions, in the mapping's order.

    Raises:
        UserError: as ``load_space``.
    """
    ranges = {key: entry for key, entry in content.items() if key != FIRST}
    if not ranges:
        raise UserError(f"{source} names no config key; expected lines like 'temperature: {{low: 0.05, high: 1}}'")
    known = {field.name for field in fields(Config)}
    for key in ranges:
        if key not in known:
            raise UserError(f"unknown config key '{key}' in {source}{suggest(str(key), known)}")
        if key == "model":
            raise UserError(
                f"model cannot be searched ({source}): a space is one model's; search each with --model NAME"
            )
        if key in _NOT_SEARCHED:
            raise UserError(f"{key} cannot be searched ({source}): trials would not be comparable; fix it with --set")
    return {str(key): _distribution(str(key), entry, f"{key} in {source}") for key, entry in ranges.items()}


def check_space(space: Space, model: str, *, source: str) -> None:
    """Refuse a space with parameters that a model does not read.

    Raises:
        UserError: it has one.
    """
    chosen = find_model(model)
    for key in space:
        if key in keys_unread(chosen):
            raise UserError(
                f"{source} searches '{key}', which model '{model}' does not read; {what_instead(key, chosen)}"
            )


def space_of_model(model: str) -> str:
    """The name of the shipped space of a model's parameters.

    Raises:
        UserError: the model has none.
    """
    name = DEFAULT if model == Config.model else model
    if not (SHIPPED / f"{name}.yaml").is_file():
        raise UserError(f"no search space of model '{model}' is shipped; write one and give --space FILE")
    return name


def parse_first(content: Mapping[str, Any], source: str) -> list[dict[str, Any]]:
    """The settings that a space wants tried first, each with some of its parameters; none if it names none.

    Raises:
        UserError: no list of settings, a key that the space does not search, or a value outside its range.
    """
    space, entries = parse_space(content, source), content.get(FIRST, [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) and entry for entry in entries):
        raise UserError(f"{FIRST} in {source} must be a list of settings like {{temperature: 0.2}}, got {entries!r}")
    settings = []
    for entry in entries:
        for name in entry:
            if name not in space:
                raise UserError(f"{FIRST} in {source} sets '{name}', which is not searched{suggest(str(name), space)}")
        setting = {str(name): _legal(str(name), value, f"{FIRST} in {source}") for name, value in entry.items()}
        for name, value in setting.items():
            if not contains(space[name], value):
                raise UserError(f"{FIRST} in {source} sets {name} to {value!r}, outside its range there")
        settings.append(setting)
    return settings


def as_plain(space: Space) -> dict[str, Any]:
    """The space in the form its YAML file has, so that it can be stored, shown and compared."""
    plain: dict[str, Any] = {}
    for name, distribution in space.items():
        if isinstance(distribution, CategoricalDistribution):
            plain[name] = {"choices": list(distribution.choices)}
        elif isinstance(distribution, FloatDistribution | IntDistribution):
            entry = {"low": distribution.low, "high": distribution.high}
            if distribution.log:
                entry["log"] = True
            elif distribution.step not in (None, 1):
                entry["step"] = distribution.step
            plain[name] = entry
        else:
            raise TypeError(f"{name}: {distribution_to_json(distribution)} has no YAML form")
    return plain


def describe(space: Space) -> list[str]:
    """One readable line per parameter."""
    lines = []
    for name, entry in as_plain(space).items():
        if "choices" in entry:
            lines.append(f"{name}: one of {', '.join(map(str, entry['choices']))}")
        else:
            notes = [", log scale" if entry.get("log") else "", f", step {entry['step']}" if "step" in entry else ""]
            lines.append(f"{name}: {entry['low']} to {entry['high']}{''.join(notes)}")
    return lines


def contains(distribution: BaseDistribution, value: Any) -> bool:
    """Whether a value is one that the distribution can give."""
    try:
        # Private, as Optuna offers no public question; steps and log scales in our own words would drift from it.
        return distribution._contains(distribution.to_internal_repr(value))
    except ValueError:  # Optuna has no number for it
        return False


def grid(space: Space) -> list[dict[str, Any]]:
    """Every combination of the space's values, the last parameter changing fastest.

    Raises:
        UserError: a continuous range without a step has no finite set of values.
    """
    values = [_values(name, distribution) for name, distribution in space.items()]
    return [dict(zip(space, cell, strict=True)) for cell in itertools.product(*values)]


def _values(name: str, distribution: BaseDistribution) -> list[Any]:
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    if isinstance(distribution, IntDistribution):
        return list(range(distribution.low, distribution.high + 1, distribution.step))
    assert isinstance(distribution, FloatDistribution)
    if distribution.step is None:
        raise UserError(
            f"a grid needs a finite set of values, but {name} is a continuous range "
            f"({distribution.low} to {distribution.high}); give it a 'step', or 'choices', or use another --sampler"
        )
    count = round((distribution.high - distribution.low) / distribution.step) + 1
    return [distribution.low + index * distribution.step for index in range(count)]


def _distribution(key: str, entry: Any, where: str) -> BaseDistribution:
    if not isinstance(entry, Mapping):
        raise UserError(f"{where} must be {{low, high}} or {{choices: [...]}}, got {entry!r}")
    allowed = _CHOICE_KEYS if "choices" in entry else _RANGE_KEYS
    for name in entry:
        if name not in allowed:
            raise UserError(f"unknown entry '{name}' of {where}{suggest(str(name), allowed)}")
    if "choices" in entry:
        return _choices(key, entry["choices"], where)
    if missing := {"low", "high"} - set(entry):
        raise UserError(f"{where} lacks '{min(missing)}'; a range needs low and high")
    return _range(key, dict(entry), where)


def _choices(key: str, choices: Any, where: str) -> BaseDistribution:
    if not isinstance(choices, list) or not choices:
        raise UserError(f"choices of {where} must be a list with at least one value, got {choices!r}")
    values = [_legal(key, value, where) for value in choices]
    for value in values:
        if isinstance(value, Mapping):
            raise UserError(f"choices of {where} must be numbers, strings, true, false or null, got {value!r}")
    if len({repr(value) for value in values}) < len(values):
        raise UserError(f"choices of {where} repeat a value: {values}")
    return CategoricalDistribution(values)


def _range(key: str, entry: dict[str, Any], where: str) -> BaseDistribution:
    low, high = _bound(key, entry["low"], where), _bound(key, entry["high"], where)
    log, step = entry.get("log", False), entry.get("step")
    if not isinstance(log, bool):
        raise UserError(f"log of {where} must be true or false, got {log!r}")
    if low > high:
        raise UserError(f"low of {where} must be <= high, got low {low} and high {high}")
    if log and low <= 0:
        raise UserError(f"low of {where} must be > 0 on a log scale, got {low}")
    if step is not None:
        step = _number(step, where)
        if log:
            raise UserError(f"{where} has both log and step; choose one")
        if step <= 0:
            raise UserError(f"step of {where} must be > 0, got {step}")
        count = (high - low) / step
        if abs(count - round(count)) > 1e-8:
            raise UserError(f"step of {where} must divide the range: {low} to {high} is {count:.4g} steps of {step}")
    if isinstance(low, int):
        if step is not None and step != int(step):
            raise UserError(f"step of {where} must be a whole number, because {key} is one, got {step}")
        return IntDistribution(low, high, log=log, step=1 if step is None else int(step))
    return FloatDistribution(low, high, log=log, step=step)


def _bound(key: str, value: Any, where: str) -> Any:
    """A bound as its config field stores it: int or float, whichever the field is."""
    legal = _legal(key, _number(value, where), where)
    if isinstance(legal, bool) or not isinstance(legal, int | float):
        raise UserError(f"{where} is no number, so it has no range; give choices: [...]")
    return legal


def _number(value: Any, where: str) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UserError(f"bounds of {where} must be finite numbers, got {value!r}")
    return value


def _legal(key: str, value: Any, where: str) -> Any:
    """The value as ``Config`` stores it, or its complaint."""
    return Config.legal(key, value, source=where)
