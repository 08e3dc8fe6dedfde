"""Configs and provenance as facts: what every number on the page depends on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sea_core.config import Config
from study.records.arm_names import FULL
from study.records.provenance import read_provenance
from study.records.study import RunRecord, Study
from study.reporting.page.page import Fact, Facts

_OF_A_CALL = ("time", "command", "commit", "dirty")
_OF_THE_DATA = ("dataset", "source", "data_hash", "split_hash")


def configs(study: Study) -> list[Facts]:
    """The chosen config, what was searched, what every arm changes, and the whole config that runs share."""
    facts = []
    reference = _reference(study)
    if reference is not None:
        number = f" (trial {reference.number})" if reference.number is not None else ""
        config, default = reference.config.as_dict(), Config(model=reference.config.model).as_dict()
        changed = {name: value for name, value in config.items() if value != default[name]}
        facts.append(Facts(f"Full model{number}: what differs from the defaults", _facts(changed)))
    if study.spec is not None and study.space:
        facts.append(Facts("Searched", _facts(study.space)))
        keys = ("sampler", "pruner", "metric", "seed")
        made = study.spec.as_dict()
        facts.append(Facts("Search", _facts({key: made[key] for key in keys if made[key] != ""})))
    facts += _arms(study)
    if reference is not None:
        facts.append(Facts(f"Full model{number}: every key", _facts(reference.config.as_dict())))
    return facts


def provenance_facts(study: Study) -> list[Facts]:
    """Code, data, software, machine and every invocation; of an ablation alone, what its records say."""
    known = read_provenance(study.folder)
    first = study.all_records()[0]
    data = {key: known.get(key, first.record.get(key)) for key in _OF_THE_DATA}
    data |= {f"features, {name}": value for name, value in known.get("feature_hashes", {}).items()}
    facts = []
    if known:
        facts.append(Facts("First call", _facts({key: known.get(key) for key in _OF_A_CALL})))
    facts.append(Facts("Data", _facts(data)))
    trained = next((run.record for run in study.all_records() if "versions" in run.record), {})
    stated = {name: known.get(name) or trained.get(name) for name in ("versions", "machine")}
    facts += [Facts(name.capitalize(), _facts(values)) for name, values in stated.items() if values]
    runs = {"folder": str(study.folder.name), "records": len(study.all_records())}
    runs |= {key: trained[key] for key in ("threads", "device") if key in trained}
    facts.append(Facts("Runs", _facts(runs)))
    for number, call in enumerate(known.get("resumed", []), start=2):
        facts.append(Facts(f"Call {number}", _facts({key: call.get(key) for key in _OF_A_CALL})))
    return facts


def _reference(study: Study) -> RunRecord | None:
    """A run with the full model's config: the winner, else the full arm, else the best trial."""
    return next(iter([*study.winner, *study.runs(arm=FULL)]), study.best_trial)


def _arms(study: Study) -> list[Facts]:
    """What each frozen arm's config changes in the full model's."""
    frozen = {str(run.arm): run for run in reversed(study.ablations) if run.mode == "frozen"}
    if FULL not in frozen:
        return []
    full = frozen[FULL].config.as_dict()
    facts = []
    for arm in sorted(frozen.keys() - {FULL}):
        config = frozen[arm].config.as_dict()
        changed = {name: value for name, value in config.items() if value != full.get(name)}
        text = ", ".join(f"{name}: {_text(full.get(name))} → {_text(value)}" for name, value in changed.items())
        facts.append(Fact(arm, text or "no config key"))
    return [Facts("What each arm changes", facts)] if facts else []


def _facts(values: Mapping[str, Any]) -> list[Fact]:
    return [Fact(str(name), _text(value)) for name, value in values.items()]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(each)}" for name, each in value.items())
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value)
