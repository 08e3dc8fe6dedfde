"""What a study found, as one paragraph with its uncertainty; every sentence is read off a row of the comparisons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from study.arms import FULL
from study.records import Study
from study.report.page import Answer, Tile
from study.tables import selection
from study.tables.measurements import BASELINE_TITLES, metric_title
from study.tables.results import Results
from study.tables.statistics import p_text

PARTS = {"no-club": "CLUB", "no-solosim": "Solosim", "no-both": "both"}
MINUS = "−"
Line = Mapping[Any, Any]  # a row of study.comparisons

_TONES = {"worse": "good", "better": "bad", "equivalent": "even", "undecided": "open", "underpowered": "open"}
# Of the arm without a part: the arm is worse, so the part helps.
_VERDICTS = {
    "worse": "helps",
    "better": "harms",
    "equivalent": "makes no difference",
    "undecided": "not decided",
    "underpowered": "not decided",
}


def answer(study: Study, results: Results) -> Answer:
    """Tiles and paragraph of one study.

    Args:
        study: one of ``results``.
        results: with the comparisons, corrected over all of their studies.
    """
    metric = _metric(study, results)
    lines = _lines(results.arms, study, metric)
    against = _lines(results.baselines, study, metric)
    tiles: list[Tile] = []
    sentences: list[str] = []
    level = _level(study, results, metric)
    if level is not None:
        tiles.append(Tile(f"SEA, test {metric_title(metric)}", *_level_tile(level), "plain"))
        sentences += _level_sentences(study, level, metric, against)
        tiles += _baseline_tile(against)
    else:
        sentences += _search_only(study, metric)
    modes = list(dict.fromkeys(line["mode"] for line in lines))
    for mode in modes:
        inside = [line for line in lines if line["mode"] == mode]
        order = list(PARTS)
        parts = sorted((line for line in inside if line["arm"] in PARTS), key=lambda line: order.index(line["arm"]))
        tiles += [_part_tile(line, mode if len(modes) > 1 else "") for line in parts if line["arm"] != "no-both"]
        sentences += _parts(parts, "With every arm re-tuned by a search of its own, removing" * (mode == "retuned"))
        sentences += _others([line for line in inside if line["arm"] not in PARTS], results.titles)
    sentences += _family(results.arms, study)
    sentences += _shrinkage(study)
    if any("[" in sentence for sentence in sentences):
        sentences.append("In brackets: 95 % intervals for users and seeds like these.")
    return Answer(study.name, study.dataset, tiles, sentences)


def difference_text(line: Line) -> str:
    """``+0.0024 [−0.0203, +0.0251]``, or without the interval where there is none."""
    text = signed(line["difference"])
    return text if math.isnan(line["low"]) else f"{text} [{signed(line['low'])}, {signed(line['high'])}]"


def signed(value: float) -> str:
    """Four decimals with a sign; no minus zero."""
    text = f"{value:+.4f}"
    return "0.0000" if float(text) == 0 else text.replace("-", MINUS)


def _metric(study: Study, results: Results) -> str:
    """The metric that the study searched by, if tables show it."""
    metric = str(study.identity.get("metric", "recall@20"))
    return metric if metric in results.metrics or not results.metrics else results.metrics[0]


def _lines(frame: pd.DataFrame, study: Study, metric: str) -> list[Line]:
    chosen = frame[(frame["study"] == study.name) & (frame["metric"] == metric)]
    return [dict(line) for line in chosen.to_dict("records")]


def _level(study: Study, results: Results, metric: str) -> tuple[float, float, int] | None:
    """Mean, sd and number of seeds on test of the winner, or of the full model of an ablation without a search."""
    measured = results.measured
    mine = measured[(measured["study"] == study.name) & (measured["metric"] == metric)]
    values = mine.loc[mine["kind"] == "winner", "value"]
    if values.empty:
        values = mine.loc[(mine["name"] == FULL) & (mine["kind"] == "arm"), "value"]
    return None if values.empty else (float(values.mean()), float(values.std()), len(values))


def _level_tile(level: tuple[float, float, int]) -> tuple[str, str]:
    mean, sd, seeds = level
    return f"{mean:.4f}", "one seed" if math.isnan(sd) else f"± {sd:.4f} over {seeds} seeds"


def _level_sentences(study: Study, level: tuple[float, float, int], metric: str, against: Sequence[Line]) -> list[str]:
    mean, sd, seeds = level
    number = f"{mean:.4f}" + ("" if math.isnan(sd) else f" ± {sd:.4f}")
    seeds_text = "one seed" if seeds == 1 else f"mean ± sd over {seeds} seeds"
    if study.winner:
        first = f"With the configuration that {_trials(study)} chose on validation (trial {study.winner[0].number}), "
    else:
        first = "With the configuration that was given, "
    text = f"{first}SEA reaches a test {metric_title(metric)} of {number} ({seeds_text} that the search had not seen)"
    if not study.winner:
        text = text.replace(" that the search had not seen", "")
    if not against:
        return [f"{text}."]
    best = max(against, key=lambda line: line["reference_mean"])
    how = "above" if best["difference"] >= 0 else "below"
    name = BASELINE_TITLES.get(best["reference"], best["reference"])
    return [
        f"{text}, {abs(100 * best['relative']):.1f} % {how} the best baseline, {name} "
        f"({difference_text(best)}{_p(best)}): {_baseline_verdict(best)}."
    ]


def _baseline_tile(against: Sequence[Line]) -> list[Tile]:
    if not against:
        return []
    best = max(against, key=lambda line: line["reference_mean"])
    name = BASELINE_TITLES.get(best["reference"], best["reference"])
    tone = {"better": "good", "worse": "bad", "equivalent": "even"}.get(best["verdict"], "open")
    value = f"{100 * best['relative']:+.1f} %".replace("-", MINUS)
    return [Tile(f"Against {name}", value, _baseline_verdict(best), tone)]


def _baseline_verdict(line: Line) -> str:
    words = {"better": "better", "worse": "worse", "equivalent": "equivalent"}
    return words.get(line["verdict"], "not decided")


def _part_tile(line: Line, mode: str) -> Tile:
    detail = f"without it {difference_text(line)}"
    label = PARTS[line["arm"]] + (f" ({mode})" if mode else "")
    return Tile(label, _VERDICTS[line["verdict"]], detail, _TONES[line["verdict"]])


def _parts(lines: Sequence[Line], opening: str) -> list[str]:
    """What removing CLUB, Solosim or both does: a sentence for each that is decided, one for all that are not."""
    still_open = [line for line in lines if line["verdict"] in ("undecided", "underpowered")]
    sentences = [_decided(line) for line in lines if line not in still_open]
    if still_open:
        changes = [
            f"{PARTS[line['arm']]} {'changes it ' * (n == 0)}by {difference_text(line)}"
            for n, line in enumerate(still_open)
        ]
        sentences.append(f"Removing {_listed(changes)}: {_why_open(still_open)}.")
    if opening and sentences:
        sentences[0] = sentences[0].replace("Removing", opening, 1)
    return sentences


def _decided(line: Line) -> str:
    name, plural = PARTS[line["arm"]], line["arm"] == "no-both"
    subject = "CLUB and Solosim together" if plural else name
    text = f"Removing {name} changes it by {difference_text(line)}{_p(line)}"
    if line["verdict"] == "equivalent":
        return (
            f"{text}: equivalent, any difference is smaller than the {line['margin']:.4f} that would matter "
            f"(equivalence test, p {_relation(line['p_equivalent'])})."
        )
    helps = "help" if line["verdict"] == "worse" else "harm"
    return f"{text}: {subject} {helps if plural else helps + 's'} here."


def _why_open(lines: Sequence[Line]) -> str:
    """Why these comparisons are not decided, and what would have been found."""
    subject = "not decided" if len(lines) == 1 else "none of this is decided"
    mdes = sorted(line["mde"] for line in lines if not math.isnan(line["mde"]))
    if not mdes:
        return f"{subject}, as one seed gives no interval"
    found = " to ".join(dict.fromkeys(f"{mde:.4f}" for mde in (mdes[0], mdes[-1])))
    line = lines[0]
    return (
        f"{subject}, as {line['seeds']} seeds with {line['users']} users reliably find only differences from {found} on"
    )


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _others(lines: Sequence[Line], titles: Mapping[str, str]) -> list[str]:
    """One sentence about the arms that remove neither CLUB nor Solosim."""
    if not lines:
        return []
    found: dict[str, list[str]] = {}
    for line in lines:
        verdict = "not decided" if line["verdict"] in ("undecided", "underpowered") else str(line["verdict"])
        found.setdefault(verdict, []).append(titles.get(line["arm"], line["arm"]))
    order = [verdict for verdict in ("better", "worse", "equivalent", "not decided") if verdict in found]
    listed = "; ".join(f"{verdict}: {', '.join(found[verdict])}" for verdict in order)
    return [f"The other arms against the full model: {listed}."]


def _family(frame: pd.DataFrame, study: Study) -> list[str]:
    """How many of the study's comparisons were decided."""
    verdicts = frame.loc[frame["study"] == study.name, "verdict"]
    if verdicts.empty:
        return []
    counts = {str(verdict): int(count) for verdict, count in verdicts.value_counts().items()}
    differ, weak = counts.get("better", 0) + counts.get("worse", 0), counts.get("underpowered", 0)
    unsettled = weak + counts.get("undecided", 0)
    return [
        f"Of all {len(verdicts)} comparisons with the full model (arms × metrics, Holm-corrected), {differ} show a "
        f"difference, {counts.get('equivalent', 0)} are equivalent and {unsettled} are not decided, {weak} of these "
        "for lack of power."
    ]


def _shrinkage(study: Study) -> list[str]:
    """What choosing the best of many cost."""
    table = selection.compute(Results([study]))
    winner = None if table is None else table.frame[table.frame["role"] == "winner"]
    if winner is None or winner.empty:
        return []
    line = winner.iloc[0]
    moved = f"fell from {line['search']:.4f} to" if line["shrinkage"] >= 0 else f"rose from {line['search']:.4f} to"
    return [f"The validation score that won the search {moved} {line['fresh']:.4f} on fresh seeds (winner’s curse)."]


def _search_only(study: Study, metric: str) -> list[str]:
    complete = [run for run in study.trials if run.state == "complete" and run.value is not None]
    if not complete:
        return ["No trial is complete, so nothing can be said yet."]
    best = max(complete, key=lambda run: (run.value or 0.0, -(run.number or 0)))
    return [
        f"Of {_trials(study)}, trial {best.number} has the best validation {metric_title(metric)}: {best.value:.4f}. "
        "The test split is closed: no winner was trained on fresh seeds yet. The best score of a search is partly luck "
        "and will be lower on fresh seeds."
    ]


def _trials(study: Study) -> str:
    return f"{len(study.trials)} trial{'' if len(study.trials) == 1 else 's'}"


def _p(line: Line) -> str:
    return "" if math.isnan(line["p_holm"]) else f", Holm p {_relation(line['p_holm'])}"


def _relation(p: float) -> str:
    text = p_text(p)
    return text if text.startswith("<") else f"= {text}"
