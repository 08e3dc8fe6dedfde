"""RO-Crate metadata of a bundle (https://w3id.org/ro/crate), written by the format's own library."""

from __future__ import annotations

from pathlib import Path

from study.reporting.bundling.contents import CHECKLIST, COMMANDS, DATA, ENVIRONMENT, METADATA, README
from study.reporting.bundling.facts import Facts

_UNKNOWN = "1970-01-01T00:00:00+00:00"  # the format wants a date; of studies that nobody dated
_DESCRIPTIONS = {
    README: "What lies here, and how to check it",
    CHECKLIST: "Reproducibility checklist, answered from the records",
    COMMANDS: "The commands that made the study",
    DATA: "Fingerprints of the data",
    ENVIRONMENT: "Commits, versions and machines",
}
_FORMATS = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".tex": "application/x-tex",
    ".txt": "text/plain",
    ".yaml": "application/yaml",
}


def write_metadata(folder: Path, facts: Facts) -> None:
    """Write ``ro-crate-metadata.json`` over every file below ``folder``; equal contents give equal bytes."""
    from rocrate.model.softwareapplication import (
        SoftwareApplication,  # it takes a second, which --help need not wait for
    )
    from rocrate.rocrate import ROCrate

    crate, study = ROCrate(), facts.study
    crate.name = f"SEA Study: {study.name}"
    crate.description = (
        f"Records, configurations, tables and report of a study of {study.model_title} on {study.dataset}, with what "
        "is needed to check and to repeat it."
    )
    crate.datePublished = facts.time or _UNKNOWN
    crate.license = "for the authors to say"
    crate.keywords = "multimodal recommendation, hyper-parameter search, ablation, reproducibility"
    programs = []
    for commit in facts.commits or ["unknown"]:
        known = {"name": "SEA Study", "softwareVersion": commit}
        programs.append(crate.add(SoftwareApplication(crate, f"#sea-study-{commit}", properties=known)))
    descriptions = _DESCRIPTIONS | {
        f"{facts.place}/report.html": "The report: answer, tables, figures, cautions",
        f"{facts.place}/config.yaml": "What was searched, with which base configuration",
    }
    files = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        about = {"name": path.name, "contentSize": str(path.stat().st_size)}
        if path.suffix in _FORMATS:
            about["encodingFormat"] = _FORMATS[path.suffix]
        if name in descriptions:
            about["description"] = descriptions[name]
        files.append(crate.add_file(path, name, properties=about))
    last = programs[-1]
    crate.add_action(last, "#study", result=files, properties={"name": "The study", "endTime": facts.time or _UNKNOWN})
    crate.metadata.write(folder)
    assert (folder / METADATA).is_file()
