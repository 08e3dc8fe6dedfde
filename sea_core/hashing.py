"""Content hashes of weights, arrays and whole datasets: equal exactly when the content is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import torch


def hash_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """16 hex digits over names, dtypes, shapes and bytes, in the order of the sorted names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        digest.update(array.data if array.size else b"")
    return digest.hexdigest()[:16]


def hash_tensors(tensors: Mapping[str, torch.Tensor]) -> str:
    """As ``hash_arrays``, for tensors on any device (bfloat16 is hashed by its bits)."""
    return hash_arrays(
        {
            name: (tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor).detach().cpu().numpy()
            for name, tensor in tensors.items()
        }
    )
