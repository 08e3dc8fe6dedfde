"""Making a bundle of a study."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from sea_core.errors import UserError
from sea_core.files import write_json
from sea_core.plugins import loaded_plugins
from study.records.folder import make_writable
from study.records.study import Study
from study.reporting.bundling.checklist import answered, as_csv, as_markdown
from study.reporting.bundling.contents import (
    CHECKLIST,
    CHECKLIST_CSV,
    COMMANDS,
    DATA,
    ENVIRONMENT,
    MANIFEST,
    PLUGINS,
    README,
    check_finished,
    files_of,
    pack,
    write_manifest,
)
from study.reporting.bundling.facts import Facts
from study.reporting.bundling.metadata import write_metadata

_README = """\
# {title}

A study made with SEA Study, bundled to be checked and repeated by anybody.

| path | content |
|---|---|
| `{place}/` | the study: configs, every run's record, learning curve and per-user metrics, tables, figures, report |
| `{checklist}` | a reproducibility checklist, answered as far as the records answer it |
| `{commands}` | the commands that made it |
| `{environment}` | commits, versions, machines |
| `{data}` | fingerprints of the data; the data themselves are not here |
| `{manifest}` | SHA-256 of every file (`sha256sum --check {manifest}`) |
| `ro-crate-metadata.json` | the same for machines (RO-Crate) |

With SEA Study installed (commit {commit}), from the folder that holds this file as it was packed:

    python study/bundle.py --verify {name}.zip --data-root data

checks every file, computes every table from the records again, and trains one run, chosen at random, to the last bit.
Embeddings, logs and the search's database are left out: a replay makes the former again, and the records hold the rest.
"""


def write_bundle(study: Study, out: Path) -> Path:
    """Pack a finished study, whose tables and report are those of its records, into one zip file.

    Args:
        study: finished.
        out: the zip file; one that is there is written over.

    Returns:
        ``out``.

    Raises:
        UserError: the study is not finished, a record is damaged, or ``out`` cannot be written.
    """
    check_finished(study)
    if out.suffix != ".zip":
        raise UserError(f"a bundle is a zip file, got --out {out}; name it {out.name}.zip")
    make_writable(out.parent)
    facts = Facts(study)
    with tempfile.TemporaryDirectory(prefix=".bundle-", dir=out.parent) as temporary:
        folder = Path(temporary) / out.stem
        for path in files_of(study.folder):
            target = folder / facts.place / path.relative_to(study.folder.root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        for plugin in loaded_plugins():
            (folder / PLUGINS).mkdir(exist_ok=True)
            (folder / PLUGINS / plugin.name).write_bytes(plugin.content)
        rows = answered(facts)
        texts = {
            CHECKLIST: as_markdown(rows),
            CHECKLIST_CSV: as_csv(rows),
            COMMANDS: facts.commands(),
            README: _README.format(
                title=study.title,
                name=out.stem,
                place=facts.place,
                commit=", ".join(facts.commits) or "unknown",
                checklist=CHECKLIST,
                commands=COMMANDS,
                environment=ENVIRONMENT,
                data=DATA,
                manifest=MANIFEST,
            ),
        }
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        write_json(folder / ENVIRONMENT, facts.environment())
        write_json(folder / DATA, facts.data())
        write_metadata(folder, facts)
        write_manifest(folder)
        packed = Path(temporary) / out.name
        pack(folder, packed)
        packed.replace(out)
    return out
