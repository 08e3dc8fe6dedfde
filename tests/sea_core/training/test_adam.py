"""Our Adam against PyTorch's."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from sea_core.training.adam import Adam


def parameters():
    generator = torch.Generator().manual_seed(0)
    return {name: nn.Parameter(torch.randn(shape, generator=generator)) for name, shape in (("a", (5, 3)), ("b", (7,)))}


def set_gradients(named, step):
    generator = torch.Generator().manual_seed(step)
    for parameter in named.values():
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    if step < 3:
        named["b"].grad = None  # takes part from the fourth step on


def test_updates_are_pytorchs_to_the_bit():
    mine, theirs = parameters(), parameters()
    settings = {"betas": (0.8, 0.99), "eps": 1e-7}
    adam = Adam(mine.items(), 0.01, **settings)
    reference = torch.optim.Adam(theirs.values(), lr=0.01, fused=True, **settings)
    for step in range(8):
        set_gradients(mine, step)
        set_gradients(theirs, step)
        adam.step()
        reference.step()
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_a_loaded_state_goes_on_as_if_never_interrupted():
    whole, halves = parameters(), parameters()
    adam = Adam(whole.items(), 0.01)
    for step in range(6):
        set_gradients(whole, step)
        adam.step()
    first = Adam(halves.items(), 0.01)
    for step in range(6):
        if step == 4:
            state = first.state()
            first = Adam(halves.items(), 0.01)
            first.load_state(state)
        set_gradients(halves, step)
        first.step()
    assert all(torch.equal(whole[name], halves[name]) for name in whole)


def test_a_state_of_an_unknown_parameter_is_refused():
    with pytest.raises(KeyError):
        Adam(parameters().items(), 0.01).load_state({"c/step": torch.zeros(())})


@pytest.mark.slow
def test_training_does_not_import_pytorchs_compiler():
    program = (
        "import sys; from sea_core.config import Config; from sea_core.data.catalogue import load_dataset;"
        "from sea_core.training.run import TrainingRun;"
        "TrainingRun(Config(epochs=1), load_dataset('synthetic'), seed=0).advance();"
        "print([name for name in ('torch._dynamo', 'sympy') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert answer == "[]\n"
