"""The page's question: it follows from what was run, arms before a winner, a winner before a search."""

from __future__ import annotations

from collections.abc import Sequence

from study.analysis.knock_outs import taken_away
from study.records.arm_names import FULL
from study.records.study import Study

# Arms that remove a part, in the order in which they are spoken of, and what they remove.
PARTS = {"no-club": "CLUB", "no-solosim": "Solosim", "no-both": "both"}
NAMED = 2  # more other arms than these are counted, more parameters than these are not named


def question(studies: Sequence[Study]) -> str:
    """One sentence about all studies of a page."""
    on = f"on {listed(list(dict.fromkeys(study.dataset for study in studies)))}"
    model = listed(list(dict.fromkeys(study.model_title for study in studies)))
    titles = {str(run.arm): run.title for study in studies for run in study.ablations}
    parts = [arm for arm in PARTS if arm in titles]
    knocked = {arm for study in studies for arm in taken_away(study)}
    others = [title for arm, title in titles.items() if arm not in (FULL, *PARTS, *knocked)]
    if knocked:
        return _about_modalities(parts, others, on, model)
    if parts and others:
        return f"{_about_parts(parts)} {on}, {_about_others(others, '')}, and how sure are we?"
    if parts:
        return f"{_about_parts(parts)} {on}, and how sure are we?"
    if others:
        text = _about_others(others, f" with {model}")
        return f"{text[0].upper()}{text[1:]} {on}, and how sure are we?"
    if any(study.winner for study in studies):
        return f"How good is {model} {on}, and how sure are we?"
    names = list(dict.fromkeys(name for study in studies for name in varied(study)))
    if 0 < len(names) <= NAMED:
        wanted = listed([name.replace("_", " ") for name in names])
        return f"Which {wanted} does {model} want {on}, and how much does it matter?"
    return f"Which hyper-parameters does {model} want {on}?"


def varied(study: Study) -> list[str]:
    """Parameters that differ between the study's trials."""
    names = dict.fromkeys(name for run in study.trials for name in run.params)
    return [name for name in names if len({repr(run.params.get(name)) for run in study.trials}) > 1]


def listed(words: Sequence[str]) -> str:
    """``a, b and c``; nothing of nothing."""
    return "".join(words) if len(words) < 2 else f"{', '.join(words[:-1])} and {words[-1]}"


def quoted(title: str) -> str:
    """A title that may be of several words, told from the words around it."""
    return f"“{title}”"


def _about_modalities(parts: Sequence[str], others: Sequence[str], on: str, model: str) -> str:
    """The modalities, after the parts if there are any, before the other arms."""
    compared = [_about_others(others, "" if parts else f" with {model}")] if others else []
    asked = [f"{_about_parts(parts)} {on}", "do the modalities"] if parts else [f"Do the modalities matter {on}"]
    return f"{', '.join([*asked, *compared])}, and how sure are we?"


def _about_parts(arms: Sequence[str]) -> str:
    removed = [PARTS[arm] for arm in arms if arm != "no-both"]
    if not removed:
        return "Do CLUB and Solosim together matter"
    return f"{'Does' if len(removed) == 1 else 'Do'} {listed(removed)} matter"


def _about_others(titles: Sequence[str], with_what: str) -> str:
    if len(titles) > NAMED:
        return f"how do {len(titles)} {'other arms' if not with_what else 'arms'} compare{with_what}"
    return f"how {'does' if len(titles) == 1 else 'do'} {listed([quoted(t) for t in titles])} compare{with_what}"
