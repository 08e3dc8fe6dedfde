"""Figure code: one figure a file, `compute` then `draw`."""

import os

from sea_core.cache import cache_root

# Matplotlib keeps its list of fonts in the home folder unless told otherwise; nothing is written outside the project.
os.environ.setdefault("MPLCONFIGDIR", str(cache_root() / "matplotlib"))
