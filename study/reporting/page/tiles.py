"""Verdicts for the eye, grouped by the question they answer: CLUB, Solosim, both, rivals, modalities, the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from study.analysis.arm_changes import Changes, changes_of_arms
from study.analysis.knock_outs import knock_outs
from study.analysis.stats.comparison import Comparison
from study.records.study import Study
from study.reporting.page.about_arms import difference_text
from study.reporting.page.claims import is_open, margin_text
from study.reporting.page.modalities import modality_tile
from study.reporting.page.page import Tile, TileGroup
from study.reporting.page.question import PARTS

MODALITIES = "Modalities"
MOST = 4  # tiles of one question; of more arms, the undecided ones are counted

_TONES = {"worse": "good", "better": "bad", "equivalent": "even", "non-inferior": "even"}
# Of the arm without a part: the arm is worse, so the part helps.
_VERDICTS = {"worse": "helps", "better": "harms"}
# Of any other arm.
_OTHER_TONES = {"better": "good", "worse": "bad", "equivalent": "even", "non-inferior": "even"}
_OPEN = {"undecided": "not decided", "user-limited": "too few users", "descriptive": "no verdict"}
_CLUB_KEYS = frozenset(("club_fit_pairs", "club_clamp", "distance_weight"))
_MODALITY_KEYS = frozenset(("modalities", "feature_transform"))
_PART_KEYS = ("distancing", "alignment")  # each names the loss in that place, or none

# In the order of the page; an arm belongs to the first question that it answers.
_QUESTIONS: Sequence[tuple[str, Callable[[str, Changes], bool]]] = (
    ("CLUB", lambda arm, changes: arm == "no-club" or _only(changes, _CLUB_KEYS) or changes == {"distancing": "none"}),
    ("Solosim", lambda arm, changes: arm == "no-solosim" or changes == {"alignment": "none"}),
    ("CLUB and Solosim together", lambda arm, changes: arm == "no-both" or _removes_both(changes)),
    ("Rivals", lambda _, changes: _only(changes, frozenset(_PART_KEYS)) or "model" in changes),
    (MODALITIES, lambda _, changes: _only(changes, _MODALITY_KEYS)),
    ("Other arms", lambda arm, changes: True),
)


def tile_groups(study: Study, lines: Sequence[Comparison], titles: Mapping[str, str]) -> list[TileGroup]:
    """The arms' verdicts by one metric, one group a question.

    Args:
        study: whose arms they are; their configs say which question an arm answers.
        lines: comparisons with the full model.
        titles: of the arms.
    """
    changes = changes_of_arms(study)
    several = len({line.mode for line in lines}) > 1
    about_modalities = knock_outs(study, lines)
    judged = {id(line) for each in about_modalities for line in each.lines}
    groups: dict[str, list[Comparison]] = {name: [] for name, _ in _QUESTIONS}
    for line in lines:
        if id(line) in judged:
            continue
        arm = line.arm
        groups[next(name for name, belongs in _QUESTIONS if belongs(arm, changes.get(arm, {})))].append(line)
    answers = {MODALITIES: [modality_tile(each, titles) for each in about_modalities]}
    tiles = {
        name: [*answers.get(name, []), *_tiles(inside, titles, several=several)] for name, inside in groups.items()
    }
    return [TileGroup(name, inside) for name, inside in tiles.items() if inside]


def _tiles(lines: Sequence[Comparison], titles: Mapping[str, str], *, several: bool) -> list[Tile]:
    # Re-tuned arms have no verdict by design; each has its difference all the same.
    of_mode = {line.mode: [each for each in lines if each.mode == line.mode] for line in lines}
    shown = [line for line in lines if len(of_mode[line.mode]) <= MOST or not is_open(line)]
    tiles = [_tile(line, titles, f" ({line.mode})" if several else "") for line in shown]
    if rest := len(lines) - len(shown):
        tiles.append(
            Tile(f"{rest} {'other ' if shown else ''}arm{'' if rest == 1 else 's'}", "not decided", "", "open")
        )
    return tiles


def _tile(line: Comparison, titles: Mapping[str, str], suffix: str) -> Tile:
    title, verdict = titles.get(line.arm, line.arm), line.verdict
    if line.arm in PARTS:
        return Tile(f"{title}{suffix}", _of_part(line), difference_text(line), _TONES.get(verdict, "open"))
    return Tile(f"{title}{suffix}", _of_other(line), difference_text(line), _OTHER_TONES.get(verdict, "open"))


def _of_other(line: Comparison) -> str:
    if line.verdict == "equivalent":
        return f"no difference within {margin_text(line)}"
    if line.verdict == "non-inferior":
        return f"costs less than {margin_text(line)}"
    return _OPEN.get(line.verdict, line.verdict)


def _of_part(line: Comparison) -> str:
    """``CLUB helps`` or ``both help``."""
    verb = _VERDICTS.get(line.verdict)
    if verb is None:
        return _of_other(line)
    return f"both {verb.replace('s', '', 1)}" if line.arm == "no-both" else f"{PARTS[line.arm]} {verb}"


def _only(changes: Changes, keys: frozenset[str]) -> bool:
    return bool(changes) and changes.keys() <= keys


def _removes_both(changes: Changes) -> bool:
    return changes == dict.fromkeys(_PART_KEYS, "none")
