"""The figures there are: those of the files in ``plots``, and those that plugins register."""

from __future__ import annotations

import sys

from plots.lib.figure import FigureFile
from sea_core.registry import Registry

# Of one study, and of several.
FIGURES: Registry[FigureFile] = Registry("figure", package="plots")
JOINT_FIGURES: Registry[FigureFile] = Registry("figure of several studies", package="plots")


def register_figure(module: str, *, name: str | None = None, place: int = 1000, joint: bool = False) -> None:
    """Make a file a figure; it calls this with its own ``__name__`` and holds what ``FigureFile`` says.

    Args:
        module: the file's ``__name__``.
        name: of the figure's files; None takes the module's.
        place: in the report, from the top.
        joint: it shows several studies; else one.

    Raises:
        UserError: the name is another's.
    """
    part, own = sys.modules[module], name or module.rpartition(".")[2]
    (JOINT_FIGURES if joint else FIGURES).register(own, part, place=place)
