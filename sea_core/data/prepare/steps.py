"""From raw files to numbered and split interactions, step by step, with what is left after each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int

from sea_core.data.prepare.interactions import Counts, RawInteractions, at_least, core, without_duplicates
from sea_core.data.prepare.numbering import Numbered, renumber
from sea_core.data.prepare.options import WITHOUT_CONTENT, WITHOUT_INTERACTIONS, Options
from sea_core.data.prepare.raw import Content, Raw
from sea_core.data.prepare.splitting import SPLIT_NAMES, split_rows
from sea_core.errors import UserError, suggest


class Step(NamedTuple):
    """A step that was taken: its name, what is left after it, and a remark."""

    name: str
    counts: Counts
    remark: str = ""


class Interactions(NamedTuple):
    """What the steps end with.

    Attributes:
        numbered: rows with new ids.
        label: 0, 1 or 2 per row.
        steps: what was done, in order.
        notes: what a user of the dataset should know.
    """

    numbered: Numbered
    label: Int[np.ndarray, " rows"]
    steps: list[Step]
    notes: list[str]


def chosen_contents(raw: Raw, options: Options) -> list[Content]:
    """The modalities that are asked for, in that order, or those that the layout offers by default.

    Raises:
        UserError: none, or one that the raw files do not have.
    """
    offered = {content.modality: content for content in raw.contents()}
    if not offered:
        raise UserError(
            f"{raw.path}: no content to make features of; {raw.name} expects {raw.layout}: add a file with content"
        )
    if options.modalities is None:
        return [content for content in offered.values() if content.by_default] or list(offered.values())
    for name in options.modalities:
        if name not in offered:
            raise UserError(f"--modalities: the raw files have no '{name}'{suggest(name, offered)}")
    return [offered[name] for name in options.modalities]


def take_steps(
    raw: Raw, contents: Sequence[Content], options: Options, tell: Callable[[Step], None] = lambda step: None
) -> Interactions:
    """Read, filter, number and split.

    Args:
        raw: the files.
        contents: the chosen modalities; whether they and the interactions know the same items is compared.
        options: the choices.
        tell: told each step when it is done.

    Raises:
        UserError: anything that a step refuses.
    """
    steps: list[Step] = []

    def done(name: str, rows: RawInteractions, remark: str = "") -> None:
        steps.append(Step(name, rows.counts(), remark))
        tell(steps[-1])

    rows = raw.interactions()
    if not len(rows):
        raise UserError(f"{raw.files[0]}: no interactions; the file has no row below its header")
    done("read", rows)
    rows, extra, notes = _match(rows, contents, options)
    done("items matched with content", rows)
    if options.min_rating is not None:
        rows = at_least(rows, options.min_rating)
        done(f"rating at least {options.min_rating:g}", rows)
    rows = without_duplicates(rows, options.duplicates)
    done("duplicates left out", rows)
    rows = core(rows, options.k_core)
    done(f"{options.k_core}-core", rows)
    numbered = renumber(rows, extra)
    del rows
    if options.split is None:
        if numbered.label is None:
            raise UserError("the raw files have no split to keep; choose one with --split")
        label, name = numbered.label, "split as it was"
    else:
        label, name = split_rows(options.split, numbered.user, numbered.time), f"split {options.split.protocol}"
        notes += _split_notes(numbered, label, options)
    counts = Counts(len(numbered.users), len(numbered.items), len(label))
    sizes = ", ".join(f"{int((label == n).sum()):,} {split}" for n, split in enumerate(SPLIT_NAMES))
    steps.append(Step(name, counts, sizes))
    tell(steps[-1])
    return Interactions(numbered, label, steps, [*notes, *(c.warning for c in contents if c.warning), *raw.notes()])


def _match(
    rows: RawInteractions, contents: Sequence[Content], options: Options
) -> tuple[RawInteractions, pa.Array, list[str]]:
    """Compare the items of interactions and content; returns the rows to go on with, and items to add without rows."""
    present = np.bincount(rows.item, minlength=len(rows.items)) > 0
    lacking = np.zeros(len(rows.items), dtype=bool)
    without_content: list[str] = []
    known: list[pa.Array] = []
    for content in contents:
        ids = content.ids()
        if ids is None:
            continue
        known.append(ids.cast(rows.items.type))
        here = present & ~pc.is_in(rows.items, value_set=known[-1]).to_numpy(zero_copy_only=False)
        if here.any():
            first = rows.items[int(here.argmax())].as_py()
            without_content.append(
                f"{int(here.sum()):,} items have interactions and no {content.modality}, first {first!r}"
            )
        lacking |= here
    everywhere = pc.unique(pa.concat_arrays(known)) if known else pa.array([], type=rows.items.type)
    extra = everywhere.filter(pc.invert(pc.is_in(everywhere, value_set=rows.items.filter(pa.array(present)))))
    without_rows = ""
    if len(extra):
        without_rows = f"{len(extra):,} items have content and no interactions, first {extra[0].as_py()!r}"
    if without_content and options.without_content == "refuse":
        raise UserError(
            f"{'; '.join(without_content)}; add their content, or choose {WITHOUT_CONTENT} keep (they get the mean of "
            "the others) or drop"
        )
    if without_rows and options.without_interactions == "refuse":
        raise UserError(f"{without_rows}; take them out, or choose {WITHOUT_INTERACTIONS} drop or keep")
    done = {"keep": "kept", "drop": "left out"}
    notes = [f"{note} ({done[options.without_content]})" for note in without_content]
    notes += [f"{without_rows} ({done[options.without_interactions]})"] if without_rows else []
    if options.without_content == "drop":
        rows = rows.where(~lacking[rows.item])
    return rows, extra if options.without_interactions == "keep" else extra.slice(0, 0), notes


def _split_notes(numbered: Numbered, label: Int[np.ndarray, " rows"], options: Options) -> list[str]:
    assert options.split is not None
    notes, protocol = [], options.split.protocol
    if protocol in ("random", "k-fold") and numbered.time is not None and np.unique(numbered.time).size > 1:
        notes.append(
            f"the rows have times, and a {protocol} split trains on rows later than those it tests on; "
            "--split global-time does not"
        )
    trained = np.bincount(numbered.user, weights=label == 0, minlength=len(numbered.users)) > 0
    held_out = label > 0
    if lost := int((~trained).sum()):
        rows = int((held_out & ~trained[numbered.user]).sum())
        notes.append(f"{lost:,} users have no training row: their {rows:,} held-out rows are not evaluated")
    return notes
