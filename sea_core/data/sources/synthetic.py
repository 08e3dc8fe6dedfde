"""The source ``synthetic``: planted data, whose options are the knobs of the generator."""

from __future__ import annotations

from sea_core.data.sources.registry import register_source
from sea_core.data.sources.source import Source
from sea_core.data.splits import Contents
from sea_core.data.synthetic import Knobs, open_synthetic


class Synthetic(Source):
    """Planted data with known factors (``sea_core/data/synthetic.py``)."""

    name = "synthetic"
    summary = "planted data with known factors, made in a moment; synthetic:users=500,noise=0.5 sets knobs"

    def canonical(self, options: str) -> str:
        """The knobs that differ from the defaults, in the order of the fields."""
        return Knobs.parse(options).write()

    def open(self, options: str) -> Contents:
        """Plant; equal knobs give equal bytes."""
        return open_synthetic(Knobs.parse(options))


register_source(Synthetic())
