"""The usual InfoNCE with both directions: the arm that Solosim's single direction is compared with."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from sea_core.losses.registry import ALIGNMENTS
from sea_core.losses.solosim import solosim


@ALIGNMENTS.add("symmetric_infonce")
def symmetric_infonce(
    rows: Float[Tensor, "items dim"], columns: Float[Tensor, "items dim"], *, temperature: float
) -> Float[Tensor, ""]:
    """Mean of Solosim from rows to columns and from columns to rows (CLIP's loss), in nats.

    Raises:
        ValueError: if temperature is not positive.
    """
    return (solosim(rows, columns, temperature=temperature) + solosim(columns, rows, temperature=temperature)) / 2
