"""Other splits of the same rows, for studies whose seeds train on different ones (``--split-seeds``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sea_core.data.prepare.splitting import Split, parse_ratios, split_rows
from sea_core.data.splits import Splits, from_labels
from sea_core.errors import UserError

# What nobody wrote down is taken for MMRec's way.
USUAL: Mapping[str, Any] = {"protocol": "random", "ratios": "8:1:1"}


def resplit(splits: Splits, protocol: Mapping[str, Any] | None, seed: int) -> tuple[Splits, dict[str, Any]]:
    """All rows split anew by the same protocol with another seed, and what says so.

    Equal rows and an equal seed give equal splits, whatever split they come from.

    Raises:
        UserError: the protocol is not ``random``: the others draw nothing, or test other users in each split.
    """
    known = protocol or USUAL
    if known["protocol"] != "random":
        raise UserError(
            f"--split-seeds needs rows that were split at random, but these were split by {known['protocol']}, of "
            "which there is one split only; leave it out"
        )
    split = Split("random", parse_ratios(str(known.get("ratios", USUAL["ratios"]))), seed)
    parts = (splits.train, splits.valid, splits.test)
    user, item = (np.concatenate([getattr(part, name) for part in parts]) for name in ("user", "item"))
    order = np.lexsort((item, user))
    user, item = user[order], item[order]
    label = split_rows(split, user, None)
    source = f"split seed {seed}"
    return from_labels(user, item, label, users=splits.users, items=splits.items, source=source), split.describe()
