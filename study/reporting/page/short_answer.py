"""The answer in at most three sentences: does it matter, how sure is that, and what would change it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from study.analysis.enough_seeds import enough_seeds
from study.analysis.knock_outs import KnockOut, knock_outs
from study.analysis.metrics import metric_title
from study.analysis.stats.comparison import Comparison
from study.records.study import Study
from study.reporting.page.about_arms import adjusted_text, relation, signed
from study.reporting.page.cautions import unconverged_runs
from study.reporting.page.claims import ONE_SEARCH, by_one_search, is_open, margin_text
from study.reporting.page.modalities import modality_words
from study.reporting.page.question import PARTS, listed, quoted

FEW = 3  # arms that are named one by one
_MODES = {"retuned": "with every arm re-tuned", "frozen": "with one configuration for all"}


def short_answer(
    study: Study, lines: Sequence[Comparison], others: Sequence[Comparison], titles: Mapping[str, str], *, family: int
) -> list[str]:
    """Three sentences about the arms; empty where there are none.

    Args:
        study: whose runs say whether they converged.
        lines: comparisons with the full model by the metric that is spoken of.
        others: those by other metrics; what they decide and this one does not is named.
        titles: of the arms.
        family: number of comparisons that are corrected together.
    """
    if not lines:
        return []
    modes = list(dict.fromkeys(line.mode for line in lines))
    main = [line for line in lines if line.mode == modes[0]]
    matters = _does_it_matter(main, knock_outs(study, main), titles, study.model_title)
    for mode in modes[1:]:
        verdicts = _same_or_not(main, [x for x in lines if x.mode == mode], titles, study.model_title)
        matters += f"; {_MODES.get(mode, mode)}, {verdicts}"
    return [
        f"{matters}.",
        f"{_how_sure(lines, others, titles)}.",
        f"{_what_would_change(study, lines, family=family)}.",
    ]


def _does_it_matter(
    lines: Sequence[Comparison], about_modalities: Sequence[KnockOut], titles: Mapping[str, str], model: str
) -> str:
    """The parts if any was removed, the modalities if any was taken away, else the other arms."""
    parts = [line for arm in PARTS for line in lines if line.arm == arm]
    parts = [line for line in parts if line.arm != "no-both"] or parts
    metric = f"test {metric_title(lines[0].metric)}"
    modalities = modality_words(about_modalities)
    if not parts:
        return f"By {metric}, {modalities}" if modalities else _about_others(lines, titles, metric, model)
    decided = [_decided(line, metric) for line in parts if not is_open(line)]
    still_open = [line for line in parts if is_open(line)]
    if still_open:
        changes = [f"by {_signed(line)} without {_removed(line)}" for line in still_open]
        names = listed([_removed(line) for line in still_open])
        verb = "matter" if len(still_open) > 1 or still_open[0].arm == "no-both" else "matters"
        decided.append(f"whether {names} {verb} is not decided: {metric} changes {listed(changes)}")
    if modalities:
        decided.append(modalities)
    return _capitalised("; ".join(decided))


def _removed(line: Comparison) -> str:
    return "CLUB and Solosim" if line.arm == "no-both" else PARTS[line.arm]


def _decided(line: Comparison, metric: str) -> str:
    name, s = _removed(line), "" if line.arm == "no-both" else "s"
    if line.verdict == "equivalent":
        return f"{name} make{s} no difference within {margin_text(line)}: {metric} changes by {_signed(line)} without"
    if line.verdict == "non-inferior":
        return f"going without {name} costs less than {margin_text(line)}: {metric} changes by {_signed(line)}"
    verb, way = ("help", "lower") if line.verdict == "worse" else ("harm", "higher")
    small = f", though by less than {margin_text(line)}" if line.within_margin else ""
    return f"{name} {verb}{s}: {metric} is {abs(line.difference):.4f} {way} without{small}"


def _signed(line: Comparison) -> str:
    return signed(line.difference)  # its interval stands in the tile below


def _about_others(lines: Sequence[Comparison], titles: Mapping[str, str], metric: str, model: str) -> str:
    """Arms that replace something, in words or, of many, in numbers."""
    if len(lines) <= FEW:
        clauses = [
            f"{quoted(titles.get(line.arm, line.arm))} is {_against(line)} {model} by {metric} ({_signed(line)})"
            for line in lines
        ]
        return listed(clauses)
    named = {"better": "better", "worse": "worse", "equivalent": "equivalent", "non-inferior": "non-inferior"}
    counts = [f"{sum(line.verdict == verdict for line in lines)} {text}" for verdict, text in named.items()]
    rest = sum(is_open(line) for line in lines)
    return f"Of {len(lines)} arms, by {metric} against {model}, {listed([*counts, f'{rest} not decided'])}"


def _against(line: Comparison) -> str:
    """``better than``, to stand before the name of the reference."""
    verdicts = {
        "better": "better than",
        "worse": "worse than",
        "equivalent": f"no different within {margin_text(line)} from",
        "non-inferior": f"at most {margin_text(line)} worse than",
    }
    return verdicts.get(line.verdict, "neither shown better nor worse than")


def _same_or_not(main: Sequence[Comparison], lines: Sequence[Comparison], titles: Mapping[str, str], model: str) -> str:
    """What another mode says, in verdicts alone."""
    if all(by_one_search(line) for line in lines):
        return f"there is no verdict, {ONE_SEARCH}"
    if all(line.verdict == "descriptive" for line in lines):
        return "there is no verdict, as the gate before them is closed"
    first = {line.arm: _kind(line) for line in main}
    differ = [line for line in lines if first.get(line.arm, _kind(line)) != _kind(line)]
    if not differ:
        return "the verdicts are the same"
    clauses = [f"{quoted(titles.get(line.arm, line.arm))} is {_against(line)} {model}" for line in differ[:FEW]]
    return listed([*clauses, *([f"{len(differ) - FEW} more arms differ"] if len(differ) > FEW else [])])


def _kind(line: Comparison) -> str:
    return "open" if is_open(line) else line.verdict


def _how_sure(lines: Sequence[Comparison], others: Sequence[Comparison], titles: Mapping[str, str]) -> str:
    """The p-values of what is decided, what could have been found of what is not, and what other metrics show."""
    seeds = sorted({line.seeds for line in lines})
    if seeds == [1]:
        return "One seed gives no interval, so nothing here can be told from chance"
    design = f"{_range([str(n) for n in seeds])} seeds and {max(line.users for line in lines)} users"
    clauses = []
    shown = [line for line in lines if not is_open(line)]
    if shown:
        worst = max(_p_of_verdict(line) for line in shown)
        p = relation(worst).replace("= ", "≤ ")
        what = "what is decided" if len(shown) < len(lines) else "all of this"
        clauses.append(f"{what} holds with {design} at p {p}, adjusted for all verdicts together")
    judged = [line for line in lines if is_open(line) and line.verdict != "descriptive"]
    mdes = [line.mde for line in judged if not math.isnan(line.mde)]
    if mdes:
        mde_range = _range([f"{mde:.4f}" for mde in (min(mdes), max(mdes))])
        margin = max(line.margin for line in judged)
        who = "they" if clauses else design
        clauses.append(f"{who} reliably find only differences of {mde_range} or more, where {margin:.4f} would matter")
    if not clauses:
        why = ONE_SEARCH if all(by_one_search(line) for line in lines) else "as the gate before them is closed"
        clauses.append(f"none of this has a verdict, {why}")
    known = {(line.mode, line.arm, line.verdict) for line in lines}
    elsewhere = [x for x in others if x.verdict in ("better", "worse") and (x.mode, x.arm, x.verdict) not in known]
    if elsewhere:
        line = elsewhere[0]
        more = f", and {len(elsewhere) - 1} more in the tables" if len(elsewhere) > 1 else ""
        clauses.append(
            f"by {metric_title(line.metric)}, {quoted(titles.get(line.arm, line.arm))} is "
            f"{line.verdict} than the full model{adjusted_text(line)}{more}"
        )
    return _capitalised("; ".join(clauses))


def _p_of_verdict(line: Comparison) -> float:
    """The adjusted p of what the verdict claims."""
    return {"equivalent": line.p_equivalent, "non-inferior": line.p_noninferior}.get(line.verdict, line.p_adjusted)


def _what_would_change(study: Study, lines: Sequence[Comparison], *, family: int) -> str:
    """The cheapest thing that may turn the answer, then what else was not tried."""
    ways = []
    # What was re-tuned by one search has no verdict by design, which no seeds change.
    still_open = [line for line in lines if is_open(line) and not by_one_search(line)]
    if still_open:
        ways.append(_more_seeds(still_open, family))
    if cut := unconverged_runs(study):
        ways.append(f"longer training ({len(cut)} final runs were still learning when they were ended)")
    if {line.mode for line in lines} == {"frozen"}:
        ways.append("a search for every arm, as all had the full model’s configuration")
    if any(by_one_search(line) for line in lines):
        ways.append("three searches of every arm")
    ways.append("other data")
    return f"What would change that: {listed(ways[:3])}"


def _more_seeds(lines: Sequence[Comparison], family: int) -> str:
    if all(line.seeds == 1 for line in lines):
        return "five seeds or more"
    if all(line.verdict == "descriptive" for line in lines):
        return "a verdict on the primary contrasts, whose gate these wait behind"
    if all(line.verdict == "user-limited" for line in lines):
        return "more users, as no number of seeds would be enough"
    needed = [enough_seeds(line, comparisons=family) for line in lines]
    known = [count for count in needed if count is not None]
    if len(known) < len(needed):
        return (
            "more users, as no number of seeds would be enough" if not known else "more seeds, and for some more users"
        )
    most = max(known)
    return "more seeds" if most <= max(line.seeds for line in lines) else f"about {most} seeds"


def _range(texts: Sequence[str]) -> str:
    return " to ".join(dict.fromkeys((texts[0], texts[-1])))


def _capitalised(text: str) -> str:
    return text[0].upper() + text[1:]
