"""What models with SEA's separation share: its losses, draws, the fit of CLUB's net, the parts of items."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from sea_core.config import Config
from sea_core.errors import UserError
from sea_core.layers.draws import Draws, EpochDraws
from sea_core.layers.features import Features
from sea_core.layers.initialisation import linear
from sea_core.layers.parts import separated_parts
from sea_core.layers.separation import Separation
from sea_core.losses.club_fit import ClubFitter
from sea_core.losses.registry import CLUB
from sea_core.models.protocol import Batch, Forward, TrainedModel, keys

# What the separation reads, on whatever backbone it stands.
SEPARATION_KEYS = keys(
    "split_ratio alignment alignment_weight temperature alignment_items align_hidden align_out distancing "
    "distance_weight distance_items distance_dim club_hidden club_steps club_fit_every club_learning_rate "
    "club_fit_pairs club_clamp"
)
# Its net is fitted by itself: the total loss never updates it.
_CLUB_NET = "separation.club."


class SeparatedModel(TrainedModel):
    """A backbone whose item features are split into generic and unique parts (SEA, Section 4.3)."""

    reads_features: ClassVar[bool] = True

    separation: Separation

    @abstractmethod
    def split_embeddings(self, inputs: Any, items: Int[Tensor, " chosen"]) -> Mapping[str, Float[Tensor, "chosen _"]]:
        """Modality -> what the separation splits, for some items, with the current weights."""

    def features_of(self, inputs: Any) -> Features:
        """The item features among the constants."""
        features: Features = inputs.features
        return features

    def with_separation(
        self, forward: Forward, embeddings: Mapping[str, Float[Tensor, "items _"]], draws: Draws
    ) -> Forward:
        """A backbone's pass with the separation's losses added.

        Args:
            forward: the backbone's own losses.
            embeddings: modality -> what is split, for all items.
            draws: the separation's.
        """
        separation = self.separation
        first = {
            m: {r.name: F.linear(part[:, r.columns], r.layer.weight, r.layer.bias) for r in separation.readers(m)}
            for m, part in embeddings.items()
        }
        heads = separation.heads(first, alignment_items=draws.alignment_items, distance_items=draws.distance_items)
        total, terms = separation.add_losses(forward.total, heads, draws.permutations)
        return Forward(total, {**forward.terms, **terms, "total": total}, forward.embeddings, heads)

    def main_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Names and parameters that the total loss trains: all but the CLUB net's."""
        for name, parameter in self.named_parameters():
            if not name.startswith(_CLUB_NET):
                yield name, parameter

    def draws_of_epoch(self, inputs: Any, *, seed: int, epoch: int) -> Callable[[Batch], Any]:
        """CLUB's permutations and the items sampled for either loss."""
        features = next(iter(self.features_of(inputs).values.values()))
        return EpochDraws(
            self.config,
            modalities=self.separation.modalities,
            items=len(features),
            seed=seed,
            epoch=epoch,
            device=features.device,
        ).of_step

    def fitter(self) -> SeparationFitter | None:
        """CLUB's fit, where CLUB is the distancing loss."""
        return None if self.separation.club is None else SeparationFitter(self.separation, self.config)

    @torch.no_grad()
    def item_parts(self, inputs: Any, items: Int[Tensor, " chosen"]) -> dict[str, Float[Tensor, "chosen _"]]:
        """Generic and unique parts of some items (see ``separated_parts``)."""
        return separated_parts(self.separation, self.split_embeddings(inputs, items))


class SeparationFitter:
    """The fit of CLUB's net in every step, or in every ``club_fit_every``-th of a run; a ``Fitter``."""

    def __init__(self, separation: Separation, config: Config) -> None:
        assert separation.club is not None
        self._separation, self._steps, self._every = separation, config.club_steps, config.club_fit_every
        rate = config.learning_rate if config.club_learning_rate is None else config.club_learning_rate
        self._club = ClubFitter(separation.club, rate, (config.adam_beta1, config.adam_beta2), config.adam_eps)
        self._batches_seen = 0
        self._last_loss: Tensor | None = None

    def fit(self, forward: Forward) -> dict[str, Float[Tensor, ""]]:
        """Take ``club_steps`` Adam steps on the pairs of a forward pass, if it is the turn of this batch.

        Returns:
            The loss of the last fit as ``club_fit``.
        """
        assert forward.heads is not None
        if self._last_loss is None or self._batches_seen % self._every == 0:
            self._last_loss = self._club.fit(self._separation.club_pairs(forward.heads), self._steps)
        self._batches_seen += 1
        return {"club_fit": self._last_loss}

    def state(self) -> dict[str, Tensor]:
        """See ``ClubFitter.state``; with batches that are left out, whose turn it is and the last loss."""
        state = self._club.state()
        if self._every > 1 and self._last_loss is not None:
            state |= {"batches_seen": torch.tensor(self._batches_seen), "last_loss": self._last_loss.clone()}
        return state

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """See ``ClubFitter.load_state``."""
        self._club.load_state(state)
        if "batches_seen" in state:
            device = next(self._separation.parameters()).device
            self._batches_seen, self._last_loss = int(state["batches_seen"]), state["last_loss"].to(device, copy=True)


def own_projections(config: Config, feature_dims: Mapping[str, int], *, seed: int) -> nn.ModuleDict:
    """``Linear(d_m, L)`` per modality for the separation alone, beside a backbone that has maps of its own."""
    return nn.ModuleDict(
        {m: linear(dim, config.latent_dim, seed=seed, name=f"{m}/own_projection") for m, dim in feature_dims.items()}
    )


def check_separable(config: Config, feature_dims: Mapping[str, int]) -> None:
    """Refuse what the separation cannot do with these modalities.

    Raises:
        UserError: CLUB is fitted across modalities, and there are not two.
    """
    if config.club_fit_pairs == "cross_modal" and config.distancing == CLUB and len(feature_dims) != 2:
        raise UserError(
            "club_fit_pairs 'cross_modal' (preset released) needs exactly two modalities, "
            f"got {list(feature_dims)}; use club_fit_pairs: evaluated"
        )
