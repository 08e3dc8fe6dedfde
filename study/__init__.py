"""Studies of recommenders: search, selection, ablations, records, statistics and reports.

``import study`` offers what the programs do, in ``study.__all__``; each name's documentation has an example. Everything
else is internal. Names are loaded when they are first used, because torch takes seconds to import.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from study.api.bundles import check_bundle, make_bundle
    from study.api.imports import add_results
    from study.api.results import compare, draw, load_study, report, tables
    from study.api.studies import ablate, finalize, path, plan, search
    from study.planning.requests import AblationRequest, PathRequest, SearchRequest
    from study.running.resources import Resources

__all__ = [
    "AblationRequest",
    "PathRequest",
    "Resources",
    "SearchRequest",
    "ablate",
    "add_results",
    "check_bundle",
    "compare",
    "draw",
    "finalize",
    "load_study",
    "make_bundle",
    "path",
    "plan",
    "report",
    "search",
    "tables",
]

_HOME = {
    "AblationRequest": "study.planning.requests",
    "PathRequest": "study.planning.requests",
    "Resources": "study.running.resources",
    "SearchRequest": "study.planning.requests",
    "add_results": "study.api.imports",
    **dict.fromkeys(("check_bundle", "make_bundle"), "study.api.bundles"),
    **dict.fromkeys(("ablate", "finalize", "path", "plan", "search"), "study.api.studies"),
    **dict.fromkeys(("compare", "draw", "load_study", "report", "tables"), "study.api.results"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'study' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
