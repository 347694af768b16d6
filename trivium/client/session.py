"""A session of a server: its plant, stepped by this client."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlencode

from trivium.arguments import listed
from trivium.client.columns import NPZ, unpack
from trivium.client.connection import Again, Connections, Response
from trivium.client.errors import error_with
from trivium.client.messages import (
    alarms,
    clamped_inputs,
    linearization,
    overrides,
    reasons,
    requested_steps,
    steps_body,
    variables,
)
from trivium.errors import InvalidValueError, StorageError, UnknownSessionError
from trivium.model.linearization import Linearization, LinearKind
from trivium.model.variable import Variable
from trivium.protocol import (
    Advanced,
    Alarm,
    Clamp,
    Columns,
    Indicators,
    Initialized,
    Override,
    Steps,
    Trajectory,
    Value,
)
from trivium.table import Table

#: How the server begins when a request was done before, but its reply was too large to be kept for a second one.
_DONE = "The request was done"
#: A time beyond all simulations [s].
_ENDLESS = 1e12


class ClampedWarning(UserWarning):
    """An input beyond its bounds, which the server brought back to them."""


class Session:
    """A session of a server; made by `Client.select`, `Client.session` or `fork`.

    It implements `trivium.protocol.Simulation`. As a context manager it ends the session at the end. Every changing
    request carries a key, so that none is done twice however often it has to be sent. Errors are those of
    `trivium.errors`; whatever is raised, but for `UnreachableError`, the session is as before.

    Parameters
    ----------
    connections : Connections
    testid : str
    """

    def __init__(self, connections: Connections, testid: str) -> None:
        self._connections = connections
        #: Test id.
        self.testid = testid
        self._time: float | None = None
        #: ``inexact`` or ``replayed`` when the last reply came from a plant that did not come back bit by bit.
        self.restored = ""

    def __repr__(self) -> str:
        return f"Session({self.testid} at {self._connections.url})"

    # -- what there is ------------------------------------------------------------------------------------------------

    @property
    def time(self) -> float:
        """Clock [s], as the last reply had it; asked for where there was none."""
        if self._time is None:
            self._time = self._clock()
        return self._time

    @property
    def name(self) -> str:
        """Name of the test case, or of the FMU."""
        return str(self._payload("GET", "name")["name"])

    @property
    def version(self) -> str:
        """Version of the test case."""
        return str(self._payload("GET", "version")["version"])

    @property
    def step(self) -> float:
        """Control step [s]; may be set."""
        return float(self._payload("GET", "step"))

    @step.setter
    def step(self, step: float) -> None:
        self.set_step(step)

    @property
    def inputs(self) -> Table[Variable]:
        """The inputs that `advance` takes."""
        return self._variables("inputs")

    @property
    def measurements(self) -> Table[Variable]:
        """What a step returns: the outputs, and what the test case selects beside them."""
        return self._variables("measurements")

    @property
    def fmu(self) -> dict[str, Any]:
        """What the FMU declares, what was found about it, and how it is run."""
        return dict(self._payload("GET", "fmu"))

    @property
    def variables(self) -> Table[Variable]:
        """All that `results` may be asked for."""
        return self._variables("variables", "causality")

    @property
    def parameters(self) -> Table[Variable]:
        """What the start values of `initialize` may be."""
        return self._variables("parameters", "start", "text", "kind", "tunable")

    @property
    def forecast_points(self) -> Table[Variable]:
        """What `forecast` knows ahead."""
        return self._variables("forecast_points")

    @property
    def kpi_points(self) -> Table[Variable]:
        """The key performance indicators that the test case defines."""
        return self._variables("kpi_points")

    @property
    def scenario(self) -> dict[str, Any]:
        """Parts of the scenario, None where nothing is chosen."""
        return dict(self._payload("GET", "scenario"))

    @property
    def overrides(self) -> dict[str, Override]:
        """Inputs that are set by hand, by name."""
        return overrides(self._payload("GET", "overrides"))

    def override(self, inputs: Mapping[str, Value], until: float | None = None) -> dict[str, Override]:
        """Set inputs by hand: from the next step on they have these values, whatever `advance` gives them.

        Parameters
        ----------
        inputs : Mapping[str, float or int or str or None]
            None releases an input.
        until : float, optional
            The last step that they act in begins before this time [s]; default: no end.

        Returns
        -------
        dict of str to Override
            All that are set.
        """
        return overrides(self._payload("PUT", "overrides", {"inputs": dict(inputs), "until": until}, again="keyed"))

    def release(self, names: Sequence[str] | None = None) -> dict[str, Override]:
        """Release inputs that are set by hand, by default all; return those that still are."""
        if names is not None and not names:
            return self.overrides
        query = "" if names is None else urlencode([("input", name) for name in listed(names, "names")])
        return overrides(self._payload("DELETE", "overrides", again="keyed", query=query))

    # -- stepping -----------------------------------------------------------------------------------------------------

    def set_step(self, step: float) -> float:
        """Set the control step [s] and return it."""
        return float(self._payload("PUT", "step", {"step": step}, again="keyed")["step"])

    def initialize(
        self,
        start_time: float = 0.0,
        end_time: float | None = None,
        warmup_period: float = 0.0,
        start_values: Mapping[str, Any] | None = None,
    ) -> Initialized:
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
            Values of `parameters`.

        Returns
        -------
        Initialized
            All measurements and inputs by name.
        """
        body: dict[str, Any] = {"start_time": start_time, "warmup_period": warmup_period}
        if end_time is not None:
            body["final_time"] = end_time
        if start_values:
            body["start_values"] = dict(start_values)
        reply = self._reply("PUT", "initialize", body, again="keyed")
        time = self._time = float(reply["payload"].pop("time"))
        return Initialized(reply["payload"], time, float(reply["message"].rpartition(" ")[2].rstrip("s.")))

    def advance(
        self,
        inputs: Mapping[str, Value] | None = None,
        steps: int = 1,
        *,
        clamp: Clamp = False,
        at: float | None = None,
    ) -> Advanced:
        """Simulate on, all steps or none.

        Parameters
        ----------
        inputs : Mapping[str, float or int or str or None], optional
            Control inputs, held over all steps; what is left out or None keeps its value.
        steps : int
            How many control steps.
        clamp : bool or "inputs"
            Bring inputs out of their bounds back to them, with a `ClampedWarning`, and cut the steps to the end; at the
            end nothing is done. With ``"inputs"`` the former only. Otherwise both are refused.
        at : float, optional
            Time that the session is expected to have [s]; `ConflictError` when it has another.

        Returns
        -------
        Advanced
            All measurements and inputs by name; empty where nothing was done.
        """
        headers = {} if at is None else {"If-Match": f'"{float(at)}"'}
        query = "" if steps == 1 else urlencode({"steps": steps})
        start, body = self.time, {**(inputs or {}), "clamp": clamp}
        reply = self._reply("POST", "advance", body, again="keyed", headers=headers, query=query)
        advanced = self._advanced(start, reply, steps)
        if clamp and advanced and steps > 1:
            advanced.steps = min(steps, math.ceil((advanced.time - start) / self.step - 1e-9))
        return advanced

    def look_ahead(self, inputs: Mapping[str, Value] | None = None, *, clamp: Clamp = False) -> Advanced:
        """Return what `advance` would return after one step, and stay."""
        start = self.time
        reply = self._reply("POST", "advance", {**(inputs or {}), "clamp": clamp, "dry_run": True})
        advanced = self._advanced(start, reply)
        self._time = start
        return advanced

    def advance_many(
        self,
        steps: int | None = None,
        *,
        action: Mapping[str, Value] | None = None,
        trajectory: Trajectory | None = None,
        point_names: Sequence[str] | None = None,
        atomic: bool = True,
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
            What is returned; default: all measurements and inputs.
        atomic : bool
            All steps or none; otherwise up to the first that fails. Why one failed is not known where the reply was
            lost, with a connection, and so large that the steps had to be looked up.
        """
        body = steps_body(steps, action, trajectory, point_names, atomic)
        before = self.time
        try:
            done = self._steps(before, body, again="keyed")
        except StorageError as error:
            if not str(error).startswith(_DONE):
                raise
            done = self._look_up(before, point_names)
        self._time = done.time
        return done

    def look_ahead_many(
        self,
        steps: int | None = None,
        *,
        action: Mapping[str, Value] | None = None,
        trajectory: Trajectory | None = None,
        point_names: Sequence[str] | None = None,
        atomic: bool = True,
    ) -> Steps:
        """Return what `advance_many` would return, and stay."""
        return self._steps(self.time, {**steps_body(steps, action, trajectory, point_names, atomic), "dry_run": True})

    def linearize(
        self,
        kind: LinearKind | None = None,
        *,
        action: Mapping[str, Value] | None = None,
        input_names: Sequence[str] | None = None,
        point_names: Sequence[str] | None = None,
        steps: int | None = None,
        perturbation: float = 0.01,
    ) -> Linearization:
        """Return a linear model about now, and stay.

        Parameters
        ----------
        kind : {"continuous", "discrete"}, optional
            Jacobians of the model's equations, or the map over one control step; default: the former where the FMU
            gives derivatives or its equations.
        action : Mapping, optional
            Control inputs about which; what is left out keeps its value.
        input_names, point_names : sequence of str, optional
            Real inputs (driven by boundary data too) and outputs; default: all inputs and all measurements.
        steps : int, optional
            Of the discrete kind: how many control steps of responses are simulated.
        perturbation : float
            Of the discrete kind: height of the pulses, as a share of the inputs' scales [1].
        """
        fields: dict[str, Any] = {"kind": kind, "action": action, "steps": steps, "perturbation": perturbation}
        for name, names in (("input_names", input_names), ("point_names", point_names)):
            fields[name] = None if names is None else listed(names, name)
        body = {name: value for name, value in fields.items() if value is not None}
        return linearization(self._payload("POST", "linearize", body))

    # -- looking back and ahead ---------------------------------------------------------------------------------------

    def results(
        self,
        point_names: Sequence[str] | None = None,
        start_time: float | None = None,
        final_time: float | None = None,
    ) -> Columns:
        """Return trajectories of points.

        Parameters
        ----------
        point_names : sequence of str, optional
            Default: all measurements and inputs.
        start_time, final_time : float, optional
            The window, both ends included [s]; default: all there is.
        """
        body = {
            "point_names": self._points() if point_names is None else listed(point_names, "point_names"),
            "start_time": -_ENDLESS if start_time is None else start_time,
            "final_time": _ENDLESS if final_time is None else final_time,
        }
        response = self._send("PUT", "results", body, headers={"Accept": NPZ})
        return unpack(response.body)[1]

    def forecast(self, point_names: Sequence[str], horizon: float, interval: float) -> Columns:
        """Return disturbances from now on.

        Parameters
        ----------
        point_names : sequence of str
        horizon, interval : float
            How far ahead, and between two values [s].
        """
        body = {"point_names": listed(point_names, "point_names"), "horizon": horizon, "interval": interval}
        return Columns(self._payload("PUT", "forecast", body))

    def kpis(
        self, names: Sequence[str] | None = None, start_time: float | None = None, final_time: float | None = None
    ) -> Indicators:
        """Return key performance indicators; None where there is none.

        Parameters
        ----------
        names : sequence of str, optional
            Default: all.
        start_time, final_time : float, optional
            A window of the test [s]; default: from its start until now.
        """
        fields = {
            "names": None if names is None else ",".join(listed(names, "names")),
            "start_time": start_time,
            "final_time": final_time,
        }
        query = urlencode({name: value for name, value in fields.items() if value is not None})
        reply = self._reply("GET", "kpi", query=query)
        return Indicators(reply["payload"], reasons(reply["message"]))

    def set_scenario(self, /, **parts: Any) -> dict[str, Any]:
        """Choose parts of the scenario, like ``electricity_price="dynamic"``; return what was set.

        With a ``time_period`` the simulation starts anew at its start; the return value has the observation there.
        """
        values = dict(self._payload("PUT", "scenario", parts, again="keyed"))
        start = values.get("time_period")
        if start:
            self._time = float(start.pop("time"))
            values["time_period"] = Initialized(start, self._time)
        return values

    def alarms(self, *, past: bool = False) -> list[Alarm]:
        """Return alarms that are active or not acknowledged, the most urgent first; with ``past`` all of the test."""
        return alarms(self._payload("GET", "alarms", query="past=true" if past else ""))

    def acknowledge_alarms(
        self, names: Sequence[str] | None = None, *, by: str = "", at: float | None = None
    ) -> list[Alarm]:
        """Acknowledge alarms, by default all, and return them.

        Parameters
        ----------
        names : sequence of str, optional
        by : str
            Who does it; a server with tokens takes the name of the token.
        at : None
            The server takes its own clock.
        """
        if at is not None:
            raise InvalidValueError("The server takes its own clock; leave at out.", "at")
        fields = {"names": None if names is None else listed(names, "names"), "by": by or None}
        body = {name: value for name, value in fields.items() if value is not None}
        return alarms(self._payload("PUT", "alarms", body, again="keyed"))

    # -- branching ----------------------------------------------------------------------------------------------------

    def snapshot(self) -> str:
        """Store the session as it stands, at the server; return the snapshot's id."""
        return str(self._payload("POST", "snapshot", again="keyed")["snapshot"])

    def snapshots(self) -> list[dict[str, Any]]:
        """Return the snapshots of the session, the newest first: ``snapshot``, ``created`` [s] and ``size`` [bytes]."""
        stored: list[dict[str, Any]] = self._payload("GET", "snapshots")
        return stored

    def remove_snapshot(self, snapshot: str) -> None:
        """Remove a snapshot; sessions that were forked from it stay."""
        self._send("DELETE", "snapshots", query=f"snapshot={quote(snapshot, safe='')}")

    def restore(self, snapshot: str) -> float:
        """Go back to a snapshot; return the clock [s]."""
        self._time = float(self._payload("PUT", "restore", {"snapshot": snapshot}, again="keyed")["time"])
        return self._time

    def acknowledge(self) -> float:
        """Go on from what is left of a session that lost something (`DamagedError`); return the clock [s]."""
        self._time = float(self._payload("PUT", "acknowledge")["time"])
        return self._time

    @property
    def summary(self) -> dict[str, Any]:
        """What is known of the session without its process: clock, state, name, tags, notes, parent and more."""
        return dict(self._payload("GET", "sessions"))

    def label(
        self,
        *,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        notes: str | None = None,
        baseline_of: str | None = None,
        controller: str | None = None,
    ) -> dict[str, Any]:
        """Say what the session is called; what is None stays as it is, and empty texts and lists remove it.

        Parameters
        ----------
        name, notes, controller : str, optional
        tags : sequence of str, optional
        baseline_of : str, optional
            Id of the session whose baseline it is.

        Returns
        -------
        dict
            The `summary`.
        """
        labels = {
            "name": name,
            "tags": None if tags is None else listed(tags, "tags"),
            "notes": notes,
            "baseline_of": baseline_of,
            "controller": controller,
        }
        given = {key: value for key, value in labels.items() if value is not None}
        return dict(self._payload("PATCH", "sessions", given))

    def fork(self, snapshot: str | None = None) -> Session:
        """Return a new session that goes on from a snapshot, or from where this one stands."""
        asked = {} if snapshot is None else {"snapshot": snapshot}
        forked = Session(self._connections, str(self._payload("POST", "fork", asked, again="keyed")["testid"]))
        forked._time = self._time if snapshot is None else None
        return forked

    def close(self) -> None:
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
        self.close()

    def _variables(self, route: str, *fields: str) -> Table[Variable]:
        return variables(self._payload("GET", route), *fields)

    def _points(self) -> list[str]:
        return [*self.measurements, *self.inputs]

    def _advanced(self, start: float, reply: Mapping[str, Any], steps: int = 1) -> Advanced:
        values, message = reply["payload"], reply["message"]
        clamped = clamped_inputs(message)
        if clamped:
            warnings.warn(message, ClampedWarning, stacklevel=3)
        if not values:
            return Advanced({}, start, start, steps=0)
        time = self._time = float(values.pop("time"))
        return Advanced(values, time, start, clamped, steps)

    def _steps(self, start: float, body: Mapping[str, Any], again: Again = "safe") -> Steps:
        reply, columns = unpack(self._send("POST", "steps", body, again=again, headers={"Accept": NPZ}).body)
        done, failed = reply["payload"]["steps"], reply["payload"]["error"]
        error = None if failed is None else error_with(failed["status"], failed["message"])
        return Steps(start, float(columns["time"][-1]), done, requested_steps(body), columns, error)

    def _look_up(self, before: float, point_names: Sequence[str] | None) -> Steps:
        """Return what many steps led to, from the results: they were done, but their reply was lost for good."""
        if point_names is None:
            point_names = self._points()
        clock = self._clock()
        rows = self.results(point_names, before, clock)
        done = round((clock - before) / self.step)
        apart = (rows["time"].size - 1) // done
        columns = Columns({name: values[apart::apart] for name, values in rows.items()})
        return Steps(before, clock, done, done, columns, None)

    def _clock(self) -> float:
        for record in self._connections.request("GET", "/sessions").json()["payload"]:
            if record["testid"] == self.testid:
                return float(record["time"])
        raise UnknownSessionError(self.testid)

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
