"""What a search says by itself, before a winner was trained on fresh seeds: the best trial, and how sure it is."""

from __future__ import annotations

from numbers import Real
from typing import Any

from study.analysis.metrics import metric_title
from study.analysis.plausible_best import Contenders, contenders
from study.records.study import RunRecord, Study
from study.reporting.page.html_tables import short
from study.reporting.page.page import Tile
from study.reporting.page.question import listed, varied

FEW = 3  # parameters that fit in a sentence


def about_search(study: Study, metric: str) -> tuple[list[Tile], list[str]]:
    """Tiles and sentences; the test split is closed."""
    complete, best = study.complete_trials, study.best_trial
    if best is None:
        return [], ["No trial is complete, so nothing can be said yet."]
    names = varied(study)
    named = names if len(names) <= FEW else []
    count = f"{len(study.trials)} trial{'' if len(study.trials) == 1 else 's'}"
    at = f", at {listed([f'{_words(name)} {short(best.params.get(name))}' for name in named])}" if named else ""
    tiles = [Tile(f"Best validation {metric_title(metric)}", f"{best.value:.4f}", f"trial {best.number}{at}", "plain")]
    sentences = [
        f"Of {count}, trial {best.number} has the best validation {metric_title(metric)}: {best.value:.4f}{at}."
    ]
    if len(complete) > 1:
        worst = min(run.value or 0.0 for run in complete)
        sentences.append(f"The worst of the {len(complete)} complete ones has {worst:.4f}.")
    candidates = contenders(study)
    if candidates is not None:
        tiles += [_tile(candidates), *(_range_tile(name, best, candidates) for name in named)]
        sentences += _stability(candidates, named)
    sentences.append(
        "The test split is closed: no winner was trained on fresh seeds yet. The best score of a search is partly luck "
        "and will be lower on fresh seeds."
    )
    return tiles, sentences


def _tile(candidates: Contenders) -> Tile:
    value = "clear" if len(candidates.trials) == 1 else f"{len(candidates.trials)} contenders"
    detail = f"trial {candidates.best.number} is best in {_percent(candidates.share)} of resamples of the users"
    return Tile("How sure is the best trial", value, detail, "good" if len(candidates.trials) == 1 else "open")


def _range_tile(name: str, best: RunRecord, candidates: Contenders) -> Tile:
    spread = _spread(name, candidates)
    detail = "in every contender" if spread == short(best.params.get(name)) else f"{spread} among the contenders"
    return Tile(_words(name).capitalize(), short(best.params.get(name)), detail, "plain")


def _stability(candidates: Contenders, named: list[str]) -> list[str]:
    first = (
        f"When its {candidates.users} validation users are resampled, trial {candidates.best.number} stays the best in "
        f"{_percent(candidates.share)} of the draws"
    )
    if len(candidates.trials) == 1:
        return [f"{first}. Other seeds may change more than other users do."]
    numbers = listed([str(run.number) for run in sorted(candidates.trials, key=lambda run: run.number or 0)])
    which = f" (trials {numbers})" if len(candidates.trials) <= 8 else ""
    text = f"{first}; a set of {len(candidates.trials)} holds the best one with 95 % confidence{which}"
    if named:
        spreads = listed([f"{_words(name)} is {_spread(name, candidates)}" for name in named])
        text += f", among which {spreads}"
    return [f"{text}. Other seeds may change the order more than other users do."]


def _spread(name: str, candidates: Contenders) -> str:
    """The values that a parameter has among the contenders: one, a few, or from where to where."""
    values: list[Any] = [run.params.get(name) for run in candidates.trials]
    if all(isinstance(value, Real) and not isinstance(value, bool) for value in values):
        ends = [short(value) for value in (min(values), max(values))]
        return " to ".join(dict.fromkeys(ends))
    return " or ".join(sorted({short(value) for value in values}))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
