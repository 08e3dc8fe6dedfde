"""One training step: forward, backward, what is fitted beside the model, Adam."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jaxtyping import Float
from torch import Tensor

from sea_core.layers.projection import recycle_gradients
from sea_core.memory import keep_freed_memory
from sea_core.models.protocol import Batch, Forward, TrainedModel
from sea_core.training.adam import Adam


class Stepper:
    """A model with Adam for its total loss, and with what is fitted beside it (CLUB's net)."""

    def __init__(self, model: TrainedModel) -> None:
        keep_freed_memory()
        config = model.config
        self.model = model
        betas = (config.adam_beta1, config.adam_beta2)
        self.optimiser = Adam(
            model.main_parameters(),
            config.learning_rate,
            betas,
            config.adam_eps,
            weight_decay=config.weight_decay,
            clip_norm=config.clip_grad_norm,
        )
        self.fitter = model.fitter()
        self._parameters = list(model.parameters())

    def begin_epoch(self, epoch: int) -> None:
        """Set the learning rate of an epoch, counted from 0."""
        config = self.model.config
        fall = config.learning_rate_decay ** (epoch / config.learning_rate_decay_epochs)
        self.optimiser.learning_rate = config.learning_rate * fall

    def step(self, inputs: Any, batch: Batch, draws: Any) -> tuple[Forward, Mapping[str, Float[Tensor, ""]]]:
        """Train on one batch.

        Returns:
            The forward pass as it was before any update, and its unweighted terms with the fitter's (``club_fit``)
            beside them. No value has been read back to the host.
        """
        recycle_gradients(self._parameters)
        forward = self.model(inputs, batch, draws)
        forward.total.backward()
        terms = {name: value.detach() for name, value in forward.terms.items()}
        if self.fitter is not None:
            terms |= self.fitter.fit(forward)
        self.optimiser.step()
        return forward, terms
