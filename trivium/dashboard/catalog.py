"""Runs: sessions and jobs of the kind ``step`` in one table, with their indicators and what they were set up with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trivium.control import comparisons
from trivium.dashboard.context import Context
from trivium.dashboard.formatting import moment, short
from trivium.errors import NotFoundError, TriviumError, UnknownSessionError
from trivium.jobs.record import Job, State

#: Indicators that the table has, where a test case has them.
CHIEF = ("ener_tot", "cost_tot", "tdis_tot", "unserved_tot", "pue")
#: Indicators of which more is better, and those that are neither.
_GREATER, _NEITHER = ("serves", "cer"), ("heat_", "time_")
_KEPT = 2000
#: How runs are set up, and the parts of a scenario among that.
_PARTS = {
    "period": "time_period", "price": "electricity_price", "uncertainty": "temperature_uncertainty", "seed": "seed",
}  # fmt: skip
_SETUP = ("test case", "controller", *_PARTS, "by hand", "forked from", "tags")


@dataclass(frozen=True)
class Run:
    """A session or a job that simulates a test.

    Attributes
    ----------
    id : str
        ``session:`` or ``job:``, and the id.
    name, state : str
    created : float or None
        [s since 1970]
    setup : Mapping[str, str]
        How it was set up, in words.
    start, end : float or None
        Of its test [s].
    kpis : Mapping[str, float or None]
    """

    id: str
    name: str
    state: str
    created: float | None
    setup: Mapping[str, str]
    start: float | None
    end: float | None
    kpis: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """``session`` or ``job``."""
        return self.id.partition(":")[0]

    @property
    def key(self) -> str:
        """Its test id or task id."""
        return self.id.partition(":")[2]

    @property
    def scenario(self) -> str:
        """What runs have in common that can be compared: test case, period, price, uncertainty."""
        return " · ".join(
            self.setup[name] for name in ("test case", "period", "price", "uncertainty") if self.setup[name]
        )


def _scenario(parts: Mapping[str, Any]) -> dict[str, str]:
    """Return the parts of a scenario in the words of a set-up."""
    return {name: str(parts.get(part) or "") for name, part in _PARTS.items()}


def better(name: str) -> int:
    """Return -1 where less of an indicator is better, 1 where more is, and 0 where neither."""
    if name.startswith(_NEITHER):
        return 0
    return 1 if name in _GREATER else -1


class Catalog:
    """All runs of a server that the present caller may see.

    Parameters
    ----------
    context : Context
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._indicators: dict[tuple[str, int], Mapping[str, Any]] = {}

    def page(
        self, kind: str, search: str, sort: str, offset: int, limit: int, state: str | None = None
    ) -> tuple[list[Run], int]:
        """Return some runs and how many match.

        Parameters
        ----------
        kind : {"session", "job"}
        search, sort : str
            ``sort`` is an order of `trivium.session.listing` or `trivium.jobs.store`.
        offset, limit : int
        state : str, optional
            See `trivium.glossary`; None for any.
        """
        if kind == "job":
            which = None if state is None else State(state)
            jobs = self._context.store.jobs(which, "step", limit, offset, search, sort)
            return [self._of_job(job) for job in jobs], self._context.store.count(which, "step", search)
        page = self._context.sessions.page(state=state, search=search, sort=sort, offset=offset, limit=limit)
        return [self._of_session(each, self._kpis(each)) for each in page.sessions], page.total

    def compared(self) -> list[Run]:
        """Return what `trivium compare` compared with the state directory of this server, the newest first."""
        return [
            Run(
                f"compare:{place}",
                f"compare, {moment(each.created)}",
                "done",
                each.created,
                dict.fromkeys(_SETUP, "")
                | {"test case": each.testcase, "controller": each.controller}
                | _scenario(each.scenario),
                each.start,
                each.end,
                each.indicators,
            )
            for place, each in enumerate(comparisons.read(self._context.settings.state_dir))
        ]

    def find(self, ids: Sequence[str]) -> list[Run]:
        """Return runs by their ids; those that are gone are left out."""
        runs = []
        for each in ids:
            kind, _, key = each.partition(":")
            try:
                if kind == "job":
                    runs.append(self._of_job(self._context.store.get(key)))
                else:
                    entry = self._context.sessions.summary(key)
                    runs.append(self._of_session(entry, self._kpis(entry)))
            except (NotFoundError, UnknownSessionError):
                continue
        return runs

    def name(self, testid: str) -> str:
        """Return how a session is called."""
        return _called(self._context.sessions.summary(testid))

    def together(self, testids: Sequence[str]) -> tuple[list[Run], float, float]:
        """Return sessions with their indicators over the time that all of them have, and from when to when that is [s].

        Without such a time, which ends before it begins, they have none.

        Raises
        ------
        TriviumError
            When one of them cannot be read.
        """
        readings = self._context.readings
        entries = [self._context.sessions.summary(testid) for testid in testids]
        first = max(readings.begin(testid) for testid in testids)
        last = min(entry["time"] for entry in entries)
        runs = []
        for testid, entry in zip(testids, entries, strict=True):
            values: Mapping[str, Any] = {}
            if first < last:
                with readings.session(testid) as session:
                    values = session.kpis(None, first, last)
            runs.append(self._of_session(entry, values))
        return runs, first, last

    def _of_session(self, entry: Mapping[str, Any], values: Mapping[str, Any]) -> Run:
        testid = entry["testid"]
        scenario = entry["scenario"] or {}
        events = self._context.sessions.events(testid)
        start = next((event.time for event in events if event.kind == "initialize"), None)
        return Run(
            f"session:{testid}",
            _called(entry),
            entry["state"],
            entry["created"],
            {
                "test case": entry["testcaseid"] or "",
                "controller": entry["controller"] or "",
                **_scenario(scenario),
                "by hand": ", ".join(f"{name} {each['value']}" for name, each in entry["overrides"].items()),
                "forked from": (entry["parent"] or "")[:8],
                "tags": ", ".join(entry["tags"]),
            },
            start,
            entry["time"],
            values,
        )

    def _kpis(self, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the indicators of a session, where reading them wakes nobody."""
        mark = (entry["testid"], entry["revision"])
        if mark in self._indicators:
            return self._indicators[mark]
        if entry["state"] != "idle":
            revision, values = self._context.sessions.indicators(entry["testid"])
            return values if revision == entry["revision"] else {}
        try:
            with self._context.readings.session(entry["testid"]) as session:
                values = dict(session.kpis())
        except TriviumError:
            return {}
        if len(self._indicators) > _KEPT:
            self._indicators.clear()
        self._indicators[mark] = values
        return values

    def _of_job(self, job: Job) -> Run:
        counts: dict[str, Any] = dict(job.counts)
        start = counts.get("start", job.spec.get("start_time", 0.0))
        end = job.spec.get("end_time") or counts.get("time")
        # as the test case had it, once the job has begun: then what was not chosen is known too
        scenario = _scenario((job.spec.get("scenario") or {}) | counts)
        if not scenario["period"] and isinstance(end, int | float):
            scenario["period"] = f"{start:g} s to {end:g} s"
        return Run(
            f"job:{job.task_id}",
            short(job.task_id),
            str(job.state),
            job.created,
            dict.fromkeys(_SETUP, "")
            | {
                "test case": self._context.sessions.testcases()[0],
                "controller": str(job.spec.get("controller", "")),
            }
            | scenario,
            start,
            end,
            dict(job.results),
        )

    def curves(self, run: Run, names: Sequence[str], start: float, end: float) -> dict[str, NDArray[Any]]:
        """Return points of a run and their ``time`` [s]; those that it has not are left out.

        Raises
        ------
        TriviumError
            When they cannot be read.
        """
        if run.kind == "session":
            variables = self._context.readings.about(run.key)
            mine = [name for name in names if name in variables.units]
            return self._context.readings.curves(run.key, mine, start, end) if mine else {"time": np.empty(0)}
        return _of_file(self._context, run, names, start, end)


def _called(entry: Mapping[str, Any]) -> str:
    short_id = entry["testid"][:8]
    usual = "default" if entry["default"] else f"baseline {short_id}" if entry["baseline_of"] else short_id
    return str(entry["name"] or usual)


def _of_file(context: Context, run: Run, names: Sequence[str], start: float, end: float) -> dict[str, NDArray[Any]]:
    """Return points of the file of trajectories that a job wrote."""
    folder = context.store.folder_of(run.key)
    job = context.store.get(run.key)
    empty: dict[str, NDArray[Any]] = {"time": np.empty(0)}
    for name, path in job.files.items():
        if not name.startswith("trajectories.") or not (folder / path).is_file():
            continue
        from pyarrow import csv, parquet

        if name.endswith(".parquet"):
            have = parquet.read_schema(folder / path).names
            table = parquet.read_table(folder / path, columns=[each for each in ("time", *names) if each in have])
        elif name.endswith(".csv"):
            with (folder / path).open(encoding="utf-8") as file:
                have = file.readline().strip().split(",")
            names_of_file = [each for each in ("time", *names) if each in have]
            table = csv.read_csv(folder / path, convert_options=csv.ConvertOptions(include_columns=names_of_file))
        else:
            continue
        columns = {each: table[each].to_numpy() for each in table.column_names}
        inside = (columns["time"] >= start) & (columns["time"] <= end)
        return {each: values[inside] for each, values in columns.items()}
    return empty
