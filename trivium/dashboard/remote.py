"""Controllers of `trivium.control` on a session: the plant is in another process, so each step is a call or two."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from trivium.control.drive import CONTROLLERS, Controller, Hold
from trivium.errors import InvalidValueError, TriviumError
from trivium.plants.cooling.look_ahead import LookAheadController
from trivium.plants.cooling.rules import INPUTS, RuleBasedController
from trivium.session.manager import SessionManager
from trivium.simulation.reply import Reply

#: Boundary data that the rules look at.
_BOUNDARY = ("Twb_outside", "Mchw", "Tchw_r")


class Driver(Protocol):
    """Does control steps of one session."""

    def step(self, given: Mapping[str, float]) -> Reply:
        """Do one step; ``given`` are inputs that the user sets, which the controller's decisions do not replace."""


class SessionDriver:
    """Drives a session under a controller.

    Parameters
    ----------
    sessions : SessionManager
    testid : str
    name : str
        Of the controller; see `trivium.control.drive.CONTROLLERS`.

    Raises
    ------
    InvalidValueError
        When there is none of that name, or it is for another plant.
    """

    def __init__(self, sessions: SessionManager, testid: str, name: str) -> None:
        self._sessions, self._testid = sessions, testid
        if name not in CONTROLLERS:
            raise InvalidValueError(
                f"There is no controller {name}; there are: {', '.join(CONTROLLERS)}.", "controller"
            )
        if name != "hold":
            self._require_plant(name)
        self._length = float(self._call("get_step").payload)
        self._by: Controller = self._made(name)
        self._observed: Mapping[str, Any] | None = None

    def step(self, given: Mapping[str, float]) -> Reply:
        """Do one step.

        Raises
        ------
        TriviumError
            When it fails; the session stands where it stood.
        """
        if isinstance(self._by, Hold):
            return self._call("advance", dict(given))
        boundary = self._boundary(self._testid)
        if self._observed is None:
            self._observed = self._now()
            self._by.reset(self._observed, boundary)
        decided = {**self._by.action(self._observed, boundary), **given}
        reply = self._call("advance", decided)
        self._observed = reply.payload
        return reply

    def _made(self, name: str) -> Controller:
        if name == "rules":
            return RuleBasedController()
        if name == "hold":
            return Hold()
        uncertain = self._call("get_scenario").payload["temperature_uncertainty"]
        if uncertain not in (None, "none"):
            raise InvalidValueError(
                "Looking ahead on a session knows the weather to come, which is cheating where a scenario's forecasts "
                "err; trivium compare --uncertainty does without.",
                "controller",
            )
        return LookAheadController(self._rehearsed)

    def _rehearsed(self, tried: RuleBasedController, steps: int, weights: Mapping[str, float]) -> float:
        """Return what a controller costs from now on: a fork of the session is driven by it, then forgotten."""
        fork = self._sessions.fork(self._testid)
        try:
            start = float(self._sessions.call(fork, "about").payload["time"])
            observed = self._now(fork)
            done = 0
            for _ in range(steps):
                observed = self._sessions.call(fork, "advance", tried.action(observed, self._boundary(fork))).payload
                done += 1
            found = self._sessions.call(fork, "get_kpis", list(weights), start, start + done * self._length).payload
            return sum(weight * (found[name] or 0.0) for name, weight in weights.items())
        except TriviumError:
            return math.inf
        finally:
            self._sessions.stop(fork)

    def _require_plant(self, name: str) -> None:
        there = {*self._call("get_inputs").payload}
        missing = [x for x in INPUTS if x not in there]
        if missing:
            raise InvalidValueError(
                f"The controller {name} is for another plant: this one has no input {missing[0]}.", "controller"
            )

    def _now(self, testid: str | None = None) -> dict[str, float]:
        """Return measurements and control inputs as they are."""
        of = testid or self._testid
        names = [*self._sessions.call(of, "get_measurements").payload, *INPUTS]
        at = self._sessions.call(of, "about").payload["time"]
        row = self._sessions.call(of, "get_results", names, at, at).payload
        return {name: float(row[name][-1]) for name in names}

    def _boundary(self, testid: str) -> dict[str, float]:
        """Return the boundary data of the coming step."""
        ahead = self._sessions.call(testid, "get_forecast", list(_BOUNDARY), 0, self._length).payload
        return {name: float(ahead[name][0]) for name in _BOUNDARY}

    def _call(self, method: str, *arguments: Any) -> Reply:
        return self._sessions.call(self._testid, method, *arguments)


#: Makes what drives a session under a controller.
Make = Callable[[str, str], Driver]
