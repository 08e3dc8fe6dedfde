"""Full ranking of Baby's validation split, beside a loop over users."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.problem import BABY, random_problem
from benchmarks.timing import Timing, interleave
from sea_core.data.dataset import Dataset
from sea_core.evaluation.full_ranking import FullRanking, embedding_scorer

KS = (10, 20)


def time_evaluations(*, rounds: int) -> dict[str, Timing]:
    """Interleave ``FullRanking`` and the loop over users: all metrics at K = 10, 20 with 128-dimensional embeddings.

    Random embeddings are kind to the evaluation, which leaves out users who surely have no hit; ``everybody ranked`` is
    its time where nobody can be left out.
    """
    dataset = random_problem(BABY).dataset
    generator = torch.Generator().manual_seed(0)
    user, item = (torch.randn(count, 128, generator=generator) for count in (dataset.users, dataset.items))
    ranking = FullRanking(dataset.train_matrix, dataset.valid, KS)
    scorer = embedding_scorer(user, item)
    fast, slow = ranking.evaluate(scorer).means(), loop_over_users(dataset, user.numpy(), item.numpy())
    if any(abs(fast[name] - slow[name]) > 1e-6 for name in slow):
        raise AssertionError(f"the two evaluations disagree: {fast} against {slow}")
    return interleave(
        {
            "evaluation": lambda: ranking.evaluate(scorer),
            # A scorer that does not tell its embeddings: then no user can be left out.
            "everybody ranked": lambda: ranking.evaluate(lambda users: scorer(users)),
            "loop over users": lambda: loop_over_users(dataset, user.numpy(), item.numpy()),
        },
        rounds=rounds,
    )


def loop_over_users(dataset: Dataset, user: np.ndarray, item: np.ndarray) -> dict[str, float]:
    """Score, mask and select for one user at a time, with NumPy inside, as most code does; means of the metrics."""
    train, valid = dataset.train_matrix, dataset.valid.matrix(dataset.users, dataset.items)
    deepest = max(KS)
    discounts = 1 / np.log2(np.arange(2, deepest + 2))
    rows = []
    for u in range(dataset.users):
        relevant = valid.indices[valid.indptr[u] : valid.indptr[u + 1]]
        if len(relevant) == 0:
            continue
        scores = item @ user[u]
        scores[train.indices[train.indptr[u] : train.indptr[u + 1]]] = -np.inf
        top = np.argpartition(-scores, deepest)[:deepest]
        top = top[np.argsort(-scores[top])]
        hits = np.isin(top, relevant)
        row = {}
        for k in KS:
            hit, best = hits[:k], min(k, len(relevant))
            row[f"recall@{k}"] = hit.sum() / len(relevant)
            row[f"precision@{k}"] = hit.sum() / k
            row[f"ndcg@{k}"] = (hit * discounts[:k]).sum() / discounts[:best].sum()
            row[f"map@{k}"] = (hit * hit.cumsum() / np.arange(1, k + 1)).sum() / best
        rows.append(row)
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
