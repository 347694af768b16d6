"""The protocol through which a long run reports its progress; `trivium.jobs` implements it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

#: What a count or a value of a run may be; what is no finite number is kept as None.
Scalar = float | int | str | bool | None


class CancelledError(BaseException):
    """The run is to end now; like KeyboardInterrupt it passes through what catches errors."""


class Recorder(Protocol):
    """What a long run is given.

    A run may be killed at any moment and be started again, with the same specification and in the same folder: what it
    wants to go on from, it keeps there.

    Attributes
    ----------
    folder : Path
        The run's own folder. What is there is of an earlier attempt.
    attempt : int
        1 at the first start.
    """

    @property
    def folder(self) -> Path:
        """The run's own folder."""

    @property
    def attempt(self) -> int:
        """Which start this is, from 1."""

    def progress(self, message: str, fraction: float | None = None, **counts: Scalar) -> None:
        """Report the progress of the run; may be called at any rate.

        Parameters
        ----------
        message : str
            For people: "Iteration 3 completed".
        fraction : float, optional
            How much is done, 0 to 1.
        **counts : Scalar
            Figures by name, which replace those of the same name.

        Raises
        ------
        CancelledError
            When the run is to end.
        """


@dataclass(frozen=True)
class Outcome:
    """How a run ended that came to its end.

    Attributes
    ----------
    files : Mapping[str, Path]
        Result files in the run's folder, by the name that clients ask for.
    values : Mapping[str, Scalar]
        Result figures.
    outcome : str
        In a word: completed, converged, diverged.
    error : str, optional
        Why it is no success although it came to its end; None for a success.
    """

    files: Mapping[str, Path] = field(default_factory=dict)
    values: Mapping[str, Scalar] = field(default_factory=dict)
    outcome: str = "completed"
    error: str | None = None
