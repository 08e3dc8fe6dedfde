"""The figure of ``bench_search.py``: value of the choice on a fresh seed against epochs spent."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from plots.lib.style import MARKERS, PAGE, PALETTE, paper_style

SHOWN = {  # methods drawn with a band; the others are in the table
    "default alone": "default alone",
    "grid of 36": "grid of 36",
    "tpe, median, 40 epochs": "TPE, median, 40 epochs",
    "random": "random",
    "first + random": "default first, random",
    "first + tpe": "default first, TPE",
    "first + tpe, promote": "default first, TPE, pause and promote",
}


def draw(curves: pd.DataFrame, path: Path) -> Path:
    """Draw one panel a dataset; ``curves`` has ``dataset, method, whole_runs, median, low, high``."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    datasets = list(curves["dataset"].unique())
    with paper_style():
        figure, axes = plt.subplots(1, len(datasets), figsize=(PAGE, 3.0), squeeze=False, layout="constrained")
        for panel, (ax, dataset) in enumerate(zip(axes[0], datasets, strict=True)):
            for index, (method, label) in enumerate(SHOWN.items()):
                rows = curves[(curves["dataset"] == dataset) & (curves["method"] == method)]
                if rows.empty:
                    continue
                colour = PALETTE[index % len(PALETTE)]
                ax.plot(
                    rows["whole_runs"],
                    rows["median"],
                    color=colour,
                    marker=MARKERS[index % len(MARKERS)],
                    markevery=5,
                    label=label,
                )
                ax.fill_between(rows["whole_runs"], rows["low"], rows["high"], color=colour, alpha=0.12, linewidth=0)
            ax.set(title=dataset, xlabel="budget (whole runs of the default)")
            if panel == 0:
                ax.set_ylabel("validation recall@20, fresh seed")
        figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
        plt.close(figure)
    return path
