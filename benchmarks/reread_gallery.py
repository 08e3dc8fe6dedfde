"""Read the first gallery's comparisons again under today's rules: ``python benchmarks/reread_gallery.py``.

The runs of the first gallery (2026-11-25) were not kept, but their comparisons were: difference, effect size and MDE at
full precision, intervals with four decimals (``docs/gallery_2026-11-25.csv``). Two parts of a variance follow from the
interval and the MDE, the residual from the effect size. That is all that the new rules read, but for looks: these runs
had one. The result is ``docs/gallery_reread.csv`` and the table of ``docs/statistics.md``.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from scipy import optimize  # noqa: E402

from sea_core.errors import run_program  # noqa: E402
from study.analysis.stats.behrens_fisher import half_width  # noqa: E402
from study.analysis.stats.contrasts import Evidence, Verdict, judge  # noqa: E402
from study.analysis.stats.crossed import Components  # noqa: E402
from study.analysis.stats.moderation import moderate_ratios  # noqa: E402
from study.analysis.stats.power import minimum_detectable_effect  # noqa: E402
from study.records.question import CONTRASTS, MARGIN  # noqa: E402

ROWS = ROOT / "docs" / "gallery_2026-11-25.csv"
OUT = ROOT / "docs" / "gallery_reread.csv"
PAGE = ROOT / "docs" / "statistics.md"
BEGIN, END = "<!-- gallery: begin -->", "<!-- gallery: end -->"
METRIC = "recall@20"  # by which these studies searched


class Variances(NamedTuple):
    """The parts of a difference's variance.

    Attributes:
        user, seed: the users' and the seeds' part of the mean's variance.
        residual: mean square of users x seeds.
        ratio: of the seeds' mean square to the residual; below 1 where seeds happened to agree.
    """

    user: float
    seed: float
    residual: float
    ratio: float


def variances_of(row: pd.Series, *, comparisons: int) -> Variances:
    """What interval, MDE and effect size of an old row say about its variances.

    Args:
        row: ``difference, low, high, mde, d, seeds, users``; the effect size was over the sd of a difference.
        comparisons: of the family, over which the MDE was corrected.
    """
    seeds, users = int(row["seeds"]), int(row["users"])
    width = max(row["high"] - row["difference"], row["difference"] - row["low"])
    width = (width + (row["high"] - row["low"]) / 2) / 2  # both ends are rounded
    total = (row["difference"] / row["d"]) ** 2

    def parts(share: float) -> Variances:
        """The variances of which ``share`` is the seeds' and whose interval is that of the row."""
        unit = float(half_width(1 - share, share, df=seeds - 1, user_df=users - 1, alpha=0.05))
        variance = (width / unit) ** 2
        user, seed = (1 - share) * variance, share * variance
        residual = max((total - user * users - seed * seeds) / (1 - 1 / users), 1e-12)
        return Variances(user, seed, residual, seed * seeds * users / residual)

    def too_large(share: float) -> float:
        user, seed, residual, _ = parts(share)
        components = Components(user * users, max(seed * seeds - residual / users, 0.0), residual)
        mde = minimum_detectable_effect(components, seeds=seeds, users=users, alpha=0.05 / comparisons)
        return mde - float(row["mde"])

    low, high = 0.01, 0.9999
    if too_large(low) >= 0:
        return parts(low)
    return parts(high) if too_large(high) <= 0 else parts(float(optimize.brentq(too_large, low, high)))


def reread(rows: pd.DataFrame) -> pd.DataFrame:
    """Today's verdict of every frozen arm of every dataset, beside the old one."""
    lines = []
    for dataset, everything in rows.groupby("dataset", sort=False):
        frozen = everything[everything["mode"] == "frozen"].reset_index(drop=True)
        verdicts = judged(frozen, comparisons=len(everything))
        for (_, row), verdict in zip(frozen.iterrows(), verdicts, strict=True):
            reference = row["difference"] / (row["percent"] / 100)
            family = _family(row)
            line = {"dataset": dataset, "arm": row["arm"], "metric": row["metric"], "family": family}
            line |= {"percent": round(row["percent"], 2), "old": row["verdict"], "new": verdict.kind}
            line |= {"low_percent": 100 * verdict.low / reference, "high_percent": 100 * verdict.high / reference}
            lines.append(line)
    return pd.DataFrame(lines)


def judged(frozen: pd.DataFrame, *, comparisons: int) -> list[Verdict]:
    """Verdicts of one dataset's rows, in their order: primary contrasts, rivals, other metrics."""
    evidence: dict[int, Evidence] = {}
    for _, part in frozen.groupby("metric", sort=False):
        known = [variances_of(row, comparisons=comparisons) for _, row in part.iterrows()]
        seeds = part["seeds"].to_numpy(np.int64)
        moderated = moderate_ratios(np.array([each.ratio for each in known]), seeds)
        for n, each, ratio, df in zip(part.index, known, moderated.ratio, moderated.df, strict=True):
            row = frozen.loc[n]
            cells = int(row["seeds"]) * int(row["users"])
            margin = MARGIN * abs(float(row["difference"]) / (float(row["percent"]) / 100))
            seed = float(ratio) * float(each.residual) / cells
            rest = (int(df), int(row["users"]) - 1, margin)
            evidence[n] = Evidence(int(row["seeds"]), float(row["difference"]), float(each.user), seed, *rest)
    names = [_family(row) for _, row in frozen.iterrows()]
    families = [[n for n, name in enumerate(names) if name == each] for each in ("primary", "rival", "other metric")]
    families = [family for family in families if family]
    order = [n for family in families for n in family]
    most = int(frozen["seeds"].max())
    verdicts = judge([[evidence[n]] for n in order], [len(family) for family in families], most_seeds=most)
    return [verdict for _, verdict in sorted(zip(order, verdicts, strict=True), key=lambda pair: pair[0])]


def _family(row: pd.Series) -> str:
    if row["metric"] != METRIC:
        return "other metric"
    return "primary" if row["arm"] in CONTRASTS else "rival"


def markdown(lines: pd.DataFrame) -> str:
    """The rows of the primary metric, and a count of the others."""
    text = ["| dataset | arm | difference | old verdict | verdict now | bounds |", "|---|---|---|---|---|---|"]
    for _, line in lines[lines["metric"] == METRIC].iterrows():
        bounds = " to ".join(_percent(line[name]) for name in ("low_percent", "high_percent"))
        bounds = "–" if line["new"] == "descriptive" else bounds
        cells = (line["dataset"], line["arm"], _percent(line["percent"]), line["old"], line["new"], bounds)
        text.append(f"| {' | '.join(cells)} |")
    for dataset, rest in lines[lines["metric"] != METRIC].groupby("dataset", sort=False):
        old, new = (", ".join(f"{n} {kind}" for kind, n in Counter(rest[side]).items()) for side in ("old", "new"))
        text.append(f"| {dataset} | {len(rest)} rows by other metrics | | {old} | {new} | |")
    return "\n".join(text) + "\n"


def _percent(value: float) -> str:
    return "unbounded" if np.isinf(value) else f"{value:+.1f} %".replace("-", "−")


def main(given: Sequence[str] | None = None) -> int:
    """Write the CSV and the table."""
    lines = reread(pd.read_csv(ROWS))
    lines.to_csv(OUT, index=False, lineterminator="\n", float_format="%.4g")
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n{markdown(lines)}{END}{after}", encoding="utf-8")
    print(markdown(lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(run_program(main))
