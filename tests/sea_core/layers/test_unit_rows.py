"""Blocks of unit rows against PyTorch's own normalisation."""

import torch
import torch.nn.functional as F

from sea_core.layers.unit_rows import unit_rows


def test_values_and_gradients_are_those_of_normalize():
    generator = torch.Generator().manual_seed(0)
    columns = [
        [torch.randn(rows, dim, dtype=torch.float64, generator=generator) for rows in (5, 3)] for dim in (4, 2, 7)
    ]
    columns[0][1][2] = 0  # a row without a direction
    blocks = [block.requires_grad_() for column in columns for block in column]
    upstream = torch.randn(8, 13, dtype=torch.float64, generator=generator)
    normalised = unit_rows(columns)
    expected = torch.cat([torch.cat([F.normalize(block) for block in column]) for column in columns], dim=1)
    torch.testing.assert_close(normalised, expected)
    gradients = [torch.autograd.grad((value * upstream).sum(), blocks) for value in (normalised, expected)]
    for mine, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_gradients_agree_with_finite_differences():
    x = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: unit_rows([[x[:4], x[4:]]]), x)
