"""Bundles of studies that nobody trained, and ways to damage one."""

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

from study.api.bundles import make_bundle
from study.reporting.bundling.contents import MANIFEST
from tests.study.results import write_arms, write_search

Change = Callable[[dict[str, bytes]], None]


def write_bundle_of(root: Path, *, seeds: int = 3) -> Path:
    """A search with arms, bundled. Draw no figures: patch ``plots.lib.pictures.study_pictures`` before."""
    study = write_search(root, seeds=seeds)
    write_arms(study, {"full": 0.0, "no-club": -0.02}, seeds=seeds)
    (study / "trials" / "0" / "history.csv").write_text(
        "epoch,bpr,seconds\n" + "".join(f"{epoch},0.5,0.1\n" for epoch in range(5))
    )
    (study / "trials" / "0" / "embeddings.safetensors").write_bytes(b"large")
    return make_bundle(study)


def repack(bundle: Path, change: Change, *, honest: bool = False) -> Path:
    """The bundle with other members; ``honest`` writes a manifest that fits them."""
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if honest:
        top = f"{bundle.stem}/"
        named = {name.removeprefix(top): content for name, content in members.items() if not name.endswith(MANIFEST)}
        lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(named.items())]
        members[top + MANIFEST] = "".join(lines).encode()
    with zipfile.ZipFile(bundle, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return bundle
