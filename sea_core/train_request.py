"""What a single training run is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sea_core.errors import UserError
from sea_core.project import default_data


@dataclass(frozen=True, kw_only=True)
class TrainRequest:
    """Train once with one config and seed.

    Attributes:
        dataset: a name, or the path of a folder.
        data_root: where named dataset folders lie.
        model: what is trained (``python -m sea_core models``); None = the config's, else ``sea``.
        preset, config, settings: where the config comes from: one of the model's presets (None = its first),
            then a YAML file or a record, then single keys.
        metrics: shown and evaluated, like ``recall@5``; None leaves the config's.
        epochs: most epochs; None leaves the config's.
        seed: of all random streams.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        threads: processor threads; None = one for small data (``thread_rule``), else torch's own choice.
        out: run folder; None = ``train/<dataset>-<config hash>-<seed>`` among the
            project's results.
        test: open the test split in the end, and leave a receipt.
    """

    dataset: str = "synthetic"
    data_root: Path = field(default_factory=default_data)
    model: str | None = None
    preset: str | None = None
    config: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    epochs: int | None = None
    metrics: tuple[str, ...] | None = None
    seed: int = 999
    device: str = "cpu"
    threads: int | None = None
    out: Path | None = None
    test: bool = False

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise UserError(f"--threads must be at least 1, got {self.threads}")
