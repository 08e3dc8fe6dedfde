"""Full ranking over all items, training items masked, ties to the smaller id; per-user metrics out.

Only the ranks of relevant items are needed: a relevant item's rank is the number of allowed items that score higher, or
equal with a smaller id. Counting them is one comparison pass over the scores, several times cheaper than a top-K
selection, and exact in ties wherever they fall. Users are scored in blocks: ``U x I`` scores are never in memory.
On a CPU a compiled kernel counts; ``count_with_torch`` is its twin for other devices and dtypes.
Users whose metrics are all 0 are recognised by a part of their scores if those are products of embeddings
(``screen_zero_hits``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sea_core.data.dataset import Interactions
from sea_core.errors import UserError
from sea_core.evaluation.item_lists import ItemLists
from sea_core.evaluation.metrics import METRICS
from sea_core.evaluation.user_metrics import UserMetrics
from sea_core.evaluation.zero_hit_screening import leading_items, screen_zero_hits
from sea_core.kernels import load_kernel
from sea_core.kernels.matmul import times_transposed
from sea_core.memory import keep_freed_memory

# User ids in, one row of scores over all items out; the higher, the better.
Scorer = Callable[[Int[Tensor, " users"]], Float[Tensor, "users items"]]

# 8 MB of float32 scores: large enough for the product, small enough to be in a cache when they are compared.
_BLOCK_SCORES = 2**21
_LEAST_BLOCK_USERS = 16


class NonFiniteScoresError(ValueError):
    """A scorer returned NaN or infinity, which has no rank."""


@dataclass(frozen=True)
class EmbeddingScorer:
    """Score by the dot product of a user's and an item's embedding (SEA, Section 4.4)."""

    user_embedding: Float[Tensor, "users dim"]
    item_embedding: Float[Tensor, "items dim"]

    def __call__(self, users: Int[Tensor, " users"]) -> Float[Tensor, "users items"]:
        """One row per user."""
        return times_transposed(self.user_embedding[users], self.item_embedding)


def embedding_scorer(
    user_embedding: Float[Tensor, "users dim"], item_embedding: Float[Tensor, "items dim"]
) -> EmbeddingScorer:
    """The scorer of two tables of embeddings, of which no gradient is wanted."""
    return EmbeddingScorer(user_embedding.detach(), item_embedding.detach())


def evaluate(
    scorer: Scorer,
    *,
    train: sp.csr_array,
    relevant: Interactions,
    ks: Sequence[int] = (10, 20),
    device: str | torch.device = "cpu",
) -> UserMetrics:
    """Evaluate once; see ``FullRanking``, which keeps its preparation for many evaluations of one split."""
    return FullRanking(train, relevant, ks, device).evaluate(scorer)


class FullRanking:
    """The evaluation of one split, prepared once: which users, what they must not be shown, what they should be shown.

    A user's training items are never recommended, also when fewer than K other items exist; a relevant item that is
    also a training item counts as relevant and is never found. A repeated pair counts once.

    Args:
        train: ``(users, items)``; what is not zero is masked.
        relevant: the validation or test interactions; users without any are left out.
        ks: the cut-offs K, each at least 1.
        device: where the scorer takes users and returns scores.

    Raises:
        ValueError: no relevant interactions, an id outside the training matrix's shape, or an illegal K.
    """

    def __init__(
        self,
        train: sp.csr_array,
        relevant: Interactions,
        ks: Sequence[int] = (10, 20),
        device: str | torch.device = "cpu",
    ) -> None:
        if not ks or min(ks) < 1 or len(set(ks)) != len(ks):
            raise ValueError(f"ks must be distinct and >= 1, got {tuple(ks)}")
        wanted = relevant.matrix(*train.shape)
        self._users = np.flatnonzero(np.diff(wanted.indptr)).astype(np.int64)
        if len(self._users) == 0:
            raise ValueError("nothing to evaluate: no user has a relevant item")
        masked = sp.csr_array(train)[self._users]
        masked.eliminate_zeros()
        self._masked, self._relevant = ItemLists.of_matrix(masked), ItemLists.of_matrix(wanted[self._users])
        self._leading = leading_items(np.bincount(sp.csr_array(train).indices, minlength=train.shape[1]))
        self._items = train.shape[1]
        self._ks = tuple(ks)
        self._device = torch.device(device)
        keep_freed_memory()

    def evaluate(self, scorer: Scorer) -> UserMetrics:
        """Rank all items for every user of the split.

        Returns:
            One value per user and key ``recall@K``, ``ndcg@K``, ``precision@K``, ``map@K``, for each K in turn.

        Raises:
            NonFiniteScoresError: a score is NaN or infinite.
            ValueError: the scorer returned another shape than one row per user and one column per item.
        """
        deepest = max(self._ks)
        hits = np.zeros((len(self._users), deepest), dtype=np.bool_)
        with torch.no_grad():
            for rows in self._blocks(scorer):
                relevant = self._relevant.take(rows)
                ranks = self._rank(scorer, self._users[rows], self._masked.take(rows), relevant)
                is_hit = ranks < deepest
                hits[rows[relevant.rows()[is_hit]], ranks[is_hit]] = True
        relevant_counts = self._relevant.counts()
        hits.flags.writeable = relevant_counts.flags.writeable = False  # a metric may be a plugin's
        values = {f"{name}@{k}": _measured(name, hits[:, :k], relevant_counts) for k in self._ks for name in METRICS}
        return UserMetrics(users=self._users, values=values)

    def _blocks(self, scorer: Scorer) -> Iterator[np.ndarray]:
        """The positions, among this split's users, of those who are ranked, cut into blocks of about equal size."""
        rows = np.arange(len(self._users))
        worth_it = len(self._leading) > max(self._ks)
        if worth_it and isinstance(scorer, EmbeddingScorer) and len(scorer.item_embedding) == self._items:
            rows = np.flatnonzero(
                ~screen_zero_hits(
                    scorer.user_embedding[torch.from_numpy(self._users).to(self._device)],
                    scorer.item_embedding,
                    leading=self._leading,
                    masked_counts=self._masked.counts(),
                    relevant=self._relevant,
                    k=max(self._ks),
                )
            )
        size = max(_LEAST_BLOCK_USERS, _BLOCK_SCORES // self._items)
        yield from np.array_split(rows, -(-len(rows) // size)) if len(rows) else ()

    def _rank(self, scorer: Scorer, users: np.ndarray, masked: ItemLists, relevant: ItemLists) -> np.ndarray:
        """The rank of each relevant item of a block of users."""
        scores = scorer(torch.from_numpy(users).to(self._device))
        expected = (len(users), self._items)
        if scores.shape != expected:
            raise ValueError(f"a scorer must return one row per user, {expected}, got {tuple(scores.shape)}")
        kernel = load_kernel("ranking")
        count = kernel.ranks if kernel is not None and kernel.suits(scores) else count_with_torch
        ranks, finite = count(scores, masked.first, masked.items, relevant.first, relevant.items)
        if not finite:
            _name_the_bad_score(scores, users)
        return ranks


def count_with_torch(
    scores: Float[Tensor, "users items"],
    masked_first: np.ndarray,
    masked: np.ndarray,
    relevant_first: np.ndarray,
    relevant: np.ndarray,
) -> tuple[np.ndarray, bool]:
    """The twin of ``kernels.ranking.ranks``, which has the arguments; an absent item's rank is beyond all others."""
    device = scores.device
    finite = bool(scores.isfinite().all())
    row, item, masked_row, masked_item = (
        torch.from_numpy(ids).to(device) for ids in (_rows(relevant_first), relevant, _rows(masked_first), masked)
    )
    allowed = scores.clone()
    allowed[masked_row, masked_item] = -torch.inf
    item_ids = torch.arange(scores.shape[1], device=device)
    ranks = torch.empty_like(item)
    # As many rows at a time as there are users, so that memory stays that of the scores.
    for some in torch.arange(len(item), device=device).split(max(1, len(scores))):
        rows, own = allowed[row[some]], allowed[row[some], item[some], None]
        before = (rows > own) | ((rows == own) & (item_ids < item[some, None]))
        ranks[some] = torch.where(own[:, 0] > -torch.inf, before.sum(dim=1), torch.iinfo(ranks.dtype).max)
    return ranks.cpu().numpy(), finite


def _rows(first: np.ndarray) -> np.ndarray:
    return np.repeat(np.arange(len(first) - 1), np.diff(first))


def _name_the_bad_score(scores: Tensor, users: np.ndarray) -> None:
    row, item = (~scores.isfinite()).nonzero()[0].tolist()
    raise NonFiniteScoresError(
        f"scores must be finite, got {scores[row, item].item()} for user {users[row]}, item {item}"
    )


def _measured(name: str, hits: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """One metric of every user.

    Raises:
        UserError: the metric, which may be a plugin's, gives something else.
    """
    values = METRICS[name](hits, relevant)
    if not isinstance(values, np.ndarray) or values.shape != relevant.shape or not np.isfinite(values).all():
        got = f"shape {values.shape}" if isinstance(values, np.ndarray) else type(values).__name__
        raise UserError(f"metric '{name}' must give one finite number per user, {relevant.shape}, got {got}")
    return values
