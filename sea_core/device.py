"""The device a user named, checked."""

from __future__ import annotations

import torch

from sea_core.errors import UserError


def check_device(name: str) -> str:
    """Return the device's name if training can run there.

    Raises:
        UserError: unknown device, or one that this machine does not have.
    """
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"unknown device '{name}'; expected cpu, cuda or cuda:N") from None
    if device.type == "cuda":
        count = torch.cuda.device_count()
        if (device.index or 0) >= count:
            raise UserError(
                f"device '{name}' is not available: this machine has {count} CUDA devices; use --device cpu"
            )
    elif device.type != "cpu":
        raise UserError(f"device '{name}' is not supported; expected cpu, cuda or cuda:N")
    return name
