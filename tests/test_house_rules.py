"""Rules of the house that no linter checks."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST_PARAMETERS = 6
REASON = "More than six parameters: "


def functions() -> list[tuple[str, ast.FunctionDef]]:
    packages = ("sea_core", "study", "plots", "ablations", "benchmarks")
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node)
        for package in packages
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    ]


def parameters(node: ast.FunctionDef) -> int:
    arguments = node.args
    names = [each.arg for each in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]]
    return len([name for name in names if name not in ("self", "cls")])


def test_a_function_takes_at_most_six_parameters_or_says_why_not() -> None:
    many = {name: node for name, node in functions() if parameters(node) > MOST_PARAMETERS}
    assert [name for name, node in many.items() if REASON not in (ast.get_docstring(node) or "")] == []


def test_only_functions_with_many_parameters_give_a_reason() -> None:
    few = {name: node for name, node in functions() if parameters(node) <= MOST_PARAMETERS}
    assert [name for name, node in few.items() if REASON in (ast.get_docstring(node) or "")] == []
