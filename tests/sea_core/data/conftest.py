"""A small valid MMRec folder that tests break in one way each."""

from pathlib import Path

import numpy as np
import pytest

USERS, ITEMS = 6, 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six users with 3 training, 1 validation and 1 test items each, 12 items, features of 5 and 3 dimensions."""
    folder = tmp_path / "shop"
    folder.mkdir()
    lines = ["userID\titemID\trating\tx_label"]
    for user in range(USERS):
        items = [(2 * user + step) % ITEMS for step in range(5)]
        lines += [f"{user}\t{item}\t5\t{label}" for item, label in zip(items, (0, 0, 0, 1, 2), strict=True)]
    (folder / "shop.inter").write_text("\n".join(lines) + "\n")
    generator = np.random.default_rng(0)
    for name, dim in (("image", 5), ("text", 3)):
        np.save(folder / f"{name}_feat.npy", generator.standard_normal((ITEMS, dim)).astype(np.float32))
    return folder
