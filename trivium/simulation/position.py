"""Where a session stands, and what brings it back there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from trivium.model.contract import FloatArray, Snapshot, StartValues


class Position(NamedTuple):
    """Where a session stands.

    Attributes
    ----------
    time : float
        Clock [s].
    outputs : FloatArray, shape (n_outputs,)
        Outputs of the model then.
    stepped : bool
        Whether a client's step led there, and not an initialization.
    texts : Mapping[str, str]
        Outputs that are text.
    """

    time: float
    outputs: FloatArray
    stepped: bool
    texts: Mapping[str, str] = {}


class Beginning(NamedTuple):
    """How the present life of the model began: with the rows of the history, all that a replay needs.

    Attributes
    ----------
    kind : {"observed", "initialized", "warmed"}
        ``observed``: the first row is an observation, the model begins with the inputs of the first step.
        ``initialized``: the first row is the model after its initialization. ``warmed``: all rows are steps.
    time : float
        Where the model is initialized [s].
    start_values : Mapping[str, float or str]
        What is set before its initialization.
    """

    kind: Literal["observed", "initialized", "warmed"]
    time: float
    start_values: StartValues

    @property
    def rows_before_steps(self) -> int:
        """How many rows of the history, at the head, are no steps of the model."""
        return 0 if self.kind == "warmed" else 1


class Mark(NamedTuple):
    """All that a stepper needs to come back to a moment, but for the rows of the history.

    Attributes
    ----------
    snapshot : Snapshot or None
        The model; None where only a replay of the rows brings it back.
    rows : int
        Rows of the history then.
    beginning : Beginning
    """

    snapshot: Snapshot | None
    rows: int
    beginning: Beginning
