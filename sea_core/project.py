"""Where a project's folders lie: in the checkout that the code is run from, or in the current folder once installed."""

from __future__ import annotations

from pathlib import Path


def project_folder() -> Path:
    """The checkout, if the code lies in one; else the current folder."""
    checkout = Path(__file__).resolve().parents[1]
    return checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()


def in_project(name: str) -> Path:
    """A folder of the project, written relative to the current folder where that is the project."""
    project = project_folder()
    return Path(name) if project == Path.cwd() else project / name


def default_results() -> Path:
    """Parent of study folders, unless the user names another: the same wherever a program is started."""
    return in_project("results")


def default_data() -> Path:
    """Where named dataset folders lie: ``data`` in the current folder if it is there, else in the project."""
    return Path("data") if Path("data").is_dir() else in_project("data")
