"""Rules of the house that no linter checks."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST_PARAMETERS = 6
REASON = "More than six parameters: "
VAGUE = {"found", "gone", "hear", "said", "say"}  # they tell that something happened, not which quantity there is


@cache
def syntax_tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def functions() -> list[tuple[str, ast.FunctionDef]]:
    packages = ("sea_core", "study", "plots", "ablations", "benchmarks")
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node)
        for package in packages
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(syntax_tree(path))
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


def vague_names(tree: ast.Module) -> list[str]:
    """Variables, parameters and functions inside functions; a class's fields and methods are a public matter."""
    fields = {id(part) for each in ast.walk(tree) if isinstance(each, ast.ClassDef) for part in each.body}
    named: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and id(node) in fields:
            fields.add(id(node.target))
        if id(node) in fields:
            continue
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.FunctionDef(name=name):
                named.append((node.lineno, name))
    return [f"{line} {name}" for line, name in named if name in VAGUE]


def test_a_name_says_its_quantity() -> None:
    packages = ("sea_core", "study", "plots", "ablations", "benchmarks", "tests")
    files = [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]
    vague = [f"{path.relative_to(ROOT)}:{each}" for path in files for each in vague_names(syntax_tree(path))]
    assert vague == []


def test_vague_names_are_seen_wherever_a_name_is_given() -> None:
    source = """
class Rate(NamedTuple):
    found: float
    def hear(self, say): ...
def measure(*, said=1):
    for gone in []: pass
    if found := gone: pass
    return lambda found: [said for said in found]
"""
    assert sorted(vague_names(ast.parse(source))) == ["4 say", "5 said", "6 gone", "7 found", "8 found", "8 said"]
