"""One training step: forward, backward, CLUB fit, Adam."""

from __future__ import annotations

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor

from sea_core.losses.club_fit import ClubFitter
from sea_core.memory import keep_freed_memory
from sea_core.model.projection import recycle_gradients
from sea_core.model.sea import SEA, Batch, Draws, Forward, Inputs
from sea_core.training.adam import Adam


class Stepper:
    """The model with its two optimisers: Adam for the total loss, the CLUB fitter's own for the variational net."""

    def __init__(self, model: SEA) -> None:
        keep_freed_memory()
        config = model.config
        self.model = model
        betas = (config.adam_beta1, config.adam_beta2)
        self.optimiser = Adam(model.main_parameters(), config.learning_rate, betas, config.adam_eps)
        self.club_fitter: ClubFitter | None = None
        if model.separation.club is not None:
            rate = config.learning_rate if config.club_learning_rate is None else config.club_learning_rate
            self.club_fitter = ClubFitter(model.separation.club, rate, betas, config.adam_eps)

    def step(self, inputs: Inputs, batch: Batch, draws: Draws) -> tuple[Forward, Mapping[str, Float[Tensor, ""]]]:
        """Train on one batch.

        Returns:
            The forward pass as it was before any update, and its unweighted terms with ``club_fit`` beside them. No
            value has been read back to the host.
        """
        recycle_gradients(self.model.parameters())
        forward = self.model(inputs, batch, draws)
        forward.total.backward()
        terms = {name: value.detach() for name, value in forward.terms.items()}
        if self.club_fitter is not None:
            pairs = self.model.separation.club_pairs(forward.heads)
            terms["club_fit"] = self.club_fitter.fit(pairs, self.model.config.club_steps)
        self.optimiser.step()
        return forward, terms
