"""Where the plant of an environment runs: in this process, in a host process, or at a server.

All three are `trivium.client.Session` to the environment, or look like one, and give the same numbers to the last bit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from trivium.client import Client, Columns, Point, Session
from trivium.errors import InvalidValueError, ModelError
from trivium.session.local import open_testcase
from trivium.session.manager import SessionManager
from trivium.settings import Settings


class LocalPlant:
    """A plant without HTTP; its methods are those of `trivium.client.Session`.

    Parameters
    ----------
    call : Callable
        Calls a method of the test case and returns the reply's payload.
    snapshot : Callable
        Stores the plant and returns a name for that.
    restore : Callable
        Takes the name, goes back and returns the clock [s].
    """

    def __init__(self, call: Callable[..., Any], snapshot: Callable[[], str], restore: Callable[[str], float]) -> None:
        self._call, self._snapshot, self._restore = call, snapshot, restore
        #: Clock [s].
        self.time: float | None = 0.0

    def inputs(self) -> dict[str, Point]:
        """Return the control inputs."""
        return Point.all_of(self._call("get_inputs"))

    def measurements(self) -> dict[str, Point]:
        """Return the measurements."""
        return Point.all_of(self._call("get_measurements"))

    def forecast_points(self) -> dict[str, Point]:
        """Return the disturbances."""
        return Point.all_of(self._call("get_forecast_points"))

    def step(self) -> float:
        """Return the control step [s]."""
        return float(self._call("get_step"))

    def set_step(self, step: float) -> None:
        """Set the control step [s]."""
        self._call("set_step", step)

    def set_scenario(self, **parts: Any) -> dict[str, Any]:
        """Set parts of the scenario."""
        told = dict(self._call("set_scenario", parts))
        if told.get("time_period"):
            self.time = told["time_period"]["time"]
        return told

    def initialize(
        self, start_time: float, end_time: float, warmup_period: float, start_values: Mapping[str, Any] | None
    ) -> dict[str, float]:
        """Start anew."""
        payload: dict[str, float] = self._call("initialize", start_time, end_time, warmup_period, start_values)
        self.time = payload.pop("time")
        return payload

    def advance(self, u: Mapping[str, float]) -> dict[str, float]:
        """Simulate one control step."""
        payload: dict[str, float] = self._call("advance", u, "boptest")
        if payload:
            self.time = payload.pop("time")
        return payload

    def look_ahead(self, u: Mapping[str, float]) -> dict[str, float]:
        """Return what `advance` would return, and stay."""
        payload: dict[str, float] = self._call("look_ahead", u, "boptest")
        return {name: value for name, value in payload.items() if name != "time"}

    def forecast(self, point_names: Sequence[str], horizon: float, interval: float) -> Columns:
        """Return disturbances from now on."""
        return Columns(self._call("get_forecast", list(point_names), horizon, interval))

    def kpi(self, names: Sequence[str] | None = None) -> dict[str, float | None]:
        """Return key performance indicators; all where none are named."""
        return dict(self._call("get_kpis", None if names is None else list(names)))

    def snapshot(self) -> str:
        """Store the plant as it stands."""
        return self._snapshot()

    def restore(self, snapshot: str) -> None:
        """Go back to a snapshot."""
        self.time = self._restore(snapshot)


#: What an environment steps.
Plant = LocalPlant | Session


def open_plant(
    where: str, resources: Path | None, state_dir: Path | None, testcase: str | None, token: str | None = None
) -> tuple[Plant, Callable[[], None]]:
    """Open a plant.

    Parameters
    ----------
    where : str
        ``in-process``, ``host``, or the address of a server.
    resources : Path or None
        Test case of a plant without a server: a folder or an FMU; None for that of the settings.
    state_dir : Path or None
        Where such a plant keeps its files; None for that of the settings.
    testcase : str or None
        Test case of a server, or of a host; None for the first.
    token : str, optional
        For a server that asks for one.

    Returns
    -------
    plant : Plant
    close : Callable
        Ends it.

    Raises
    ------
    InvalidValueError
        When `where` is none of these.
    TriviumError
        When the plant cannot be opened.
    """
    if where.startswith(("http://", "https://")):
        return _remote(where, testcase, token)
    settings = Settings(resources=resources, state_dir=state_dir)
    if where == "in-process":
        return _in_process(settings)
    if where == "host":
        return _host(settings, testcase)
    raise InvalidValueError(
        f"Invalid value {where} for parameter plant. It must be in-process, host or the address of a server.", "plant"
    )


def _in_process(settings: Settings) -> tuple[Plant, Callable[[], None]]:
    case = open_testcase(settings.resources, settings.state_dir, settings.engine)
    kept: dict[str, tuple[bytes, Any]] = {}

    def call(method: str, *arguments: Any) -> Any:
        return getattr(case, method)(*arguments).payload

    def snapshot() -> str:
        name = os.urandom(8).hex()
        kept[name] = (case.state(), case.history_rows())
        return name

    def restore(name: str) -> float:
        if name not in kept:
            raise InvalidValueError(f"Invalid snapshot: {name}", "snapshot")
        case.restore(*kept[name])
        return case.time

    return LocalPlant(call, snapshot, restore), case.close


def _host(settings: Settings, testcase: str | None) -> tuple[Plant, Callable[[], None]]:
    manager = SessionManager(settings)
    try:
        testid = manager.select(testcase or manager.testcases()[0])
    except BaseException:
        manager.close()
        raise

    def call(method: str, *arguments: Any) -> Any:
        key = os.urandom(16).hex()
        try:
            return manager.call(testid, method, *arguments, key=key).payload
        except ModelError:  # a host that somebody killed is no fault of the plant; see trivium.client.connection
            return manager.call(testid, method, *arguments, key=key).payload

    def close() -> None:
        manager.stop(testid)
        manager.close()

    def restore(name: str) -> float:
        return float(manager.restore(testid, name).payload["time"])

    return LocalPlant(call, lambda: manager.snapshot(testid), restore), close


def _remote(url: str, testcase: str | None, token: str | None) -> tuple[Plant, Callable[[], None]]:
    client = Client(url, token=token)
    try:
        session = client.select(testcase)
    except BaseException:
        client.close()
        raise

    def close() -> None:
        session.stop()
        client.close()

    return session, close
