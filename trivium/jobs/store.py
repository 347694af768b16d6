"""The store of jobs: SQLite or PostgreSQL, the same statements.

Each operation is one statement and therefore whole or not done. What a worker writes carries the token of its claim:
once another worker has taken the job, the first can change nothing any more.
"""

from __future__ import annotations

import contextlib
import math
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Text, and_, cast, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql.elements import ColumnElement

from trivium.access import Access
from trivium.arguments import INDICATOR, order_of
from trivium.errors import BusyError, ConflictError, NotFoundError, StoreError
from trivium.jobs.record import MOST_DEATHS, Job, State, before, job_of
from trivium.jobs.table import JOBS, add_columns, alone, connect, now
from trivium.numbers import shown
from trivium.recorder import Outcome, Scalar
from trivium.settings import Settings
from trivium.space import Room

_C = JOBS.c
_COLUMNS = [column for column in JOBS.c if column.name != "request_key"]
#: Jobs that may wait; a wall against a client in a loop.
MOST_PENDING = 10000
#: When to come again where as many wait [s].
_RETRY_AFTER = 60
#: By what jobs are ordered: words of clients, and columns.
ORDERS = {"created": "created", "finished": "finished", "kind": "kind", "status": "state", "progress": "progress"}
#: What ids of a kind begin with: clients of the API recognize them by it.
_PREFIXES = {"converge": "conv_"}
#: How often a claim is tried that other workers were faster at.
_TRIES = 20


class LostError(Exception):
    """The job is another worker's by now, or has ended."""


class Store:
    """All jobs.

    Parameters
    ----------
    settings : Settings
    room : Room, optional
        Whether there is room, and who acts; by default everybody sees everything.

    Raises
    ------
    SettingsError, MissingExtraError, StorageError
        As `trivium.jobs.table.connect`.
    """

    def __init__(self, settings: Settings, room: Room | None = None) -> None:
        self._room = room or Room(settings.state_dir)
        self._room.holdings.append(self._folders_of)
        self._folder = settings.state_dir / "jobs"
        self._lease, self._share = settings.job_lease, settings.token_running
        self._engine = connect(settings.jobs_url, self._folder)
        self._made = False

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def folder_of(self, task_id: str) -> Path:
        """Return the folder of a job; the id is one that the store gave."""
        return self._folder / task_id

    def submit(self, kind: str, spec: Mapping[str, Any], key: str | None = None) -> Job:
        """Take a job in.

        Parameters
        ----------
        kind : str
        spec : Mapping
            What JSON can hold.
        key : str, optional
            A second job of the same key is the first one.

        Raises
        ------
        ConflictError
            When the key stands for something else.
        BusyError
            When as many wait as may.
        StorageError
            When there is no room on the disk.
        """
        self._room.check()
        access = self._room.access
        with self._connection() as connection:
            _check_quota(connection, access)
            waiting = connection.scalar(select(func.count()).where(_C.state == State.PENDING)) or 0
            if waiting >= MOST_PENDING:
                raise BusyError(f"{waiting} jobs wait already; come again later.", _RETRY_AFTER, waiting + 1)
            task_id = (_PREFIXES.get(kind, "") + uuid.uuid4().hex)[:32]
            row = {
                "task_id": task_id, "request_key": key, "owner": access.owner, "kind": kind,
                "spec": dict(spec), "state": State.PENDING, "message": "Waiting for a worker", "counts": {},
                "results": {}, "files": {}, "created": now(), "token": 0, "attempts": 0, "deaths": 0, "furthest": 0.0,
                "cancel": False,
            }  # fmt: skip
            try:
                connection.execute(insert(JOBS).values(row))
            except IntegrityError:
                task_id = connection.scalar(select(_C.task_id).where(_C.request_key == key)) or ""
        job = self.get(task_id)
        if (job.kind, job.spec) != (kind, dict(spec)):
            raise ConflictError("This Idempotency-Key was used for another job.")
        return job

    def get(self, task_id: str) -> Job:
        """Return a job.

        Raises
        ------
        NotFoundError
            When there is none of that id.
        """
        with self._connection() as connection:
            row = connection.execute(select(*_COLUMNS).where(_C.task_id == task_id)).one_or_none()
        if row is None or not self._room.access.sees(row.owner):
            raise NotFoundError(f"There is no job {shown(task_id)}.")
        return _job(row)

    def jobs(
        self,
        state: State | None = None,
        kind: str | None = None,
        most: int = 100,
        first: int = 0,
        search: str = "",
        sort: str = "-created",
    ) -> list[Job]:
        """Return jobs that the present caller may see, by default the newest first.

        Parameters
        ----------
        state : State, optional
        kind : str, optional
        most, first : int
            How many at most, and how many of those that match come before.
        search : str
            Words that must all be in the id, kind, owner, message or specification; capitals do not matter.
        sort : str
            One of `ORDERS`, or ``kpi:`` and the name of a number among the results; after ``-`` descending. Jobs
            without it come last.

        Raises
        ------
        InvalidValueError
            When there is no such order.
        """
        key, descending = order_of(sort, ORDERS)
        column = _figure(key.removeprefix(INDICATOR)) if key.startswith(INDICATOR) else _C[ORDERS[key]]
        order = (column.desc() if descending else column).nulls_last()
        asked = select(*_COLUMNS).where(*self._wanted(state, kind, search)).order_by(order, _C.task_id)
        with self._connection() as connection:
            return [_job(row) for row in connection.execute(asked.limit(most).offset(first))]

    def count(self, state: State | None = None, kind: str | None = None, search: str = "") -> int:
        """Return how many jobs there are that the present caller may see; parameters as of `jobs`."""
        asked = select(func.count()).select_from(JOBS).where(*self._wanted(state, kind, search))
        with self._connection() as connection:
            return connection.scalar(asked) or 0

    def _wanted(self, state: State | None, kind: str | None, search: str) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        access = self._room.access
        if not access.everything:
            conditions.append(_C.owner == access.owner)
        if state is not None:
            conditions.append(_C.state == state)
        if kind is not None:
            conditions.append(_C.kind == kind)
        places = (_C.task_id, _C.kind, func.coalesce(_C.owner, ""), _C.message, cast(_C.spec, Text))
        found = (or_(*(place.icontains(word, autoescape=True) for place in places)) for word in search.split())
        return [*conditions, *found]

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many jobs there are of each kind and state."""
        asked = select(_C.kind, _C.state, func.count()).group_by(_C.kind, _C.state)
        with self._connection() as connection:
            return {(kind, str(state)): count for kind, state, count in connection.execute(asked)}

    def cancel(self, task_id: str) -> Job:
        """Ask a job to end; one that nobody runs has ended then.

        Raises
        ------
        NotFoundError
            When there is none of that id.
        """
        self.get(task_id)
        nobodys = or_(_C.state == State.PENDING, and_(_C.state == State.RUNNING, _C.lease < now()))
        ended = {"state": State.CANCELLED, "message": "Cancelled", "finished": now(), "lease": None}
        with self._connection() as connection:
            mine = _C.task_id == task_id
            connection.execute(update(JOBS).where(mine, nobodys).values(**ended, token=_C.token + 1, cancel=True))
            connection.execute(update(JOBS).where(mine, _C.state == State.RUNNING).values(cancel=True))
        return self.get(task_id)

    def claim(self, worker: str) -> Job | None:
        """Take a job that waits, or whose worker gave no sign of life; None when there is none.

        Whose fewer jobs are running comes first, then a kind of which fewer are running, then who came first: many jobs
        of an owner, or of a kind, do not hold up others.
        """
        for _ in range(_TRIES):
            with self._connection() as connection:
                row = connection.execute(_next_one(self._share)).one_or_none()
                if row is None:
                    return None
                job = _job(row)
                if job.state is State.ERROR:  # nobody could run it
                    failed = {"state": job.state, "message": job.message, "error": job.error, "lease": None}
                    connection.execute(update(JOBS).where(_C.task_id == job.task_id).values(**failed, finished=now()))
                    continue
                values: dict[str, Any] = {
                    "state": State.RUNNING, "message": "Starting its process", "worker": worker,
                    "token": job.token + 1, "attempts": job.attempts + 1,
                    "started": func.coalesce(_C.started, now()), "lease": now() + self._lease,
                }  # fmt: skip
                if job.state is State.RUNNING:  # its worker is gone: perhaps the job took it along
                    values["deaths"], values["furthest"] = job.after_death()
                    if values["deaths"] >= MOST_DEATHS:
                        values |= _died_too_often(values["deaths"]) | {"finished": now(), "lease": None}
                claimed = connection.execute(
                    update(JOBS).where(_C.task_id == job.task_id, _C.token == job.token, _may_be_taken()).values(values)
                )
            if claimed.rowcount and values["state"] is State.RUNNING:
                return self.get(job.task_id)
        return None

    def renew(self, job: Job) -> bool:
        """Give a sign of life; return whether the job is to end.

        Raises
        ------
        LostError
            When the job is another worker's by now.
        """
        renewed = update(JOBS).where(*_held(job)).values(lease=now() + self._lease).returning(_C.cancel)
        with self._connection() as connection:
            row = connection.execute(renewed).one_or_none()
        if row is None:
            raise LostError
        return bool(row.cancel)

    def tell(self, job: Job, message: str, fraction: float | None, counts: Mapping[str, Scalar]) -> None:
        """Keep how far a job is.

        Raises
        ------
        LostError
            When the job is another worker's by now.
        """
        self._change(job, message=message, progress=_finite(fraction), counts=_clean(counts))

    def finish(self, job: Job, state: State, message: str, outcome: Outcome | None = None) -> None:
        """Keep how a job ended.

        Raises
        ------
        LostError
            When the job is another worker's by now, or has ended.
        """
        values: dict[str, Any] = {"state": state, "message": message, "finished": now(), "lease": None}
        if outcome is not None:
            files = {name: str(path) for name, path in outcome.files.items()}
            values |= {"outcome": outcome.outcome, "results": _clean(outcome.values), "files": files}
        if state is State.ERROR:
            values["error"] = message
        if state is State.SUCCESS:
            values["progress"] = 1.0
        self._change(job, **values)

    def release(self, job: Job, *, died: bool) -> None:
        """Give a job back whose process ended without a word, or whose worker ends.

        Raises
        ------
        LostError
            When the job is another worker's by now.
        """
        values: dict[str, Any] = {"state": State.PENDING, "message": "Waiting to go on", "lease": None}
        if died:
            values["deaths"], values["furthest"] = self.get(job.task_id).after_death()
            if values["deaths"] >= MOST_DEATHS:
                values |= _died_too_often(values["deaths"]) | {"finished": now()}
        self._change(job, **values)

    def old(self, age: float) -> list[str]:
        """Return jobs that ended longer ago than an age [s]."""
        asked = select(_C.task_id).where(_C.finished < now() - age).order_by(_C.finished)
        with self._connection() as connection:
            return list(connection.scalars(asked))

    def remove(self, task_id: str) -> None:
        """Forget a job that has ended."""
        with self._connection() as connection:
            connection.execute(delete(JOBS).where(_C.task_id == task_id, _C.finished.is_not(None)))

    def _folders_of(self, owner: str) -> list[Path]:
        """Return the folders of an owner's jobs."""
        with self._connection() as connection:
            return [self.folder_of(name) for name in connection.scalars(select(_C.task_id).where(_C.owner == owner))]

    def _change(self, job: Job, **values: Any) -> None:
        held = _held(job)
        if "state" in values:
            held = (*held, _C.state.in_(before(values["state"])))
        with self._connection() as connection:
            if not connection.execute(update(JOBS).where(*held).values(values)).rowcount:
                raise LostError

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Connection]:
        """Connect; errors of the database become ours."""
        try:
            with self._engine.connect() as connection:
                if not self._made:
                    _make(connection)
                    self._made = True
                yield connection
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            raise StoreError(f"the store of jobs cannot be used: {reason}") from error


def _make(connection: Connection) -> None:
    """Make the table where it is missing; several processes may do so at once."""
    with alone(connection):
        connection.execute(CreateTable(JOBS, if_not_exists=True))
        add_columns(connection)
        for index in sorted(JOBS.indexes, key=lambda item: str(item.name)):
            connection.execute(CreateIndex(index, if_not_exists=True))


def _figure(name: str) -> ColumnElement[Any]:
    """Return a number among the results of a job; nothing for what is none."""
    number: ColumnElement[Any] = _C.results[name].as_float()
    return number


def _check_quota(connection: Connection, access: Access) -> None:
    """Refuse a further job of an owner who has as many as may be.

    Raises
    ------
    BusyError
    """
    if access.owner is None or not access.quota.jobs:
        return
    unfinished = _C.state.in_((State.PENDING, State.RUNNING))
    count = connection.scalar(select(func.count()).where(_C.owner == access.owner, unfinished)) or 0
    if count >= access.quota.jobs:
        raise BusyError(
            f"{count} jobs of the token {access.owner} wait or run, as many as may; come again later, or cancel one.",
            _RETRY_AFTER,
            count + 1,
        )


def _may_be_taken() -> ColumnElement[bool]:
    return or_(_C.state == State.PENDING, and_(_C.state == State.RUNNING, _C.lease < now()))


def _next_one(share: int) -> Any:
    """Return what selects the job that is next, of an owner who has fewer running than a share; 0 for any."""
    earlier = JOBS.alias()
    alive = and_(earlier.c.state == State.RUNNING, earlier.c.lease >= now())
    of_owner = func.coalesce(earlier.c.owner, "") == func.coalesce(_C.owner, "")
    by_owner = select(func.count()).where(alive, of_owner).scalar_subquery()
    by_kind = select(func.count()).where(alive, earlier.c.kind == _C.kind).scalar_subquery()
    jobs = select(*_COLUMNS).where(_may_be_taken())
    if share:
        jobs = jobs.where(or_(_C.owner.is_(None), by_owner < share))
    return jobs.order_by(by_owner, by_kind, _C.created, _C.task_id).limit(1)


def _held(job: Job) -> tuple[ColumnElement[bool], ...]:
    return _C.task_id == job.task_id, _C.token == job.token, _C.state == State.RUNNING


def _died_too_often(deaths: int) -> dict[str, Any]:
    message = f"its process died {deaths} times without coming further"
    return {"state": State.ERROR, "message": message, "error": message}


def _clean(values: Mapping[str, Scalar]) -> dict[str, Scalar]:
    return {name: _finite(value) if isinstance(value, float) else value for name, value in values.items()}


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _job(row: Any) -> Job:
    return job_of(row._mapping)
