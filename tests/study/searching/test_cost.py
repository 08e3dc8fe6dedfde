import pytest

from sea_core.errors import UserError
from study.searching.cost import Cost, parse_cost


@pytest.mark.parametrize(
    ("text", "cost", "shown"),
    [
        ("20x", Cost(20, "runs"), "20 whole runs"),
        ("2.5x", Cost(2.5, "runs"), "2.5 whole runs"),
        ("2000epochs", Cost(2000, "epochs"), "2000 epochs"),
        (" 2000 Epochs ", Cost(2000, "epochs"), "2000 epochs"),
        ("30min", Cost(1800, "seconds"), "30 min of training"),
        ("1.5h", Cost(5400, "seconds"), "1.5 h of training"),
        ("45s", Cost(45, "seconds"), "45 s of training"),
        ("2d", Cost(172800, "seconds"), "48.0 h of training"),
    ],
)
def test_costs_are_whole_runs_epochs_or_time(text: str, cost: Cost, shown: str) -> None:
    assert parse_cost(text) == cost
    assert str(cost) == shown


@pytest.mark.parametrize("text", ["", "20", "x", "-3x", "20 runs", "1e3epochs", "20xx", "3weeks", "x20", "nan min"])
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="must be like 20x, 2000epochs, 30min or"):
        parse_cost(text)


@pytest.mark.parametrize("text", ["0x", "0.5x", "0epochs", "0min"])
def test_less_than_a_run_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is less than one"):
        parse_cost(text)
