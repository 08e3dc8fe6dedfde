"""What a study found, in short and in full; every sentence is read off a row of the comparisons."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from study.analysis.knock_outs import knock_outs
from study.analysis.measurements import BASELINE_TITLES, Spread, spread_by
from study.analysis.metrics import metric_title
from study.analysis.results import Results
from study.analysis.stats.comparison import Comparison, Verdict
from study.analysis.stats.placebo import summarise_placebos
from study.records.arm_names import FULL
from study.records.imported import MARK
from study.records.study import Study
from study.reporting.more_search import more_search_sentences
from study.reporting.page.about_arms import (
    adjusted_text,
    arm_sentences,
    decided_elsewhere,
    difference_text,
)
from study.reporting.page.about_path import path_sentences
from study.reporting.page.about_search import about_search
from study.reporting.page.claims import MINUS, claim, is_open
from study.reporting.page.modalities import modality_sentences
from study.reporting.page.page import Answer, Tile, TileGroup
from study.reporting.page.question import listed, quoted
from study.reporting.page.short_answer import short_answer
from study.reporting.page.tiles import tile_groups
from study.reporting.tables import selection

BRACKETS = (
    "In brackets: bounds for users and seeds like these that hold for all comparisons of the study together in 95 % of "
    "studies."
)

SHORT = 3  # sentences


def answer(study: Study, results: Results) -> Answer:
    """Short answer, tiles and paragraph of one study.

    Args:
        study: one of ``results``.
        results: with the comparisons, corrected over all of their studies.
    """
    metric = _metric(study, results)
    lines = _lines(results.arms, study, metric)
    others = _others(results.arms, study, metric)
    against = _lines(results.baselines, study, metric)
    level = _level(study, results, metric)
    if level is None:
        tiles, sentences = about_search(study, metric)
        short = sentences[:SHORT]
    else:
        tiles = [Tile(f"Test {metric_title(metric)}", *_level_tile(level), "plain"), *_baseline_tile(against)]
        sentences = _level_sentences(study, level, metric, against)
        short = list(sentences)
    groups = [TileGroup(study.model_title if level is not None else "The search", tiles)] if tiles else []
    if lines:
        short = short_answer(study, lines, others, results.titles, family=_first_family(results, study))
        groups = [*tile_groups(study, lines, results.titles), *groups]
    about_modalities = knock_outs(study, lines)
    sentences += modality_sentences(about_modalities, results.titles)
    judged = [line for each in about_modalities for line in each.lines]
    for mode in dict.fromkeys(line.mode for line in lines):
        inside = [line for line in lines if line.mode == mode and line not in judged]
        sentences += arm_sentences(inside, results.titles, retuned=mode == "retuned")
    elsewhere = _lines(results.imported, study, metric)
    sentences += _imported(elsewhere, results)
    if elsewhere:
        groups = [*groups, TileGroup("Programs elsewhere", [_imported_tile(line, results) for line in elsewhere])]
    sentences += decided_elsewhere(lines, others, results.titles)
    sentences += _family(results.arms, study)
    sentences += _asked(study) if lines else []
    sentences += _placebos(_lines(results.placebos, study, metric))
    sentences += _shrinkage(study)
    sentences += more_search_sentences(study, results)
    sentences += path_sentences(_lines(results.path, study, metric))
    if any("[" in sentence for sentence in sentences):
        sentences.append(BRACKETS)
    return Answer(study.name, study.dataset, short, groups, sentences)


def _first_family(results: Results, study: Study) -> int:
    """How many contrasts share the level at the first step."""
    return max(1, sum(line.study == study.name and line.family == "primary" for line in results.arms))


def _metric(study: Study, results: Results) -> str:
    """The metric that the study searched by, if tables show it."""
    metric = study.metric
    return metric if metric in results.metrics or not results.metrics else results.metrics[0]


def _lines(family: Sequence[Comparison], study: Study, metric: str) -> list[Comparison]:
    return [line for line in family if line.study == study.name and line.metric == metric]


def _others(family: Sequence[Comparison], study: Study, metric: str) -> list[Comparison]:
    """The study's comparisons by other metrics."""
    return [line for line in family if line.study == study.name and line.metric != metric]


def _level(study: Study, results: Results, metric: str) -> Spread | None:
    """Mean, sd and number of seeds on test of the winner, or of the full model of an ablation without a search."""
    mine = [line for line in results.measured if line.study == study.name and line.metric == metric]
    winner = [line.value for line in mine if line.kind == "winner"]
    full = [line.value for line in mine if line.kind == "arm" and line.name == FULL]
    return spread_by([("level", value) for value in winner or full]).get("level")


def _level_tile(level: Spread) -> tuple[str, str]:
    mean, sd, seeds = level
    return f"{mean:.4f}", "one seed" if math.isnan(sd) else f"± {sd:.4f} over {seeds} seeds"


def _level_sentences(study: Study, level: Spread, metric: str, against: Sequence[Comparison]) -> list[str]:
    mean, sd, seeds = level
    number = f"{mean:.4f}" + ("" if math.isnan(sd) else f" ± {sd:.4f}")
    seeds_text = "one seed" if seeds == 1 else f"mean ± sd over {seeds} seeds"
    if study.winner:
        first = f"With the configuration that {_trials(study)} chose on validation (trial {study.winner[0].number}), "
    else:
        first = "With the configuration that was given, "
    reached = f"{study.model_title} reaches a test {metric_title(metric)} of {number}"
    text = f"{first}{reached} ({seeds_text} that the search had not seen)"
    if not study.winner:
        text = text.replace(" that the search had not seen", "")
    if not against:
        return [f"{text}."]
    best = max(against, key=lambda line: line.reference_mean)
    how = "above" if best.difference >= 0 else "below"
    name = BASELINE_TITLES.get(best.reference, best.reference)
    return [
        f"{text}, {abs(100 * best.relative):.1f} % {how} the best baseline, {name} "
        f"({difference_text(best)}{adjusted_text(best)}): {_baseline_verdict(best)}."
    ]


def _baseline_tile(against: Sequence[Comparison]) -> list[Tile]:
    if not against:
        return []
    best = max(against, key=lambda line: line.reference_mean)
    name = BASELINE_TITLES.get(best.reference, best.reference)
    tone = {"better": "good", "worse": "bad", "equivalent": "even", "non-inferior": "even"}.get(best.verdict, "open")
    value = f"{100 * best.relative:+.1f} %".replace("-", MINUS)
    return [Tile(f"Against {name}", value, _baseline_verdict(best), tone)]


def _baseline_verdict(line: Comparison) -> str:
    return "not decided" if is_open(line) else line.verdict


def _imported(lines: Sequence[Comparison], results: Results) -> list[str]:
    """What results of programs elsewhere say, each with its verdict."""
    return [
        f"{quoted(_imported_title(line, results))}, imported, has a test {metric_title(line.metric)} of "
        f"{line.arm_mean:.4f} where the study’s runs have {line.reference_mean:.4f} ({difference_text(line)}"
        f"{adjusted_text(line)}): {claim(line)}."
        for line in lines
    ]


def _imported_tile(line: Comparison, results: Results) -> Tile:
    tone = {"better": "good", "worse": "bad", "equivalent": "even", "non-inferior": "even"}.get(line.verdict, "open")
    verdict = "not decided" if is_open(line) else line.verdict
    return Tile(f"{_imported_title(line, results)} (imported)", verdict, difference_text(line), tone)


def _imported_title(line: Comparison, results: Results) -> str:
    return results.titles[line.arm].removesuffix(MARK).strip()


def _family(family: Sequence[Comparison], study: Study) -> list[str]:
    """How many of the study's comparisons were decided."""
    verdicts = [line.verdict for line in family if line.study == study.name]
    if not verdicts:
        return []
    counts = Counter(verdicts)
    kinds: dict[Verdict, str] = {
        "better": "better",
        "worse": "worse",
        "equivalent": "equivalent",
        "non-inferior": "non-inferior",
        "user-limited": "limited by the users",
        "undecided": "undecided",
        "descriptive": "descriptive",
    }
    parts = [f"{counts[kind]} {words}" for kind, words in kinds.items() if counts[kind]]
    if len(verdicts) == 1:
        return [f"The only comparison with the full model is {kinds[verdicts[0]]}."]
    return [
        f"Of all {len(verdicts)} comparisons with the full model (arms × metrics, one level for all), {listed(parts)}."
    ]


def _asked(study: Study) -> list[str]:
    """What was asked, and whether that was fixed before anybody could know the answer."""
    asked = study.question
    if asked is None:
        return ["What is asked of the arms was not written down before they ran; these are the defaults."]
    commit = f" at commit {asked.commit[:12]}" if asked.commit else ""
    when = f"on {asked.fixed[:10]}{commit}"
    against = f"{listed([*asked.contrasts]) or 'no arm'} against the full model by {metric_title(asked.metric)}"
    what = (
        f"{against}, with a margin of {100 * asked.margin:g} %, at {listed([str(look) for look in asked.looks])} seeds"
    )
    if asked.changed:
        return [f"The primary question ({what}) was changed {when}, after arms had run: a new family, not a fixed one."]
    return [f"The primary question was fixed before the runs {when}: {what}."]


def _placebos(lines: Sequence[Comparison]) -> list[str]:
    """What copies of the full model differ by: the yardstick for every other difference."""
    if not lines:
        return []
    summary = summarise_placebos([line.p for line in lines], [line.relative for line in lines])
    copies = f"{summary.copies} cop{'y' if summary.copies == 1 else 'ies'} of the full model on other seeds"
    return [
        f"Of {copies}, {summary.flagged} would have been called different at 5 % by itself (chance allows "
        f"{summary.most_expected}); the farthest lies {100 * summary.farthest:.1f} % from the full model, "
        "which is what a difference of nothing looks like here."
    ]


def _shrinkage(study: Study) -> list[str]:
    """What choosing the best of many cost."""
    line = next((line for line in selection.shrinkages(study) if line.role == "winner"), None)
    if line is None:
        return []
    beyond = selection.beyond_a_lucky_seed(study)
    if beyond is not None and not math.isnan(beyond.low) and not beyond.shown:
        others = f"{beyond.controls} trials that nobody selected lost {beyond.control:.4f} there too"
        moved = f"was {line.search:.4f} and is {line.fresh:.4f} on fresh seeds; {others}, and the rest may be chance"
    elif line.low > 0:
        moved = f"fell from {line.search:.4f} to {line.fresh:.4f} on fresh seeds (winner’s curse)"
    elif line.shrinkage > 0:
        moved = f"was {line.search:.4f} and is {line.fresh:.4f} on fresh seeds, a fall that chance may explain"
    else:
        moved = f"did not fall on fresh seeds: {line.search:.4f} before, {line.fresh:.4f} now"
    return [f"The validation score that won the search {moved}."]


def _trials(study: Study) -> str:
    """How many the winner was chosen from; the search may have gone on since."""
    chosen_from = study.selection.trials if study.selection is not None else None
    count = len(study.trials) if chosen_from is None else chosen_from
    return f"{count} trial{'' if count == 1 else 's'}"
