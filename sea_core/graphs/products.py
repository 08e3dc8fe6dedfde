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

from sea_core.kernels import load_kernel


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


def propagate_sum(graph: SparseGraph, x: Float[Tensor, "nodes dim"], layers: int) -> Float[Tensor, "nodes dim"]:
    """``x + M x + ... + M^layers x``, as ``x + M (x + M (...))``; differentiable with respect to ``x``.

    Its gradient is the same sum over ``M^T``.
    """
    return _PropagateSum.apply(graph.matrix, graph.transposed, x, layers)  # type: ignore[no-untyped-call]


class _Propagate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, matrix: Tensor, transposed: Tensor, x: Tensor) -> Tensor:
        ctx.transposed = transposed
        return _add_product(None, matrix, x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, None, Tensor | None]:
        wanted = ctx.needs_input_grad[2]
        return None, None, _add_product(None, ctx.transposed, gradients[0].contiguous()) if wanted else None


class _PropagateSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, matrix: Tensor, transposed: Tensor, x: Tensor, layers: int) -> Tensor:
        ctx.transposed, ctx.layers = transposed, layers
        return _horner(matrix, x, layers)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, None, Tensor | None, None]:
        wanted = ctx.needs_input_grad[2]
        return None, None, _horner(ctx.transposed, gradients[0].contiguous(), ctx.layers) if wanted else None, None


def _horner(matrix: Tensor, x: Tensor, layers: int) -> Tensor:
    result = x.clone() if layers == 0 else x
    for _ in range(layers):
        result = _add_product(x, matrix, result)
    return result


def _add_product(base: Tensor | None, matrix: Tensor, x: Tensor) -> Tensor:
    """``base + matrix x``, compiled where that can be done."""
    kernel = load_kernel("sparse_product")
    if kernel is not None and kernel.suits(matrix, x):
        result: Tensor = kernel.add_product(base, matrix, x)
        return result
    return matrix @ x if base is None else torch.addmm(base, matrix, x)


def _csr_tensor(matrix: sp.csr_array, device: torch.device | str, dtype: torch.dtype) -> Tensor:
    matrix = matrix.sorted_indices()
    with warnings.catch_warnings():
        # PyTorch announces on first use that sparse CSR is in beta; products and layout have been stable for years.
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta", category=UserWarning)
        return torch.sparse_csr_tensor(
            torch.from_numpy(matrix.indptr.astype(np.int32)),
            torch.from_numpy(matrix.indices.astype(np.int32)),
            torch.from_numpy(matrix.data).to(dtype),
            size=matrix.shape,
            device=device,
            check_invariants=True,
        )
