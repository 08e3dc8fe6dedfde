"""Initial weights, each module from its own named stream, so that removing one leaves the others' draws alone."""

from __future__ import annotations

import math

import torch
from torch import nn

from sea_core.streams import stream


def linear(inputs: int, outputs: int, *, seed: int, name: str) -> nn.Linear:
    """A linear layer with PyTorch's default initialisation, drawn from the stream ``init/<name>``."""
    layer = empty_linear(inputs, outputs)
    generator = stream(seed, f"init/{name}")
    nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
    bound = 1 / math.sqrt(inputs)
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return layer


def empty_linear(inputs: int, outputs: int) -> nn.Linear:
    """A linear layer without initial values, and without what ``torch.nn.utils.skip_init`` imports (half a second)."""
    layer = nn.Linear.__new__(nn.Linear)
    nn.Module.__init__(layer)
    layer.in_features, layer.out_features = inputs, outputs
    layer.weight = nn.Parameter(torch.empty(outputs, inputs))
    layer.bias = nn.Parameter(torch.empty(outputs))
    return layer


def xavier_uniform(rows: int, columns: int, *, seed: int, name: str) -> torch.Tensor:
    """A ``(rows, columns)`` matrix drawn Xavier-uniformly (Glorot and Bengio, 2010) from the stream ``init/<name>``."""
    return nn.init.xavier_uniform_(torch.empty(rows, columns), generator=stream(seed, f"init/{name}"))


def xavier_normal(rows: int, columns: int, *, seed: int, name: str) -> torch.Tensor:
    """A ``(rows, columns)`` matrix drawn Xavier-normally (Glorot and Bengio, 2010) from the stream ``init/<name>``."""
    return nn.init.xavier_normal_(torch.empty(rows, columns), generator=stream(seed, f"init/{name}"))
