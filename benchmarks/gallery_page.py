"""A study's page in the gallery: its report, tables and some figures as small files, and a page that leads to them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from plots.lib.figures import FIGURES
from sea_core.errors import UserError
from study.records.study import Study, load_study
from study.reporting.bundling.facts import Facts

FIGURES_SHOWN = 6
# Worth looking at, the first ones first; those that a study has none of make room for the next.
PREFERRED = (
    "ablation",
    "search_value",
    "path",
    "interaction",
    "convergence",
    "sensitivity",
    "club_bound",
    "user_differences",
    "search_history",
)
TABLES_SHOWN = (".csv", ".md")


def write_page(folder: Path, gallery: Path, *, about: str = "") -> Path:
    """Copy what is worth showing of a finished study, and write the page about it.

    Args:
        folder: a study folder with tables, figures and report.
        gallery: where the pages lie; the dataset's folder there is made anew.
        about: of another study of the dataset than the main one, what it is about: the end of the folder's name.

    Returns:
        The page, ``<gallery>/<dataset>/README.md``; with ``about`` in ``<dataset>-<about>``.

    Raises:
        UserError: no study there, or no report of it yet.
    """
    study = load_study(folder)
    for needed in ("report.html", "tables", "figures"):
        if not (folder / needed).exists():
            raise UserError(f"{folder} has no {needed}; python study/make_report.py {folder} and its kin write them")
    page_folder = gallery / re.sub(r"[^A-Za-z0-9._-]+", "-", f"{study.dataset}{'-' * bool(about)}{about}")
    shutil.rmtree(page_folder, ignore_errors=True)
    page_folder.mkdir(parents=True)
    (page_folder / "report.html").write_text(_report(study, folder), encoding="utf-8")
    tables = sorted(path for path in (folder / "tables").iterdir() if path.suffix in TABLES_SHOWN)
    figures = [name for name in PREFERRED if (folder / "figures" / f"{name}.png").exists()][:FIGURES_SHOWN]
    for path in (*tables, *(folder / "figures" / f"{name}.png" for name in figures)):
        shutil.copy(path, page_folder)
    page = page_folder / "README.md"
    page.write_text(_text(study, page_folder, figures), encoding="utf-8")
    return page


def _report(study: Study, folder: Path) -> str:
    """The report; of where the data lay on the machine it says the last folder only."""
    text = (folder / "report.html").read_text(encoding="utf-8")
    source = str(Facts(study).data().get("source", ""))
    return text.replace(source, Path(source).name) if Path(source).is_absolute() else text


def _text(study: Study, folder: Path, figures: list[str]) -> str:
    facts = Facts(study)
    parts = [
        f"# {folder.name}",
        "The [report](report.html) begins with the answer; save it and open it in a browser. Everything here was "
        "written by programs, from the study's records.",
        f"## How it came about\n\n{_how(facts, folder)}\n\n```\n{_commands(facts)}\n```",
        "## Figures\n\n" + "\n\n".join(_figure(name) for name in figures),
        "## Tables\n\n| table | about |\n|---|---|\n" + "\n".join(_table_rows(folder)),
    ]
    return "\n\n".join(parts) + "\n"


def _how(facts: Facts, folder: Path) -> str:
    environment = facts.environment()
    machines = "; ".join(_machine(machine) for machine in environment["machines"]) or "a machine that nobody wrote down"
    torch = ", ".join(sorted({str(versions.get("torch", "?")) for versions in environment["versions"]}))
    commits = ", ".join(f"`{commit[:12]}{'-dirty' * commit.endswith('-dirty')}`" for commit in facts.commits)
    costs = pd.read_csv(folder / "costs.csv") if (folder / "costs.csv").exists() else None
    spent = (
        ""
        if costs is None
        else f" {int(costs.runs.sum())} runs took {costs.cpu_seconds.sum() / 3600:.2f} hours of processor time."
    )
    return f"On {machines}, with torch {torch}, at commit {commits or 'unknown'}.{spent}"


def _machine(machine: dict[str, Any]) -> str:
    known = [str(machine[key]) for key in ("cpu",) if machine.get(key)]
    cores = f"{machine['cores']} cores" if machine.get("cores") else ""
    return ", ".join([*known, *([cores] if cores else [])]) or "a machine"


def _commands(facts: Facts) -> str:
    """Every call, once each."""
    calls = [str(call.get("command", "")) for call in facts.calls]
    return "\n".join(dict.fromkeys(f"python {call}" for call in calls if call))


def _figure(name: str) -> str:
    module = FIGURES[name]
    return f"![{module.TITLE}]({name}.png)\n\n*{module.CAPTION}*"


def _table_rows(folder: Path) -> list[str]:
    """A link to each table, with the first sentence of its caption."""
    rows = []
    for path in sorted(folder.glob("*.md")):
        if path.name == "README.md":
            continue
        caption = path.read_text(encoding="utf-8").split("\n", 1)[0]
        first = re.split(r"(?<=[.:])\s", caption, maxsplit=1)[0].rstrip(":.")
        csv = f", [CSV]({path.stem}.csv)" if path.with_suffix(".csv").exists() else ""
        rows.append(f"| [{path.stem}]({path.name}){csv} | {first} |")
    return rows
