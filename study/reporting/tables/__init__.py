"""Tables of a study: one file each, ``compute(results) -> Table``; ``render.py`` makes CSV, Markdown and LaTeX."""
