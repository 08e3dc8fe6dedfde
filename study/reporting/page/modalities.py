"""Do the modalities matter? In sentences, in a few words, and as tiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from study.analysis.knock_outs import ALL, KnockOut
from study.analysis.metrics import metric_title
from study.reporting.page.about_arms import adjusted_text, difference_text, signed
from study.reporting.page.claims import claim, margin_text
from study.reporting.page.page import Tile
from study.reporting.page.question import listed, quoted

_TONES = {"matters": "good", "does not matter": "even", "better left out": "bad"}


def modality_sentences(knock_outs: Sequence[KnockOut], titles: Mapping[str, str]) -> list[str]:
    """One a modality: the answer, and the comparison that it rests on with its verdict's kind and bounds."""
    return [_sentence(each, titles) for each in knock_outs]


def modality_words(knock_outs: Sequence[KnockOut]) -> str:
    """``image matters (−0.0398 without) and text does not within 2 % (−0.0002)``; empty of none."""
    return listed([f"{_name(each)} {_verb(each)} ({signed(each.cheapest.difference)} without)" for each in knock_outs])


def modality_tile(knock_out: KnockOut, titles: Mapping[str, str]) -> Tile:
    """The answer about one modality; below it the cheapest way to go without."""
    line = knock_out.cheapest
    name = _name(knock_out)
    detail = f"{titles.get(line.arm, line.arm)}: {difference_text(line)}"
    return Tile(name[0].upper() + name[1:], knock_out.answer, detail, _TONES.get(knock_out.answer, "open"))


def _sentence(knock_out: KnockOut, titles: Mapping[str, str]) -> str:
    line, ways = knock_out.cheapest, len(knock_out.lines)
    name, title = _name(knock_out), quoted(titles.get(line.arm, line.arm))
    rests = f"{title} changes test {metric_title(line.metric)} by {difference_text(line)}{adjusted_text(line)}"
    of_all = "" if ways == 1 else f"of {ways} ways to take {_it(knock_out)} away the cheapest is named here: "
    if knock_out.answer == "not decided":
        worse = sum(each.verdict == "worse" for each in knock_out.lines)
        count = "" if ways == 1 else f"{worse} of {ways} ways to take {_it(knock_out)} away {_are(worse)} worse, but "
        verb = "matter" if knock_out.modality == ALL else "matters"
        return f"Whether {name} {verb} is not decided: {count}{rests}: {claim(line)}."
    start = name[0].upper() + name[1:]
    return f"{start} {_verb(knock_out)}: {of_all}{rests}: {claim(line)}."


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _it(knock_out: KnockOut) -> str:
    return "them" if knock_out.modality == ALL else "it"


def _name(knock_out: KnockOut) -> str:
    return "all modalities together" if knock_out.modality == ALL else f"the modality {knock_out.modality}"


def _verb(knock_out: KnockOut) -> str:
    s = "" if knock_out.modality == ALL else "s"
    verbs = {
        "matters": f"matter{s}",
        "does not matter": f"do{'es' if s else ''} not matter within {margin_text(knock_out.cheapest)}",
        "better left out": f"{'is' if s else 'are'} better left out",
        "not decided": f"{'is' if s else 'are'} not decided",
        "no verdict": f"{'has' if s else 'have'} no verdict",
    }
    return verbs[knock_out.answer]
