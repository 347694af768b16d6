"""Each route: what it takes, what it answers, with an example; tests send all examples to a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from trivium.server import schemas as s

_JSON = "application/json"


@dataclass(frozen=True)
class Operation:
    """A route.

    Attributes
    ----------
    tag : str
        The group that it stands in.
    answer : Any
        Type of the payload, or of the whole reply where there is no envelope; None for what is no JSON.
    body, example : Any
        Type of the body and one that the default test case takes; None for none.
    status : int
        Of a success.
    enveloped : bool
    media : tuple of str
        Content types of the reply; the columns of a ``application/x-npz`` are the reply's.
    takes : str
        Content type of a body that is no JSON.
    query : Mapping[str, str]
        Parameters of the address and what they are.
    """

    tag: str
    answer: Any = None
    body: Any = None
    example: Mapping[str, Any] | None = None
    status: int = 200
    enveloped: bool = True
    media: tuple[str, ...] = (_JSON,)
    takes: str = _JSON
    query: Mapping[str, str] = field(default_factory=dict)


_PLANT, _MANY, _TESTS, _KPIS, _JOBS, _SERVER = "Plant", "Sessions", "Test cases", "Evaluation", "Jobs", "Server"
_NPZ = (_JSON, "application/x-npz")
_ANY = ("application/octet-stream", "application/json", "text/csv", "text/html", "image/png", "application/x-hdf5")

#: By endpoint; one that has other bodies with a test id has another name there.
OPERATIONS: Mapping[str, Operation] = {
    "index": Operation(_SERVER, s.Index, media=("application/json", "text/html")),
    "health.live": Operation(_SERVER, None),
    "health.ready": Operation(_SERVER, s.Ready),
    "metrics.metrics": Operation(_SERVER, media=("text/plain",), enveloped=False),
    "session.health": Operation(_SERVER, s.Proof),
    "session.version": Operation(_PLANT, s.Version),
    "session.name": Operation(_PLANT, s.Name),
    "session.inputs": Operation(_PLANT, dict[str, s.Point]),
    "session.measurements": Operation(_PLANT, dict[str, s.Point]),
    "session.parameters": Operation(_PLANT, dict[str, s.Parameter]),
    "session.get_step": Operation(_PLANT, s.Number),
    "session.put_step": Operation(_PLANT, s.ControlStep, s.StepBody, {"step": 300}),
    "session.initialize": Operation(_PLANT, s.Values, s.StartBody, {"start_time": 900000}),
    "session.initialize_test": Operation(
        _PLANT, s.Values, s.TestStartBody, {"start_time": 900000, "warmup_period": 3600}
    ),
    "session.advance": Operation(_PLANT, s.Values, s.Action, {"Tchws_set_HEX": 286.5}),
    "session.results": Operation(
        _PLANT,
        s.Columns,
        s.ResultsBody,
        {"point_names": ["Tchw_supply"], "start_time": 900000, "final_time": 900300},
        media=_NPZ,
    ),
    "sessions.listing": Operation(_MANY, list[s.SessionAbout]),
    "sessions.stop_all": Operation(_MANY, s.Stopped),
    "sessions.steps": Operation(
        _MANY,
        s.Steps,
        s.StepsBody,
        {"steps": 12, "action": {"Tchws_set_HEX": 286.5}, "point_names": ["Tchw_supply"]},
        media=_NPZ,
    ),
    "sessions.snapshot": Operation(_MANY, s.Snapshot),
    "sessions.restore": Operation(_MANY, s.Clock, s.SnapshotBody, {"snapshot": "f4ccf3e410406366"}),
    "sessions.fork": Operation(_MANY, s.TestId, s.ForkBody, {}),
    "boptest.testcases": Operation(_TESTS, list[s.TestCaseId], enveloped=False),
    "boptest.add_testcase": Operation(_TESTS, s.TestCaseId, s.FileBody, {"file": "Model.fmu"}),
    "boptest.upload": Operation(_TESTS, s.TestCaseId, bytes, takes="application/octet-stream"),
    "boptest.select": Operation(_TESTS, s.TestId, enveloped=False),
    "boptest.select_async": Operation(_TESTS, s.TestId, enveloped=False),
    "boptest.status": Operation(_TESTS, Literal["Running", "Queued"], enveloped=False),
    "boptest.stop": Operation(_TESTS, media=("text/plain",), enveloped=False),
    "evaluation.forecast_points": Operation(_KPIS, dict[str, s.Point]),
    "evaluation.forecast": Operation(
        _KPIS,
        s.Columns,
        s.ForecastBody,
        {"point_names": ["Twb_outside"], "horizon": 86400, "interval": 3600},
    ),
    "evaluation.kpi": Operation(
        _KPIS,
        dict[str, s.Number | None],
        query={"names": "Separated by commas.", "start_time": "[s]", "final_time": "[s]"},
    ),
    "evaluation.kpi_points": Operation(_KPIS, dict[str, s.Indicator]),
    "evaluation.get_scenario": Operation(_KPIS, s.Scenario),
    "evaluation.put_scenario": Operation(_KPIS, s.ScenarioSet, s.ScenarioBody, {"electricity_price": "dynamic"}),
    "jobs.submit": Operation(_JOBS, s.Accepted, status=202, enveloped=False),
    "jobs.listing_of_kinds": Operation(_JOBS, dict[str, s.KindAbout]),
    "jobs.listing": Operation(
        _JOBS,
        list[s.JobStatus],
        query={"status": "Only jobs of this status.", "kind": "Only jobs of this kind.", "limit": "How many."},
    ),
    "jobs.status": Operation(_JOBS, s.JobStatus, enveloped=False),
    "jobs.cancel": Operation(_JOBS, s.JobStatus, enveloped=False),
    "jobs.events": Operation(_JOBS, media=("text/event-stream",), enveloped=False),
    "jobs.selection": Operation(
        _JOBS,
        s.Runs,
        media=(_JSON, "application/vnd.apache.parquet"),
        query={
            "select": "A parameter or metric and its value, values or range: name=1, name=1,2, name=1:2; may repeat.",
            "variable": "A variable whose trajectories are wanted; may repeat.",
            "limit": "Most runs.",
            "offset": "The first run of those chosen, from 0.",
            "format": "json or parquet.",
        },
    ),
    "jobs.logs": Operation(_JOBS, media=("text/plain",), enveloped=False),
    "jobs.results": Operation(_JOBS, s.JobResults),
    "jobs.result": Operation(_JOBS, media=_ANY, enveloped=False),
}

#: Specifications by kind of job.
JOBS: Mapping[str, Mapping[str, Any]] = {
    "step": {"end_time": 864000, "controller": "rules"},
    "sweep": {
        "folder": "fuel_cycle",
        "paths": {"package_path": "FuelCycle.fmu"},
        "simulation": {"variableFilter": "sds.inventory", "stop_time": 240, "step_size": 1},
        "simulation_parameters": {"bz.TBR": [1.05, 1.1]},
    },
    "converge": {"case_name": "datacenter_grid"},
}
