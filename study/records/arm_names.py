"""Names of the shipped arms and suites, and the order of tables; ``ablation/arms.py`` reads the arms."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from sea_core.errors import UserError, suggest
from sea_core.strict_yaml import read_yaml

FULL = "full"  # the arm that every other is compared with
ALL = "all"  # the suite of every arm there is
ABLATIONS = Path(str(files("ablations")))


def suite_arms(name: str) -> list[str]:
    """Arms of a suite of ``ablations/suites.yaml`` as it lists them; of ``ALL``, every shipped arm.

    Raises:
        UserError: an unknown suite, or a faulty file.
    """
    suites = read_yaml(ABLATIONS / "suites.yaml")
    if name == ALL:
        listed = dict.fromkeys(arm for suite in suites.values() for arm in suite)
        return [*listed, *sorted(arm_names() - listed.keys())]
    if name not in suites:
        raise UserError(f"unknown suite '{name}'{suggest(name, [*suites, ALL])}")
    return list(suites[name])


def suite_names() -> list[str]:
    """Suites that ``suite_arms`` knows."""
    return [*read_yaml(ABLATIONS / "suites.yaml"), ALL]


def arm_names() -> set[str]:
    """Shipped arms."""
    return {path.stem for path in (ABLATIONS / "arms").glob("*.yaml")}


def in_order(names: Iterable[str]) -> list[str]:
    """Names of arms as tables list them, each once: ``full``, then as in the suites, then the user's own by name."""
    given = set(names)
    known = [arm for arm in dict.fromkeys([FULL, *suite_arms(ALL)]) if arm in given]
    return [*known, *sorted(given - set(known))]
