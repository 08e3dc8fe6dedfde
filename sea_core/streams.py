"""Named random streams derived from one seed.

Every consumer of randomness names its stream, so a part that is removed cannot shift the draws of another (common
random numbers), and streams indexed by epoch need no stored state: a resumed run draws what an undisturbed one draws.
"""

from __future__ import annotations

import hashlib

import torch


def stream_seed(seed: int, name: str) -> int:
    """Derive a 63-bit seed from a study or run seed and a stream's name."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def stream(seed: int, name: str) -> torch.Generator:
    """A CPU generator for the stream ``name``, such as ``init/image/projection`` or ``batches/<epoch>``.

    Draws are made on the CPU and moved, so that a run does not depend on the device.
    """
    return torch.Generator().manual_seed(stream_seed(seed, name))


def fresh_seeds(seed: int, count: int) -> list[int]:
    """Seeds for re-training a winner: derived from the study's seed, distinct, and never equal to it."""
    seeds: dict[int, None] = {}  # in their order
    index = 0
    while len(seeds) < count:
        candidate = stream_seed(seed, f"fresh/{index}") % 2**31
        if candidate != seed:
            seeds[candidate] = None
        index += 1
    return list(seeds)
