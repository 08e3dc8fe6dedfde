"""Initial weights, each module from its own named stream, so that removing one leaves the others' draws alone."""

from __future__ import annotations

import math

import torch
from torch import nn

from sea_core.streams import stream


def linear(inputs: int, outputs: int, *, seed: int, name: str) -> nn.Linear:
    """A linear layer with PyTorch's default initialisation, drawn from the stream ``init/<name>``."""
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, inputs, outputs)
    generator = stream(seed, f"init/{name}")
    nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
    bound = 1 / math.sqrt(inputs)
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return layer


def xavier_normal(rows: int, columns: int, *, seed: int, name: str) -> torch.Tensor:
    """A ``(rows, columns)`` matrix drawn Xavier-normally (Glorot and Bengio, 2010) from the stream ``init/<name>``."""
    return nn.init.xavier_normal_(torch.empty(rows, columns), generator=stream(seed, f"init/{name}"))
