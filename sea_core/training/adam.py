"""Adam (Kingma and Ba, 2015) for named parameters, on PyTorch's fused kernel.

The same updates, to the bit, as ``torch.optim.Adam(fused=True)``. PyTorch's class imports its compiler when it is made,
which takes a second of every process that trains.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

_NO_DIVISION_BY_ZERO = 1e-6  # as in torch.nn.utils.clip_grad_norm_


class Adam:
    """One optimiser over named parameters.

    Args:
        parameters: ``(name, parameter)`` pairs; the name is the key of its state.
        learning_rate, betas, eps: Adam's settings.
        weight_decay: added to the gradient, times the weight.
        clip_norm: gradients longer than this, over all parameters, are shortened to it; None = never.

    Attributes:
        learning_rate: may be changed between steps.
    """

    def __init__(
        self,
        parameters: Iterable[tuple[str, nn.Parameter]],
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        *,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
    ) -> None:
        self._parameters = dict(parameters)
        self.learning_rate, self._betas, self._eps = learning_rate, betas, eps
        self._weight_decay, self._clip_norm = weight_decay, clip_norm
        self._state: dict[str, dict[str, Tensor]] = {}

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient."""
        named = {name: p for name, p in self._parameters.items() if p.grad is not None}
        for name, parameter in named.items():
            if name not in self._state:
                self._state[name] = {
                    "step": torch.zeros((), device=parameter.device),
                    "exp_avg": torch.zeros_like(parameter),
                    "exp_avg_sq": torch.zeros_like(parameter),
                }
        gradients = [p.grad for p in named.values() if p.grad is not None]
        if self._clip_norm is not None:
            norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in gradients]))
            torch._foreach_mul_(gradients, (self._clip_norm / (norm + _NO_DIVISION_BY_ZERO)).clamp(max=1.0))
        states = [self._state[name] for name in named]
        steps = [state["step"] for state in states]
        torch._foreach_add_(steps, 1)
        torch._fused_adam_(
            list(named.values()),
            gradients,
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            steps,
            lr=self.learning_rate,
            beta1=self._betas[0],
            beta2=self._betas[1],
            weight_decay=self._weight_decay,
            eps=self._eps,
            amsgrad=False,
            maximize=False,
        )

    def state(self) -> dict[str, Tensor]:
        """``<parameter>/step``, ``/exp_avg`` and ``/exp_avg_sq`` of every parameter that was ever updated."""
        return {f"{name}/{key}": value for name, state in self._state.items() for key, value in state.items()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Continue from what ``state`` returned.

        Raises:
            KeyError: the state is of a parameter that is not there.
        """
        self._state = {}
        for key, value in state.items():
            name, _, what = key.rpartition("/")
            parameter = self._parameters[name]
            self._state.setdefault(name, {})[what] = value.to(parameter.device, copy=True)
