"""Controllers on a session: the model is in another process, so each step is a call or two."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from trivium.control.controller import Controller, Hold, Rehearse, make
from trivium.errors import InvalidValueError, SettingsError, TriviumError
from trivium.protocol import Advanced
from trivium.session.manager import SessionManager
from trivium.session.proxy import Session


class Driver(Protocol):
    """Does control steps of one session."""

    def step(self) -> Advanced:
        """Do one step."""


class SessionDriver:
    """Drives a session under a controller; it is what the controller is made for.

    Parameters
    ----------
    sessions : SessionManager
    testid : str
    name : str
        Of the controller; see `trivium.control.controller.CONTROLLERS`.

    Raises
    ------
    InvalidValueError
        When there is none of that name, or it is for another plant.
    """

    def __init__(self, sessions: SessionManager, testid: str, name: str) -> None:
        self._sessions, self._testid, self._session = sessions, testid, sessions.session(testid)
        #: Names of the control inputs.
        self.inputs: Collection[str] = [*self._session.inputs]
        self._ahead = [*self._session.forecast_points]
        self._length = self._session.step
        try:
            self._by: Controller = make(name, self)
        except SettingsError as error:
            message = str(error)
            raise InvalidValueError(f"{message[0].upper()}{message[1:]}.", "controller") from error
        self._observed: Mapping[str, Any] | None = None

    def step(self) -> Advanced:
        """Do one step.

        Raises
        ------
        TriviumError
            When it fails; the session stays at its time.
        """
        if isinstance(self._by, Hold):
            return self._session.advance()
        boundary = self._boundary(self._session)
        if self._observed is None:
            self._observed = self._now(self._session)
            self._by.reset(self._observed, boundary)
        self._observed = advanced = self._session.advance(self._by.action(self._observed, boundary))
        return advanced

    def rehearsal(self) -> Rehearse:
        """Return what rehearses a controller: a fork of the session is driven by it, then stopped.

        Raises
        ------
        InvalidValueError
            When the scenario's forecasts err: a fork has the boundary data as it comes.
        """
        if self._session.scenario["temperature_uncertainty"] not in (None, "none"):
            raise InvalidValueError(
                "Looking ahead on a session knows the weather to come, which is cheating where a scenario's forecasts "
                "err; trivium compare --uncertainty does without.",
                "controller",
            )
        return self._rehearse

    def _rehearse(self, candidate: Controller, steps: int, weights: Mapping[str, float]) -> float:
        fork = self._sessions.session(self._sessions.fork(self._testid))
        try:
            start = fork.time
            observed: Mapping[str, Any] = self._now(fork)
            for _ in range(steps):
                observed = fork.advance(candidate.action(observed, self._boundary(fork)))
            values = fork.kpis(list(weights), start, start + steps * self._length)
            return sum(weight * (values[name] or 0.0) for name, weight in weights.items())
        except TriviumError:
            return math.inf
        finally:
            fork.close()

    def _now(self, session: Session) -> dict[str, float]:
        """Return measurements and control inputs as they are."""
        names = [*session.measurements, *self.inputs]
        clock = session.time
        row = session.results(names, clock, clock)
        return {name: float(row[name][-1]) for name in names}

    def _boundary(self, session: Session) -> dict[str, float]:
        """Return the boundary data of the coming step, with prices and emissions."""
        row = session.forecast(self._ahead, 0, self._length)
        return {name: float(row[name][0]) for name in self._ahead}


#: Makes what drives a session under a controller.
Make = Callable[[str, str], Driver]
