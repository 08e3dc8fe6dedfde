"""One value per user and metric: the unit of evidence. Means are computed from it, never stored instead of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int


@dataclass(frozen=True)
class UserMetrics:
    """Per-user metrics of one evaluation.

    Attributes:
        users: ids of the users with at least one relevant item, increasing.
        values: metric key (``recall@20``) -> one value per user of ``users``.
    """

    users: Int[np.ndarray, " users"]
    values: Mapping[str, Float[np.ndarray, " users"]]

    def means(self) -> dict[str, float]:
        """Mean over users of each metric, at full precision."""
        return {name: float(np.mean(value)) for name, value in self.values.items()}

    def to_frame(self) -> pd.DataFrame:
        """A table with the column ``user`` and one column per metric."""
        return pd.DataFrame({"user": self.users, **self.values})

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> UserMetrics:
        """The inverse of ``to_frame``."""
        values = {str(name): frame[name].to_numpy(np.float64) for name in frame.columns if name != "user"}
        return cls(users=frame["user"].to_numpy(np.int64), values=values)
