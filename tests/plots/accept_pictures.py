"""Replace the baseline pictures by what is drawn now: ``python -m tests.plots.accept_pictures``. Look at them first."""

import tempfile
from pathlib import Path

from plots.lib.figure import canvas
from plots.lib.style import paper_style
from study.records.study import load_study
from tests.plots.lib.test_figures import BASELINE, small_png
from tests.plots.shown import ALL_FIGURES, compute
from tests.plots.tiny_study import write_study

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        study = load_study(write_study(Path(folder)))
        BASELINE.mkdir(exist_ok=True)
        for name, figure_file in ALL_FIGURES.items():
            with paper_style():
                figure = canvas(figure_file, compute(name, study, Path(folder) / name))
            print(small_png(figure, BASELINE / f"{name}.png"))
