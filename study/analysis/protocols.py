"""Split protocols beside each other: what captions say of them, and which may not share a table."""

from __future__ import annotations

from collections.abc import Sequence

from sea_core.data.splits import split_words
from sea_core.errors import UserError
from study.records.study import Study

# A split that nobody wrote down is taken for MMRec's, which is random for each user.
_USUAL = "random"


def caption_words(studies: Sequence[Study]) -> str:
    """The sentence that captions end with, empty where no study knows its split."""
    known = {study.dataset: words for study in studies if (words := _words_of(study))}
    if not known:
        return ""
    if len(set(known.values())) == 1 and len(known) == len({study.dataset for study in studies}):
        return f"Split: {next(iter(known.values()))}."
    return f"Split: {'; '.join(f'{name}: {words}' for name, words in known.items())}."


def check_one_protocol(studies: Sequence[Study]) -> None:
    """Refuse to put results of different protocols side by side: they answer different questions.

    Raises:
        UserError: two protocols; both studies are named.
    """
    first: tuple[str, Study] | None = None
    for study in studies:
        for record in study.all_records():
            protocol = (record.split or {}).get("protocol", _USUAL)
            first = first or (protocol, study)
            if protocol != first[0]:
                raise UserError(
                    f"{first[1].folder.root} was split by {first[0]} and {study.folder.root} by {protocol}, so one "
                    "table cannot hold both; make a table of each"
                )


def _words_of(study: Study) -> str:
    anew = {record.split_seed: record.split for record in study.all_records() if record.split_seed is not None}
    if anew:
        split = dict(next(split for split in anew.values() if split is not None))
        split.pop("seed", None)
        return f"{split_words(split)}, {len(anew)} splits with seeds nested in them"
    splits = {split_words(record.split) for record in study.all_records() if record.split is not None}
    return " and ".join(sorted(splits))
