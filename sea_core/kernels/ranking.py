"""Ranks of relevant items among a user's scores, in one pass over the row for each of them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sea_core.kernels.compiler import compiled
from sea_core.kernels.threads import run_team

ABSENT = np.int64(2**62)  # the rank of an item that is never shown


def suits(scores: Tensor) -> bool:
    """Whether the kernel can read these scores: float32 on a CPU, each user's next to each other."""
    return scores.device.type == "cpu" and scores.dtype == torch.float32 and scores.is_contiguous()


def ranks(
    scores: Tensor, masked_first: np.ndarray, masked: np.ndarray, relevant_first: np.ndarray, relevant: np.ndarray
) -> tuple[np.ndarray, bool]:
    """The number of unmasked items before each relevant item (``ABSENT`` if it is masked), ties to the smaller id.

    Args:
        scores: ``(users, items)``.
        masked_first, masked: user ``u`` must not be shown items ``masked[masked_first[u] : masked_first[u + 1]]``.
        relevant_first, relevant: the same for the items whose ranks are wanted, without gaps from user to user.

    Returns:
        One rank per relevant item, in order, and whether all scores are finite; ranks mean nothing if they are not.
    """
    values = scores.numpy()
    result, finite = np.empty(len(relevant), np.int64), np.ones(torch.get_num_threads(), np.bool_)

    def rank_share(member: int, size: int) -> None:
        users = (len(values) * member // size, len(values) * (member + 1) // size)
        finite[member] = _rank(values, masked_first, masked, relevant_first, relevant, result, *users)

    run_team(rank_share, most=len(values))
    return result, bool(finite.all())


@compiled
def _rank(scores, masked_first, masked, relevant_first, relevant, result, first, last):  # type: ignore[no-untyped-def]
    """Ranks of relevant items for users ``first`` to ``last``; False if a score is not finite.

    More than six parameters: compiled code takes arrays and numbers, no objects.
    """
    zeros = np.float32(0)
    for user in range(first, last):
        row = scores[user]
        for j in range(len(row)):
            zeros += row[j] * np.float32(0)  # stays 0 unless a score is NaN or infinite
        never = masked[masked_first[user] : masked_first[user + 1]]
        for place in range(relevant_first[user], relevant_first[user + 1]):
            item = relevant[place]
            own, before, shown = row[item], np.int32(0), True
            for j in range(item):
                before += np.int32(row[j] >= own)
            for j in range(item + 1, len(row)):
                before += np.int32(row[j] > own)
            for other in never:
                if other == item:
                    shown = False
                before -= np.int32(row[other] > own or (row[other] == own and other < item))
            result[place - relevant_first[0]] = before if shown else ABSENT
    return zeros == np.float32(0)
