"""Names of samplers and pruners, with what to choose them for; cheap to import, for the command line."""

from __future__ import annotations

from collections.abc import Mapping

GRID = "grid"
NO_PRUNER = "none"
PROMOTE = "promote"

SAMPLERS: Mapping[str, str] = {
    "tpe": "learns from earlier trials",
    "gp": "learns too; slower, and good for few trials",
    "random": "does not learn",
    "qmc": "does not learn, and covers the space more evenly than random",
    GRID: "tries every cell in order",
}

PRUNERS: Mapping[str, str] = {
    PROMOTE: "pauses trials at rungs and goes on with the better third; what it paused may go on later",
    "median": "compares with completed trials at the same epoch",
    "halving": "lets the better third of all trials on at growing distances",
    "hyperband": "is halving that gives some trials a later first test",
    "patient": "is median that spares those that still improve",
    NO_PRUNER: "stops none",
}
