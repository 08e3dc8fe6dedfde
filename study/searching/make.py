"""The kind of search that a study asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from study.searching.multi_seed import SeedSearch
from study.searching.promoting import PromotingSearch
from study.searching.promotion import Promotion
from study.searching.trials import Search


def make_search(*arguments: Any, seeds: Sequence[int], promotion: Promotion | None = None, **settings: Any) -> Search:
    """A search whose trials are judged on these seeds, or paused and promoted by these rules.

    Args:
        seeds: of every trial; several exclude promotion, which pauses epochs of a single run.
        promotion: the rules, if any.
        *arguments, **settings: as for ``Search``.

    Raises:
        ValueError: several seeds and promotion.
    """
    if promotion is not None:
        if len(seeds) > 1:
            raise ValueError("a search that pauses trials judges them on one seed")
        return PromotingSearch(*arguments, seed=seeds[0], promotion=promotion, **settings)
    if len(seeds) == 1:
        return Search(*arguments, seed=seeds[0], **settings)
    return SeedSearch(*arguments, seeds=seeds, **settings)
