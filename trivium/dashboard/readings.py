"""What pages show of a session, read so that looking costs little.

A session is asked only when it stands elsewhere than when it was read last. A session that is busy for long holds one
reader at most and a few that wait for a moment, and all of them together only some of the server's threads: health
checks and clients find the others.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trivium.errors import BusyError, TriviumError, UnknownSessionError
from trivium.evaluation.scenario import uncertain_points
from trivium.model.variable import Variable
from trivium.protocol import Alarm, Override
from trivium.session.alarms import SessionAlarms
from trivium.session.manager import SessionManager
from trivium.session.proxy import Session
from trivium.simulation.calendar import Calendar
from trivium.simulation.plant import Plant, Schematic, plant_of

#: How long a reading holds although the clock stands still [s]: a session may have been restored to the same time.
_FRESH = 5.0
#: How long one waits while another reads the same session [s].
_MOMENT = 3.0
#: Most sessions that a page lists.
_LISTED = 50


@dataclass(frozen=True)
class About:
    """What a test case has.

    Attributes
    ----------
    units, descriptions : Mapping[str, str]
        Of all points: measurements, control inputs, boundary data, and what else results may hold.
    read : tuple of str
        Points that are read again and again: measurements, control inputs, boundary data.
    measurements, inputs : tuple of str
    bounds : Mapping[str, tuple]
        Least and greatest value of control inputs, None where there is none.
    step : float
        Control step [s].
    plant : Plant or None
        The plant that it is, where one recognizes it.
    comforts : sequence of Mapping
        Ranges that measurements should keep, as the indicators count them; see `trivium.evaluation.kpi`.
    calendar : Calendar or None
    indicators : Mapping[str, Variable]
        Key performance indicators.
    ahead, uncertain, solar : tuple of str
        Points with a forecast; those of them whose forecasts may err by the law of temperatures, and of radiation.
    """

    units: Mapping[str, str]
    descriptions: Mapping[str, str]
    read: tuple[str, ...]
    measurements: tuple[str, ...]
    inputs: tuple[str, ...]
    bounds: Mapping[str, tuple[float | None, float | None]]
    step: float
    plant: Plant | None
    comforts: Sequence[Mapping[str, Any]] = ()
    calendar: Calendar | None = None
    indicators: Mapping[str, Variable] = field(default_factory=dict)
    ahead: tuple[str, ...] = ()
    uncertain: tuple[str, ...] = ()
    solar: tuple[str, ...] = ()

    @property
    def points(self) -> tuple[str, ...]:
        """All points."""
        return tuple(self.units)

    def set_point_of(self, point: str) -> str | None:
        """Return the point that is the set point of a measurement."""
        name = None if self.plant is None else self.plant.set_points.get(point)
        return name if name in self.units else None

    @property
    def schematic(self) -> Schematic | None:
        """The drawing, where there are all points that it needs."""
        drawing = None if self.plant is None else self.plant.schematic
        return drawing if drawing is not None and {*drawing.points} <= {*self.read} else None

    @property
    def charted(self) -> tuple[str, ...]:
        """Points that a chart shows at first."""
        first = () if self.plant is None else self.plant.charted
        return tuple(name for name in first if name in self.units) or self.measurements[:3]


@dataclass(frozen=True)
class Reading:
    """A session at the time of the reading.

    Attributes
    ----------
    testid, testcase : str
    clock : float
        [s]
    values : Mapping[str, float]
        All points; empty when the session could not be read.
    trouble : str
        Why it could not.
    alarms : sequence of Alarm
        Those that are active or not acknowledged, the most urgent first.
    overrides : Mapping[str, Override]
        Inputs that are set by hand.
    """

    testid: str
    testcase: str
    clock: float
    values: Mapping[str, float] = field(default_factory=dict)
    trouble: str = ""
    alarms: Sequence[Alarm] = ()
    overrides: Mapping[str, Override] = field(default_factory=dict)


class Readings:
    """Reads sessions for pages.

    Parameters
    ----------
    sessions : SessionManager
    threads : int
        Of the server.
    """

    def __init__(self, sessions: SessionManager, threads: int) -> None:
        self._sessions = sessions
        #: Alarms of the sessions.
        self.alarms = SessionAlarms(sessions)
        self._about: dict[str, About] = {}
        self._kept: dict[str, tuple[float, Reading, int]] = {}  # with when it was read, and the session's revision
        self._locks: dict[str, threading.Lock] = {}
        self._room = threading.BoundedSemaphore(max(1, threads // 2))
        self._waiting = threading.BoundedSemaphore(max(1, threads // 4))
        self._forgotten = 0  # how often something was

    def find(self, testid: str | None) -> dict[str, Any]:
        """Return what the server knows of a session without asking it.

        Raises
        ------
        UnknownSessionError
        """
        return self._sessions.summary(testid)

    def recent(self, testid: str | None = None) -> tuple[list[dict[str, Any]], int]:
        """Return the sessions that pages list, in a steady order, and how many sessions there are.

        These are the ones that were used last, the default one, and one that is chosen: there may be thousands, and an
        open page looks every few seconds.
        """
        page = self._sessions.page(sort="-last_used", limit=_LISTED)
        listed = {record["testid"]: record for record in page.sessions}
        for wanted in {None, testid} - {*listed}:
            with contextlib.suppress(UnknownSessionError):
                record = self.find(wanted)
                listed[record["testid"]] = record
        return [record for _, record in sorted(listed.items())], page.total

    @contextlib.contextmanager
    def session(self, testid: str) -> Iterator[Session]:
        """Give a session for a moment, unless too many threads wait for sessions already.

        Raises
        ------
        BusyError
        """
        with self.room():
            yield self._sessions.session(testid)

    @contextlib.contextmanager
    def room(self) -> Iterator[None]:
        """Hold one of the threads that may wait for sessions.

        Raises
        ------
        BusyError
        """
        if not self._room.acquire(blocking=False):
            raise BusyError("Too many pages wait for busy sessions; try again in a moment.", 1, 1)
        try:
            yield
        finally:
            self._room.release()

    def about(self, testid: str) -> About:
        """Return what the test case of a session has.

        Raises
        ------
        TriviumError
        """
        self._sessions.permit(testid)
        variables = self._about.get(testid)
        if variables is None:
            if len(self._about) > 1000:
                self._about.clear()
            variables = self._about[testid] = self._ask(testid)
        return variables

    def _ask(self, testid: str) -> About:
        with self.session(testid) as session:
            measurements, inputs, step = session.measurements, session.inputs, session.step
            variables = session.variables
            ahead, indicators = session.forecast_points.items(), session.kpi_points
        boundary = {name: point for name, point in ahead if point.minimum is not None or point.description}
        read = {**measurements, **inputs, **boundary}
        plant = plant_of({*inputs, *boundary}, {*measurements})
        also = () if plant is None or plant.schematic is None else plant.schematic.also
        read |= {name: variables[name] for name in also if name in variables}
        points = {**read, **{name: point for name, point in variables.items() if name not in read}}
        comforts, calendar, uncertain, solar = self._declared(testid)
        return About(
            units={name: point.unit for name, point in points.items()},
            descriptions={name: point.description for name, point in points.items()},
            read=tuple(read),
            measurements=tuple(measurements),
            inputs=tuple(inputs),
            bounds={name: (point.minimum, point.maximum) for name, point in inputs.items()},
            step=step,
            plant=plant,
            comforts=tuple(each for each in comforts if each["temperature"] in points),
            calendar=calendar,
            indicators=indicators,
            ahead=tuple(boundary),
            uncertain=tuple(name for name in uncertain if name in boundary),
            solar=tuple(name for name in solar if name in boundary),
        )

    def _declared(
        self, testid: str
    ) -> tuple[Sequence[Mapping[str, Any]], Calendar | None, Sequence[str], Sequence[str]]:
        try:
            resources = self._sessions.declared(testid)
        except TriviumError:  # the session goes on without the files of its test case
            return (), None, (), ()
        comforts = resources.kpi.get("comfort", [])
        points = uncertain_points(resources.scenario, embedded=resources.case is not None)
        return comforts if isinstance(comforts, list) else [comforts], resources.calendar, *points

    def calendar(self, testid: str) -> Calendar | None:
        """Return the calendar of the test case of a session, which is not asked for it."""
        return self._declared(testid)[1]

    def read(self, testid: str) -> Reading:
        """Return the present or a recent reading of a session.

        Raises
        ------
        UnknownSessionError
        """
        record = self.find(testid)
        recent = self._recent(record)
        if recent is not None:
            return recent
        if self.alarms.stale(testid) is not None:  # it would be waited for in vain
            return self._known(record)
        with self._turn(testid) as mine:
            record = self.find(testid)
            recent = self._recent(record)  # whoever had the turn before may have read it
            if recent is not None:
                return recent
            if not mine:
                return self._known(record)
            forgotten = self._forgotten
            reading = self._read(record)
            if forgotten == self._forgotten:  # otherwise it may show what is no longer so
                if len(self._kept) > 1000:
                    self._kept.clear()
                self._kept[testid] = (time.monotonic(), reading, record["revision"])
            return reading

    def _known(self, record: Mapping[str, Any]) -> Reading:
        """Return the last reading of a session that cannot be read now."""
        kept = self._kept.get(record["testid"])
        busy = Reading(record["testid"], record["testcaseid"], record["time"], trouble="The session is busy.")
        return kept[1] if kept else busy

    def _recent(self, record: Mapping[str, Any]) -> Reading | None:
        """Return the last reading of a session if it still holds."""
        kept = self._kept.get(record["testid"])
        if kept is None or (kept[1].clock, kept[2]) != (record["time"], record["revision"]) or kept[1].trouble:
            return None
        asleep = record["state"] == "hibernated"  # looking would wake it
        return kept[1] if asleep or time.monotonic() - kept[0] < _FRESH else None

    @contextlib.contextmanager
    def _turn(self, testid: str) -> Iterator[bool]:
        """Tell whether the caller may read a session; one does at a time.

        The others wait a moment: what they show may be the last look for long, as nothing new happens afterwards.
        """
        lock = self._locks.setdefault(testid, threading.Lock())
        mine = lock.acquire(blocking=False)
        if not mine and self._waiting.acquire(blocking=False):
            try:
                mine = lock.acquire(timeout=_MOMENT)
            finally:
                self._waiting.release()
        try:
            yield mine
        finally:
            if mine:
                lock.release()

    def _read(self, record: Mapping[str, Any]) -> Reading:
        testid, testcase = record["testid"], record["testcaseid"]
        try:
            names = list(self.about(testid).read)
            at = record["time"]
            with self.session(testid) as session:
                row = session.results(names, at, at)
                if not len(row["time"]):  # it has moved on meanwhile
                    at = self.find(testid)["time"]
                    row = session.results(names, at, at)
        except UnknownSessionError:
            raise
        except TriviumError as error:
            return Reading(testid, testcase, record["time"], trouble=str(error))
        if not len(row["time"]):
            return Reading(testid, testcase, at, trouble="The session is on its way; it is read in a moment.")
        values = {name: float(row[name][-1]) for name in names}
        overrides = {name: Override(**entry) for name, entry in record["overrides"].items()}
        return Reading(testid, testcase, at, values, "", self.alarms.read(testid).alarms, overrides)

    def forget(self, testid: str) -> None:
        """Let the next look at a session be a new one."""
        self._forgotten += 1
        self._kept.pop(testid, None)
        self._about.pop(testid, None)

    def curves(self, testid: str, names: Sequence[str], start: float, end: float) -> dict[str, np.ndarray[Any, Any]]:
        """Return trajectories and their ``time`` [s].

        Raises
        ------
        TriviumError
        """
        with self.session(testid) as session:
            columns = session.results(list(names), max(start, 0.0), end)
        return {name: np.asarray(column) for name, column in columns.items()}

    def begin(self, testid: str) -> float:
        """Return when the test of a session began [s], after what was simulated before it to warm up.

        Raises
        ------
        TriviumError
        """
        start = next((event.time for event in self._sessions.events(testid) if event.kind == "initialize"), None)
        if start is not None:
            return start
        name = self.about(testid).points[0]
        with self.session(testid) as session:
            time = session.results([name])["time"]
        return float(time[0]) if len(time) else float(self.find(testid)["time"])
