"""The bipartite user-item graph of the training interactions."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

# Added to degrees by MMRec's models.
MMREC_EPSILON = 1e-7


def user_item_graph(train_matrix: sp.csr_array, *, epsilon: float = 0.0) -> sp.csr_array:
    """Normalised adjacency ``D^-1/2 A D^-1/2`` of users (first ``U`` rows) and items (next ``I``), no self loops.

    Args:
        train_matrix: binary ``(U, I)`` training matrix.
        epsilon: added to every degree.

    Returns:
        Symmetric ``(U + I, U + I)`` float32 matrix; nodes without interactions have empty rows.
    """
    adjacency = sp.csr_array(sp.block_array([[None, train_matrix], [train_matrix.T, None]], format="csr"))
    degree = np.asarray(adjacency.sum(axis=1), dtype=np.float64).ravel()
    scale = np.zeros_like(degree)
    np.power(degree + epsilon, -0.5, out=scale, where=degree > 0)
    normalised = sp.csr_array(sp.diags_array(scale) @ adjacency @ sp.diags_array(scale)).astype(np.float32)
    normalised.sort_indices()
    return normalised
