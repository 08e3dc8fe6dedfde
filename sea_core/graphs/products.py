"""Sparse graph times dense embeddings, with the right backward."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class SparseGraph:
    """A fixed sparse matrix ``M`` (rows receive) and what the gradient of ``M x`` multiplies by, both in CSR.

    A symmetric graph is its own transpose, so its backward is the same product. A directed graph stores its transpose
    once, because a product with an implicit transpose scatters into rows and is several times slower.
    """

    matrix: Tensor
    transposed: Tensor

    @classmethod
    def from_scipy(
        cls,
        matrix: sp.csr_array,
        symmetric: bool,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> SparseGraph:
        """Move a SciPy matrix to a device.

        Args:
            matrix: ``(rows, columns)``; row = receiving node.
            symmetric: promise that the matrix equals its transpose.
            device: where the products will run.
            dtype: of the stored values; must equal that of the embeddings.

        Raises:
            ValueError: if a matrix called symmetric is not square.
        """
        if symmetric and matrix.shape[0] != matrix.shape[1]:
            raise ValueError(f"a symmetric graph must be square, got shape {matrix.shape}")
        forward = _csr_tensor(matrix, device, dtype)
        return cls(forward, forward if symmetric else _csr_tensor(matrix.T.tocsr(), device, dtype))

    @property
    def shape(self) -> tuple[int, int]:
        """``(rows, columns)`` of the matrix."""
        return (self.matrix.shape[0], self.matrix.shape[1])


def propagate(graph: SparseGraph, x: Float[Tensor, "columns dim"]) -> Float[Tensor, "rows dim"]:
    """One propagation ``M x``; differentiable with respect to ``x``, whose gradient is ``M^T dy``."""
    result: Tensor = _Propagate.apply(graph.matrix, graph.transposed, x)  # type: ignore[no-untyped-call]
    return result


class _Propagate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, matrix: Tensor, transposed: Tensor, x: Tensor) -> Tensor:
        ctx.transposed = transposed
        return matrix @ x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, None, Tensor | None]:
        return None, None, ctx.transposed @ gradients[0].contiguous() if ctx.needs_input_grad[2] else None


def _csr_tensor(matrix: sp.csr_array, device: torch.device | str, dtype: torch.dtype) -> Tensor:
    matrix = matrix.sorted_indices()
    with warnings.catch_warnings():
        # PyTorch announces on first use that sparse CSR is in beta; products and layout have been stable for years.
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta", category=UserWarning)
        return torch.sparse_csr_tensor(
            torch.from_numpy(matrix.indptr.astype(np.int64)),
            torch.from_numpy(matrix.indices.astype(np.int64)),
            torch.from_numpy(matrix.data).to(dtype),
            size=matrix.shape,
            device=device,
            check_invariants=True,
        )
