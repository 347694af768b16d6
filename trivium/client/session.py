"""A session of a server: its plant, stepped by this client."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlencode

from trivium.client.columns import NPZ, Columns, unpack
from trivium.client.connection import Again, Connections, Response
from trivium.client.records import ClampedWarning, Parameter, Point, Steps
from trivium.errors import StorageError, UnknownSessionError

#: A value for an input, as the server takes it.
Value = float | int | str | None


#: How the server begins when a request was done before, but its reply was too large to be kept for a second one.
_DONE = "The request was done"


class Session:
    """A session of a server; made by `Client.select`, `Client.session` or `fork`.

    As a context manager it stops the session at the end. Every changing request carries a key, so that none is done
    twice however often it has to be sent. Errors are those of `trivium.errors`; whatever is raised, but for
    `UnreachableError`, the session stands as before.

    Parameters
    ----------
    connections : Connections
    testid : str
    """

    def __init__(self, connections: Connections, testid: str) -> None:
        self._connections = connections
        #: Test id.
        self.testid = testid
        #: Clock, as the server told it last [s]; None before.
        self.time: float | None = None
        #: ``inexact`` or ``replayed`` when the last reply came from a plant that did not come back bit by bit.
        self.restored = ""

    def __repr__(self) -> str:
        return f"Session({self.testid} at {self._connections.url})"

    # -- what there is ------------------------------------------------------------------------------------------------

    def name(self) -> str:
        """Return the name of the test case."""
        return str(self._payload("GET", "name")["name"])

    def version(self) -> str:
        """Return the version of the test case."""
        return str(self._payload("GET", "version")["version"])

    def inputs(self) -> dict[str, Point]:
        """Return the control inputs."""
        return Point.all_of(self._payload("GET", "inputs"))

    def measurements(self) -> dict[str, Point]:
        """Return the measurements."""
        return Point.all_of(self._payload("GET", "measurements"))

    def forecast_points(self) -> dict[str, Point]:
        """Return the disturbances, which can be asked ahead."""
        return Point.all_of(self._payload("GET", "forecast_points"))

    def parameters(self) -> dict[str, Parameter]:
        """Return what `initialize` may set."""
        names = ("Unit", "Description", "Minimum", "Maximum", "Start", "Type")
        told = self._payload("GET", "parameters")
        return {name: Parameter(*(about[key] for key in names)) for name, about in told.items()}

    def step(self) -> float:
        """Return the control step [s]."""
        return float(self._payload("GET", "step"))

    # -- stepping -----------------------------------------------------------------------------------------------------

    def set_step(self, step: float) -> None:
        """Set the control step [s]."""
        self._payload("PUT", "step", {"step": step}, again="keyed")

    def initialize(
        self,
        start_time: float = 0.0,
        end_time: float | None = None,
        warmup_period: float = 0.0,
        start_values: Mapping[str, Value] | None = None,
    ) -> dict[str, float]:
        """Start anew.

        Parameters
        ----------
        start_time : float
            [s]
        end_time : float, optional
            [s]; default: the latest of the test case.
        warmup_period : float
            How long before the start the simulation begins [s]; the server makes the least of it that it needs.
        start_values : Mapping[str, float or int or bool or str], optional
            Parameters and start values of the plant.

        Returns
        -------
        dict[str, float]
            All measurements and inputs by name.
        """
        asked: dict[str, Any] = {"start_time": start_time, "warmup_period": warmup_period}
        if end_time is not None:
            asked["final_time"] = end_time
        if start_values:
            asked["start_values"] = dict(start_values)
        return self._observation(self._payload("PUT", "initialize", asked, again="keyed"))

    def advance(self, u: Mapping[str, Value] | None = None, *, at: float | None = None) -> dict[str, float]:
        """Simulate one control step.

        Parameters
        ----------
        u : Mapping[str, float or int or str or None], optional
            Control inputs; what is left out or None keeps its value. Those beyond their bounds are brought back to
            them, with a `ClampedWarning`.
        at : float, optional
            Where the session is believed to stand [s]; `ConflictError` when it stands elsewhere.

        Returns
        -------
        dict[str, float]
            All measurements and inputs by name; empty at the end of the simulation, where nothing is done.
        """
        headers = {} if at is None else {"If-Match": f'"{float(at)}"'}
        reply = self._reply("POST", "advance", u or {}, again="keyed", headers=headers)
        if reply["message"].startswith("WARNING"):
            warnings.warn(reply["message"], ClampedWarning, stacklevel=2)
        return self._observation(reply["payload"])

    def look_ahead(self, u: Mapping[str, Value] | None = None) -> dict[str, float]:
        """Return what `advance` would return, and stay."""
        payload = self._payload("POST", "advance", {**(u or {}), "dry_run": True})
        return {name: value for name, value in payload.items() if name != "time"}

    def steps(
        self,
        steps: int | None = None,
        *,
        action: Mapping[str, Value] | None = None,
        trajectory: Sequence[Mapping[str, Value]] | Mapping[str, Sequence[Value]] | None = None,
        point_names: Sequence[str] | None = None,
        atomic: bool = True,
        dry_run: bool = False,
    ) -> Steps:
        """Simulate many control steps in one request.

        Parameters
        ----------
        steps : int, optional
            Default: the length of the trajectory, or 1.
        action : Mapping, optional
            Held over all steps, where the trajectory says nothing else.
        trajectory : optional
            One action a step, or for each input a value a step (arrays too).
        point_names : sequence of str, optional
            What is wanted; default: all measurements and inputs.
        atomic : bool
            All steps or none; otherwise up to the first that fails. Why one failed is not known where the reply was
            lost, with a connection, and so large that the steps had to be looked up.
        dry_run : bool
            Return what would come, and stay.
        """
        given = {"steps": steps, "action": action, "trajectory": trajectory, "point_names": point_names}
        asked: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if not atomic:
            asked["atomic"] = False
        if dry_run:
            asked["dry_run"] = True
            return self._steps(self._send("POST", "steps", asked, headers={"Accept": NPZ}))
        before = self._clock() if self.time is None else self.time
        try:
            done = self._steps(self._send("POST", "steps", asked, again="keyed", headers={"Accept": NPZ}))
        except StorageError as error:
            if not str(error).startswith(_DONE):
                raise
            done = self._look_up(before, point_names)
        self.time = float(done.columns["time"][-1])
        return done

    # -- looking back and ahead ---------------------------------------------------------------------------------------

    def results(self, point_names: Sequence[str], start_time: float = 0.0, final_time: float | None = None) -> Columns:
        """Return trajectories of points.

        Parameters
        ----------
        point_names : sequence of str
        start_time, final_time : float, optional
            The window, both ends included [s]; default: all there is.
        """
        asked = {
            "point_names": list(point_names),
            "start_time": start_time,
            "final_time": 1e12 if final_time is None else final_time,
        }
        response = self._send("PUT", "results", asked, headers={"Accept": NPZ})
        return unpack(response.body)[1]

    def forecast(self, point_names: Sequence[str], horizon: float, interval: float) -> Columns:
        """Return disturbances from now on.

        Parameters
        ----------
        point_names : sequence of str
        horizon, interval : float
            How far ahead, and between two values [s].
        """
        asked = {"point_names": list(point_names), "horizon": horizon, "interval": interval}
        return Columns(self._payload("PUT", "forecast", asked))

    def kpi(
        self, names: Sequence[str] | None = None, start_time: float | None = None, final_time: float | None = None
    ) -> dict[str, float | None]:
        """Return key performance indicators; None where there is none.

        Parameters
        ----------
        names : sequence of str, optional
            Default: all.
        start_time, final_time : float, optional
            A window of the test [s]; default: from its start until now.
        """
        given = {
            "names": None if names is None else ",".join(names),
            "start_time": start_time,
            "final_time": final_time,
        }
        query = urlencode({name: value for name, value in given.items() if value is not None})
        return dict(self._payload("GET", "kpi", query=query))

    def kpi_points(self) -> dict[str, Point]:
        """Return the key performance indicators that the test case defines."""
        told = self._payload("GET", "kpi_points")
        return {name: Point(about["Unit"], about["Description"], None, None) for name, about in told.items()}

    def scenario(self) -> dict[str, Any]:
        """Return the scenario."""
        return dict(self._payload("GET", "scenario"))

    def set_scenario(self, **parts: Any) -> dict[str, Any]:
        """Set parts of the scenario, like ``electricity_price="dynamic"``; return what the server answers.

        With a ``time_period`` the simulation begins anew at its start; the answer has the observation there.
        """
        told = dict(self._payload("PUT", "scenario", parts, again="keyed"))
        if told.get("time_period"):
            self.time = float(told["time_period"]["time"])
        return told

    # -- branching ----------------------------------------------------------------------------------------------------

    def snapshot(self) -> str:
        """Store the session as it stands, at the server; return the snapshot's id."""
        return str(self._payload("POST", "snapshot")["snapshot"])

    def restore(self, snapshot: str) -> None:
        """Go back to a snapshot."""
        self.time = float(self._payload("PUT", "restore", {"snapshot": snapshot})["time"])

    def fork(self, snapshot: str | None = None) -> Session:
        """Return a new session that goes on from a snapshot, or from where this one stands."""
        asked = {} if snapshot is None else {"snapshot": snapshot}
        forked = Session(self._connections, str(self._payload("POST", "fork", asked, again="never")["testid"]))
        forked.time = self.time if snapshot is None else None
        return forked

    def stop(self) -> None:
        """End the session; nothing happens when it has ended."""
        try:
            self._send("PUT", "stop")
        except UnknownSessionError:  # stopped by somebody, or by this request, whose reply was lost
            return

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _steps(self, response: Response) -> Steps:
        reply, columns = unpack(response.body)
        return Steps(reply["payload"]["steps"], reply["payload"]["error"], columns)

    def _look_up(self, before: float, point_names: Sequence[str] | None) -> Steps:
        """Return what many steps led to, from the results: they were done, but their reply was lost for good."""
        if point_names is None:
            point_names = [*self.measurements(), *self.inputs()]
        now, step = self._clock(), self.step()
        rows = self.results(point_names, before, now)
        done = round((now - before) / step)
        apart = (rows["time"].size - 1) // done
        return Steps(done, None, Columns({name: values[apart::apart] for name, values in rows.items()}))

    def _clock(self) -> float:
        for about in self._connections.request("GET", "/sessions").json()["payload"]:
            if about["testid"] == self.testid:
                return float(about["time"])
        raise UnknownSessionError(self.testid)

    def _observation(self, payload: dict[str, float]) -> dict[str, float]:
        if payload:
            self.time = payload.pop("time")
        return payload

    def _send(
        self,
        method: str,
        route: str,
        body: Mapping[str, Any] | None = None,
        *,
        again: Again = "safe",
        headers: Mapping[str, str] | None = None,
        query: str = "",
    ) -> Response:
        path = f"/{route}/{quote(self.testid, safe='')}" + (f"?{query}" if query else "")
        response = self._connections.request(method, path, body, again=again, headers=headers)
        self.restored = response.headers.get("Session-Restored", "")
        return response

    def _reply(self, *request: Any, **options: Any) -> Any:
        return self._send(*request, **options).json()

    def _payload(self, *request: Any, **options: Any) -> Any:
        return self._reply(*request, **options)["payload"]
