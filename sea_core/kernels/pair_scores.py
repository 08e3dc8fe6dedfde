"""The scores of a batch's pairs and their gradients, without gathering the rows that the pairs name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sea_core.kernels.compiler import compiled
from sea_core.kernels.threads import run_team

LEAST_PAIRS = 256  # for a thread: waking it takes about as long


def suits(*tables: Tensor) -> bool:
    """Whether the kernel can score: dense float32 tables on a CPU."""
    return all(t.device.type == "cpu" and t.dtype == torch.float32 and t.is_contiguous() for t in tables)


def scores(
    parts: Float[Tensor, "users dim"],
    weight: Float[Tensor, "users modalities"],
    item: Float[Tensor, "items dim"],
    user: Int[Tensor, " pairs"],
    chosen: Int[Tensor, "two pairs"],
) -> tuple[Float[Tensor, "two pairs"], np.ndarray]:
    """The scores, and the products of each modality that ``gradients`` needs again; the first row is of positives."""
    pairs, modalities = len(user), weight.shape[1]
    products, result = np.empty(2 * pairs * modalities, np.float32), torch.empty(2, pairs)
    arrays = [*map(_flat, (parts, weight, item, user, chosen)), products, _flat(result)]
    sizes = modalities, parts.shape[1] // modalities

    def score(member: int, size: int) -> None:
        _score(*arrays, *sizes, pairs * member // size, pairs * (member + 1) // size)

    run_team(score, max(1, pairs // LEAST_PAIRS))
    return result, products


def gradients(
    tables: Sequence[Tensor],
    user: Int[Tensor, " pairs"],
    chosen: Int[Tensor, "two pairs"],
    products: np.ndarray,
    d_scores: Float[Tensor, "two pairs"],
) -> list[Tensor]:
    """Gradients of the three tables; the bits do not depend on the number of threads."""
    results = [torch.zeros_like(table) for table in tables]
    modalities = tables[1].shape[1]
    arrays = [*map(_flat, (*tables, user, chosen)), products, *map(_flat, (d_scores, *results))]
    sizes = modalities, tables[0].shape[1] // modalities

    def add(member: int, size: int) -> None:
        # Every member passes over all pairs, and adds to columns of its own.
        _add_gradients(*arrays, *sizes, modalities * member // size, modalities * (member + 1) // size)

    run_team(add, max(1, min(modalities, len(user) // LEAST_PAIRS)))
    return results


def _flat(values: Tensor) -> np.ndarray:
    return values.detach().reshape(-1).numpy()


# Places are unsigned: a signed one may count from the end, which compiled code would ask at every number. And they are
# of flat arrays, because a row of a table is an object that is counted.
_U = np.uint64


@compiled
def _score(parts, weight, item, user, chosen, products, scores, modalities, width, first, last):  # type: ignore[no-untyped-def]
    """Pairs ``first`` to ``last``. More than six parameters: compiled code takes arrays and numbers, no objects."""
    pairs, many, wide = _U(len(user)), _U(modalities), _U(width)
    for pair in range(_U(first), _U(last)):
        for place in range(pair, _U(2) * pairs, pairs):
            score = np.float32(0)
            for m in range(many):
                own, other = (_U(user[pair]) * many + m) * wide, (_U(chosen[place]) * many + m) * wide
                product = np.float32(0)
                for d in range(wide):
                    product += parts[own + d] * item[other + d]
                products[place * many + m] = product
                score += product * weight[_U(user[pair]) * many + m]
            scores[place] = score


@compiled
def _add_gradients(  # type: ignore[no-untyped-def]
    parts, weight, item, user, chosen, products, d_scores, d_parts, d_weight, d_item, modalities, width, first, last
):
    """Modalities ``first`` to ``last``.

    More than six parameters: compiled code takes arrays and numbers, no objects.
    """
    pairs, many, wide = _U(len(user)), _U(modalities), _U(width)
    for pair in range(pairs):
        d_positive, d_negative = d_scores[pair], d_scores[pairs + pair]
        for m in range(_U(first), _U(last)):
            u = _U(user[pair]) * many + m
            d_weight[u] += d_positive * products[pair * many + m] + d_negative * products[(pairs + pair) * many + m]
            from_positive, from_negative = d_positive * weight[u], d_negative * weight[u]
            own = u * wide
            positive = (_U(chosen[pair]) * many + m) * wide
            negative = (_U(chosen[pairs + pair]) * many + m) * wide
            for d in range(wide):
                d_parts[own + d] += from_positive * item[positive + d] + from_negative * item[negative + d]
            for d in range(wide):
                d_item[positive + d] += from_positive * parts[own + d]
            for d in range(wide):
                d_item[negative + d] += from_negative * parts[own + d]
