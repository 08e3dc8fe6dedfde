"""A whole step on PyTorch's ``meta`` device, which has shapes and no numbers.

Whatever would copy a value to the host in mid-step (``item``, ``nonzero``, a branch on a tensor) or is written for a
CPU only fails there, as it would stall or fail on a GPU.
"""

import pytest
import torch

from benchmarks.problem import Size, make_draws, make_inputs, make_model, random_problem
from sea_core.config import Config
from sea_core.graphs.products import SparseGraph
from sea_core.layers.draws import Draws
from sea_core.layers.features import Features
from sea_core.models.protocol import Batch
from sea_core.models.sea import Inputs
from sea_core.training.step import Stepper

SMALL = Size(users=60, items=40, interactions=300, validation=0, image_dim=24, text_dim=16)
META = torch.device("meta")


def on_meta(value):
    if isinstance(value, torch.Tensor):
        return value.to(META)
    if isinstance(value, SparseGraph):
        # Sparse products have CUDA kernels, but no shapes-only ones; a dense matrix stands in for them.
        dense = [torch.empty(matrix.shape, device=META) for matrix in (value.matrix, value.transposed)]
        return SparseGraph(*dense)
    if isinstance(value, dict):
        return {key: on_meta(item) for key, item in value.items()}
    if isinstance(value, (Inputs, Features, Batch, Draws)):
        return type(value)(*(on_meta(item) for item in value))
    return value


@pytest.mark.parametrize(
    "config",
    [
        Config(batch_size=32),
        Config.from_mapping({"batch_size": 32}, preset="released"),
        Config(batch_size=32, split_stage="representation", alignment_items="sample:16", distance_items="sample:16"),
        Config(batch_size=32, distancing="none", alignment="none", gnn_layers=0),
        Config(batch_size=32, distancing="orthogonal", alignment="symmetric_infonce"),
    ],
    ids=["paper", "released", "sampled representation", "no separation", "rivals"],
)
def test_no_operation_of_a_step_needs_a_value_on_the_host(config: Config) -> None:
    problem = random_problem(SMALL, knn_k=4)
    inputs = make_inputs(config, problem)
    model = make_model(config, problem, inputs).to(META)
    batch, draws = make_draws(config, problem.dataset)
    stepper = Stepper(model)
    # The fused kernel has no shapes-only version either.
    stepper.optimiser = torch.optim.Adam(parameter for _, parameter in model.main_parameters())
    forward, terms = stepper.step(on_meta(inputs), on_meta(batch), on_meta(draws))
    assert forward.total.device == META
    assert terms
    assert all(term.device == META for term in terms.values())
    assert all(parameter.grad is not None and parameter.grad.device == META for _, parameter in model.main_parameters())
