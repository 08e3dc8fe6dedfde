import re
from dataclasses import dataclass
from typing import Any

import pytest

from sea_core.config import Config, _choice
from sea_core.errors import run_program
from sea_core.graphs.item_item import item_graph
from study import audit
from study.verification.auditing.knobs import audit_knobs

pytestmark = pytest.mark.usefixtures("cache_folder")


@dataclass(frozen=True)
class WithFaults(Config):
    """What ``Config`` becomes when fields are added without care."""

    momentum: float = _choice(0.9, "read by nothing", observable="loss")
    mood: str = _choice("calm", "a choice without a list of choices", observable="loss")
    salt: int = _choice(1, "whose author did not say what it moves", observable="")
    learning_rate: float = _choice(0.01, "Adam's learning rate", observable="loss")


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("momentum", "momentum is dead: nothing moved"),
        (
            "mood",
            "no other value is known for mood: add one to CHANGES in study/verification/auditing/perturbations.py",
        ),
        ("salt", r"salt has no observable \(''\): declare it in sea_core/config.py .* one of loss, gradient,"),
        ("learning_rate", "learning_rate does not move its observable loss, only prediction,"),
    ],
)
def test_a_faulty_field_is_named_with_what_to_write(field: str, message: str) -> None:
    (finding,) = audit_knobs(WithFaults, only=[field])
    assert finding.subject == field
    assert finding.problem is not None
    assert re.search(message, finding.problem)


def test_a_field_that_the_code_stops_reading_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(dataset: Any, *, knn_k: int, **others: Any) -> Any:
        return item_graph(dataset, knn_k=4, **others)

    assert audit.main(["--only", "knn_k"]) == 0
    monkeypatch.setattr("sea_core.layers.item_graph.item_graph", forgetful)
    assert audit.main(["--only", "knn_k"]) == 1


def test_the_program_names_the_fault_and_counts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "sea_core.layers.item_graph.item_graph_weights", lambda config, names: dict.fromkeys(names, 0.5)
    )
    assert audit.main(["--quiet", "--only", "image_weight", "item_graph_weights", "epochs"]) == 1
    printed = capsys.readouterr().out
    assert "fault: image_weight is dead" in printed
    assert "fault: item_graph_weights is dead" in printed
    assert "3 config fields and 0 cache inputs, 2 faults" in printed


def test_an_unknown_field_is_a_user_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_program(lambda: audit.main(["--only", "temprature"])) == 2
    assert "unknown config key 'temprature'; did you mean 'temperature'?" in capsys.readouterr().err


@pytest.mark.slow
def test_every_field_and_every_cache_key_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main([]) == 0
    assert ", 0 faults" in capsys.readouterr().out
