"""Tables of a study: one file each, ``compute(...) -> Table``; ``render.py`` writes them as CSV, Markdown and LaTeX."""
