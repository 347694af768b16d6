"""The table of jobs, and what differs between the databases that hold it."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Double,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    func,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from trivium.errors import SettingsError, StorageError
from trivium.extras import require
from trivium.process import process_start

#: PostgreSQL knows a lock by a number, any one.
_LOCK = 0x61646363
#: How often SQLite is asked for its write-ahead log.
_TRIES = 100

JOBS = Table(
    "trivium_jobs",
    MetaData(),
    Column("task_id", String(32), primary_key=True),
    Column("request_key", String(200), unique=True),
    Column("owner", String(64), index=True),
    Column("kind", String(40), nullable=False),
    Column("spec", JSON, nullable=False),
    Column("state", String(10), nullable=False, index=True),
    Column("message", Text, nullable=False),
    Column("progress", Double),
    Column("counts", JSON, nullable=False),
    Column("results", JSON, nullable=False),
    Column("files", JSON, nullable=False),
    Column("outcome", Text),
    Column("error", Text),
    Column("created", Double, nullable=False, index=True),
    Column("started", Double),
    Column("finished", Double),
    Column("lease", Double),
    Column("worker", Text),
    Column("token", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("deaths", Integer, nullable=False),
    Column("furthest", Double, nullable=False),
    Column("cancel", Boolean, nullable=False),
)


class now(FunctionElement[float]):  # noqa: N801, reads as SQL's functions do
    """The database's own clock [s since 1970]: the one that all workers share."""

    type = Double()
    inherit_cache = True


@compiles(now, "sqlite")
def _now_of_sqlite(*_: Any, **__: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now, "postgresql")
def _now_of_postgresql(*_: Any, **__: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


def connect(url: str, folder: Path) -> Engine:
    """Return an engine whose every statement is a transaction of its own.

    Parameters
    ----------
    url : str
        Of a PostgreSQL or SQLite database; empty for an SQLite file in the folder.
    folder : Path
        Made when missing.

    Raises
    ------
    SettingsError
        When the URL cannot be used.
    MissingExtraError
        When the database's driver is not installed.
    StorageError
        When the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StorageError(f"the folder {folder} cannot be made: {error.strerror}") from error
    try:
        parsed = make_url(url) if url else make_url("sqlite://").set(database=str(folder / "jobs.sqlite3"))
    except ArgumentError as error:
        raise SettingsError("TRIVIUM_JOBS_URL is no URL of a database") from error
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
        raise SettingsError(f"TRIVIUM_JOBS_URL must begin with postgresql:// or sqlite:///, not {parsed.drivername}")
    options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "pool_pre_ping": True}
    if parsed.drivername == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise SettingsError("TRIVIUM_JOBS_URL must name a file: jobs are shared by processes")
        options["connect_args"] = {"timeout": 30}
    else:
        require("psycopg", "postgres")
        options["connect_args"] = {
            "connect_timeout": 10,
            "options": "-c statement_timeout=20000",
            # a machine that is gone, or a network that is cut: noticed within half a minute
            "tcp_user_timeout": 20_000, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
        }  # fmt: skip
    try:
        engine = create_engine(parsed, json_deserializer=_document, **options)
    except (ArgumentError, NoSuchModuleError) as error:
        raise SettingsError(f"TRIVIUM_JOBS_URL cannot be used: {error}") from error
    if parsed.drivername == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _document(text: str | bytes) -> Any:
    """Return what JSON holds; None where it is damaged, which no document of a job is."""
    try:
        return json.loads(text)
    except ValueError:
        return None


@contextlib.contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """Keep other processes from making the same tables: PostgreSQL's "if not exists" fails where two do so at once."""
    if connection.dialect.name != "postgresql":
        yield
        return
    connection.execute(select(func.pg_advisory_lock(_LOCK)))
    try:
        yield
    finally:
        connection.execute(select(func.pg_advisory_unlock(_LOCK)))


def add_columns(connection: Connection) -> None:
    """Add the columns that a table of an earlier version lacks."""
    for name in ("owner",):
        if name in _columns(connection):
            continue
        kind = JOBS.c[name].type.compile(connection.dialect)
        try:
            connection.execute(text(f"ALTER TABLE {JOBS.name} ADD COLUMN {name} {kind}"))
        except OperationalError:  # another process was faster; SQLite knows no "if not exists" here
            if name not in _columns(connection):
                raise


def _columns(connection: Connection) -> set[str]:
    return {column["name"] for column in inspect(connection).get_columns(JOBS.name)}


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    """Let readers and a writer work at the same time; what is committed survives the end of the power."""
    for left in range(_TRIES, -1, -1):
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
            break
        except sqlite3.OperationalError:  # another process does the same, and SQLite does not wait here
            if not left:
                raise
            time.sleep(0.05)
    connection.execute("PRAGMA synchronous = FULL").close()


def process_name() -> str:
    """Return what a worker calls itself: the machine's name, its process, when that started, and where it counts."""
    return f"{os.uname().nodename}:{os.getpid()}:{process_start(os.getpid())}:{_namespace()}"


def is_dead(worker: str) -> bool:
    """Return whether a worker was a process of this machine that has ended; False where that cannot be known."""
    node, _, rest = worker.rpartition(":")[0].partition(":")
    pid, _, started = rest.partition(":")
    if node != os.uname().nodename or worker.rpartition(":")[2] != _namespace() or not pid.isdigit():
        return False
    return str(process_start(int(pid))) != started


def _namespace() -> str:
    """Return where process ids are counted: two containers may have one name, and the same numbers."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}.{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""
