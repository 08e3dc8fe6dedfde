"""That every config field is alive: changing it changes what it says it changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import cache
from typing import NamedTuple

from sea_core.cache import temporary_cache
from sea_core.config import Config
from sea_core.errors import UserError, suggest
from study.verification.auditing.observables import OBSERVABLES, Observation, observe
from study.verification.auditing.perturbations import BASE, Change, base_config, change_of

_WHERE = "sea_core/config.py"


class Finding(NamedTuple):
    """What the audit found about a field or a cached thing.

    Attributes:
        subject: the field, or the thing and its input.
        change: what was changed, in words.
        expected: what had to move.
        moved: everything that did.
        problem: what is wrong and what to write; None if all is well.
    """

    subject: str
    change: str
    expected: str
    moved: tuple[str, ...]
    problem: str | None


def audit_knobs(
    config_class: type[Config] = Config,
    *,
    only: Sequence[str] | None = None,
    progress: Callable[[str], None] = lambda subject: None,
) -> list[Finding]:
    """Change every field of a config class and watch its observable.

    Args:
        config_class: ``Config``, or a subclass.
        only: names of the fields to audit; None = all.
        progress: told each field before its turn.

    Raises:
        UserError: ``only`` names no field.
    """
    names = [item.name for item in fields(config_class)]
    for name in only or ():
        if name not in names:
            raise UserError(f"unknown config key '{name}'{suggest(name, names)}")
    findings = []
    with temporary_cache():  # stand-ins must not be found again by real runs
        plain = cache(lambda: observe(config_class(**BASE)))
        for item in fields(config_class):
            if only is None or item.name in only:
                progress(item.name)
                findings.append(_audit(config_class, item.name, item.metadata.get("observable"), plain))
    return findings


def _audit(config_class: type[Config], name: str, observable: str | None, plain: Callable[[], Observation]) -> Finding:
    if observable not in OBSERVABLES:
        undeclared = (
            f"{name} has no observable ({observable!r}): declare it in {_WHERE} with _choice(..., observable=...), "
            f"one of {', '.join(OBSERVABLES)}, whichever the field moves first"
        )
        return Finding(name, "", str(observable), (), undeclared)
    change = change_of(config_class, name)
    if change is None:
        unknown = (
            f"no other value is known for {name}: add one to CHANGES in study/verification/auditing/perturbations.py, "
            "with the settings beside which it shows"
        )
        return Finding(name, "", observable, (), unknown)
    base = base_config(config_class, change.beside)
    changed = base.override(**{name: change.value})
    shown = f"{_show(getattr(base, name))} -> {_show(change.value)}"
    if base.hash() == changed.hash():
        return Finding(name, shown, observable, (), f"{name} is not part of Config.hash(): records would be confused")
    before, after = _observations(base, changed, change, plain)
    moved = tuple(each for each in OBSERVABLES if getattr(before, each) != getattr(after, each))
    problem: str | None = None
    if not moved:
        problem = f"{name} is dead: nothing moved; read it where it belongs, or remove it from {_WHERE}"
    elif observable not in moved:
        problem = f"{name} does not move its observable {observable}, only {', '.join(moved)}; correct {_WHERE}"
    return Finding(name, shown, observable, moved, problem)


def _observations(
    base: Config, changed: Config, change: Change, plain: Callable[[], Observation]
) -> tuple[Observation, Observation]:
    with change.within():
        return observe(base) if change.beside else plain(), observe(changed)


def _show(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
