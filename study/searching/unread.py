"""Which parameters a config makes meaningless: nothing reads them once their reader is switched off."""

from __future__ import annotations

from sea_core.config import Config
from sea_core.losses.registry import CLUB, NONE

OF_ALIGNMENT = frozenset(("alignment_weight", "temperature", "alignment_items", "align_hidden", "align_out"))
# With one modality there is nothing to align it with, and no graph to mix its own with.
OF_SEVERAL_MODALITIES = OF_ALIGNMENT | {"image_weight"}


def unread_parameters(config: Config) -> frozenset[str]:
    """Config keys whose values change nothing under this config; another value trains the same model, bit by bit."""
    unread: set[str] = set()
    one_modality = config.modalities is not None and len(config.modalities) == 1
    aligns, distances = config.alignment != NONE and not one_modality, config.distancing != NONE
    if not aligns:
        unread |= OF_ALIGNMENT
    if not distances:
        unread |= {"distance_weight", "distance_items", "distance_dim"}
    if config.distancing != CLUB:
        unread |= {"club_hidden", "club_steps", "club_fit_every", "club_learning_rate", "club_fit_pairs", "club_clamp"}
    if not aligns and not distances:
        unread |= {"split_ratio", "split_stage"}
    if one_modality:
        unread |= OF_SEVERAL_MODALITIES
    if config.item_graph_layers == 0:
        unread |= {"knn_k", "image_weight"}
    return frozenset(unread)
