"""What a figure's text covers once it is drawn: the boxes that must neither overlap nor leave the page."""

from itertools import combinations
from typing import Any, NamedTuple
from unittest import mock

from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox


class Drawn(NamedTuple):
    text: str
    box: Bbox


def drawn_text(figure: Figure) -> list[Drawn]:
    """Every text that drawing the figure puts on the page; tick labels outside the axes are never drawn."""
    figure.draw_without_rendering()  # lays out
    drawn: dict[int, Drawn] = {}
    original = Text.draw

    def record(self: Text, renderer: Any) -> None:
        if self.get_visible() and self.get_text().strip():
            drawn[id(self)] = Drawn(self.get_text(), self.get_window_extent(renderer))
        original(self, renderer)

    with mock.patch.object(Text, "draw", record):
        figure.canvas.draw()
    return list(drawn.values())


def overlaps(texts: list[Drawn], *, pixels: float = 1.0) -> list[tuple[str, str]]:
    """Pairs whose boxes share more than ``pixels`` in both directions."""
    pairs = []
    for a, b in combinations(texts, 2):
        shared = Bbox.intersection(a.box, b.box)
        if shared is not None and shared.width > pixels and shared.height > pixels:
            pairs.append((a.text, b.text))
    return pairs


def clipped(figure: Figure, texts: list[Drawn], *, pixels: float = 1.0) -> list[str]:
    """Texts that reach beyond the page."""
    page = figure.bbox.padded(pixels)
    return [text for text, box in texts if not (page.contains(*box.min) and page.contains(*box.max))]
