"""Controllers on a session: the model is in another process, so each step is a call or two."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from trivium.control.controller import Controller, Hold, Rehearse, make
from trivium.errors import InvalidValueError, SettingsError, TriviumError
from trivium.session.manager import SessionManager
from trivium.simulation.reply import Reply


class Driver(Protocol):
    """Does control steps of one session."""

    def step(self, held: Mapping[str, float]) -> Reply:
        """Do one step; ``held`` are inputs that the user sets, which the controller's decisions do not replace."""


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
        self._sessions, self._testid = sessions, testid
        #: Names of the control inputs.
        self.inputs: Collection[str] = [*self._call("get_inputs").payload]
        self._ahead = [*self._call("get_forecast_points").payload]
        self._length = float(self._call("get_step").payload)
        try:
            self._by: Controller = make(name, self)
        except SettingsError as error:
            message = str(error)
            raise InvalidValueError(f"{message[0].upper()}{message[1:]}.", "controller") from error
        self._observed: Mapping[str, Any] | None = None

    def step(self, held: Mapping[str, float]) -> Reply:
        """Do one step.

        Raises
        ------
        TriviumError
            When it fails; the session stays at its time.
        """
        if isinstance(self._by, Hold):
            return self._call("advance", dict(held))
        boundary = self._boundary(self._testid)
        if self._observed is None:
            self._observed = self._now(self._testid)
            self._by.reset(self._observed, boundary)
        reply = self._call("advance", {**self._by.action(self._observed, boundary), **held})
        self._observed = reply.payload
        return reply

    def rehearsal(self) -> Rehearse:
        """Return what rehearses a controller: a fork of the session is driven by it, then stopped.

        Raises
        ------
        InvalidValueError
            When the scenario's forecasts err: a fork has the boundary data as it comes.
        """
        if self._call("get_scenario").payload["temperature_uncertainty"] not in (None, "none"):
            raise InvalidValueError(
                "Looking ahead on a session knows the weather to come, which is cheating where a scenario's forecasts "
                "err; trivium compare --uncertainty does without.",
                "controller",
            )
        return self._rehearse

    def _rehearse(self, candidate: Controller, steps: int, weights: Mapping[str, float]) -> float:
        fork = self._sessions.fork(self._testid)
        try:
            start = float(self._sessions.call(fork, "about").payload["time"])
            observed: Mapping[str, Any] = self._now(fork)
            for _ in range(steps):
                action = candidate.action(observed, self._boundary(fork))
                observed = self._sessions.call(fork, "advance", action).payload
            values = self._sessions.call(fork, "get_kpis", list(weights), start, start + steps * self._length).payload
            return sum(weight * (values[name] or 0.0) for name, weight in weights.items())
        except TriviumError:
            return math.inf
        finally:
            self._sessions.stop(fork)

    def _now(self, testid: str) -> dict[str, float]:
        """Return measurements and control inputs as they are."""
        names = [*self._sessions.call(testid, "get_measurements").payload, *self.inputs]
        at = self._sessions.call(testid, "about").payload["time"]
        row = self._sessions.call(testid, "get_results", names, at, at).payload
        return {name: float(row[name][-1]) for name in names}

    def _boundary(self, testid: str) -> dict[str, float]:
        """Return the boundary data of the coming step, with prices and emissions."""
        row = self._sessions.call(testid, "get_forecast", self._ahead, 0, self._length).payload
        return {name: float(row[name][0]) for name in self._ahead}

    def _call(self, method: str, *arguments: Any) -> Reply:
        return self._sessions.call(self._testid, method, *arguments)


#: Makes what drives a session under a controller.
Make = Callable[[str, str], Driver]
