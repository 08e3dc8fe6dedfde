"""VBPR written down as its text reads (tests/golden/models_README.md), with nothing but ordinary PyTorch."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tests.reference.literal_bpr import LiteralBPR, xavier_normal, xavier_uniform


class LiteralVBPR(LiteralBPR):
    """All items' features go through the linear map in every step."""

    def draw(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Initial weights; puts the features side by side as well, text first."""
        columns = [self.data.features[m] for m in ("text", "image") if m in self.data.features]
        self.features = torch.from_numpy(np.concatenate(columns, axis=1))
        return {
            "u_embedding": xavier_uniform(self.data.users, 2 * self.dim, generator),
            "i_embedding": xavier_uniform(self.data.items, self.dim, generator),
            "item_linear.weight": xavier_normal(self.dim, self.features.shape[1], generator),
            "item_linear.bias": torch.zeros(self.dim),
        }

    def representation(self, *, training: bool) -> tuple[Tensor, Tensor]:
        """Items are the free half beside the mapped one."""
        mapped = torch.nn.functional.linear(
            self.features, self.weights["item_linear.weight"], self.weights["item_linear.bias"]
        )
        return self.weights["u_embedding"], torch.cat([self.weights["i_embedding"], mapped], dim=1)
