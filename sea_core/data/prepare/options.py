"""What a user asks of ``data prepare``: every choice that the result depends on, beside the raw files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from sea_core.data.prepare.encoding import Encoding
from sea_core.data.prepare.interactions import Duplicates
from sea_core.data.prepare.splitting import Split
from sea_core.errors import UserError

Unmatched = Literal["refuse", "keep", "drop"]
WITHOUT_CONTENT, WITHOUT_INTERACTIONS = "--items-without-content", "--content-without-items"


@dataclass(frozen=True)
class Options:
    """Choices of a preparation.

    Attributes:
        k_core: users and items have at least as many interactions; 0 or 1 leaves all.
        split: the protocol; None keeps the split that the raw files have.
        encoding: how content becomes features.
        min_rating: rows rated lower are left out; None = all rows count.
        duplicates: which row of a user and an item is kept.
        modalities: names, in model order; None = those that the layout offers by default.
        without_content: items with interactions that a modality has no entry for.
        without_interactions: items with content that nobody interacted with.
    """

    k_core: int = 5
    split: Split | None = field(default_factory=Split)
    encoding: Encoding = field(default_factory=Encoding)
    min_rating: float | None = None
    duplicates: Duplicates = "first"
    modalities: tuple[str, ...] | None = None
    without_content: Unmatched = "refuse"
    without_interactions: Unmatched = "drop"

    def __post_init__(self) -> None:
        if self.k_core < 0:
            raise UserError(f"--k-core must be at least 0, got {self.k_core}")
        for name, value, known in (
            ("--duplicates", self.duplicates, get_args(Duplicates)),
            (WITHOUT_CONTENT, self.without_content, get_args(Unmatched)),
            (WITHOUT_INTERACTIONS, self.without_interactions, get_args(Unmatched)),
        ):
            if value not in known:
                raise UserError(f"{name} must be one of {', '.join(known)}, got {value!r}")
        if self.modalities is not None and len(set(self.modalities)) < len(self.modalities):
            raise UserError(f"--modalities names one twice: {' '.join(self.modalities)}")

    def describe(self) -> Mapping[str, Any]:
        """The choices as JSON values."""
        return {
            "min_rating": self.min_rating,
            "duplicates": self.duplicates,
            "k_core": self.k_core,
            "split": None if self.split is None else self.split.describe(),
            "text": self.encoding.text,
            "dims": self.encoding.dims,
            "seed": self.encoding.seed,
            "modalities": None if self.modalities is None else list(self.modalities),
            "items_without_content": self.without_content,
            "content_without_items": self.without_interactions,
        }
