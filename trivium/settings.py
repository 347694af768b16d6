"""Settings from the environment; docs/settings.md lists them all, and a test holds that list to this module."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from trivium.errors import SettingsError

#: The folder that holds the package, which in a checkout holds Resources/ too.
ROOT = Path(__file__).resolve().parent.parent
_T = TypeVar("_T", bound=str)
_LEVELS = ("debug", "info", "warning", "error", "critical")


def _variable(name: str, default: str, about: str) -> Any:
    return field(metadata={"variable": name, "default": default, "about": about})


@dataclass(frozen=True)
class Settings:
    """All settings of the server; `from_env` makes one from the environment.

    Each field knows its environment variable, its default as text and what it is about (metadata of the fields).
    """

    host: str = _variable("HOST", "127.0.0.1", "Address to listen on.")
    port: int = _variable("PORT", "5000", "Port to listen on, 1 to 65535.")
    resources: Path = _variable(
        "TRIVIUM_RESOURCES",
        "Resources beside the package",
        "The default test case: a folder (FMU, boundary data, surrogates), or an FMU alone.",
    )
    testcases: Path | None = _variable(
        "TRIVIUM_TESTCASES", "", "Folder with further test cases, folders or FMUs, that clients may register."
    )
    studies: Path = _variable(
        "TRIVIUM_STUDIES",
        "examples beside the package",
        "Folder whose folders hold what clients may sweep and converge.",
    )
    engine: Literal["auto", "fmpy", "pyfmi"] = _variable(
        "TRIVIUM_ENGINE", "auto", "What runs the FMU of a test case that does not choose itself: auto, fmpy or pyfmi."
    )
    state_dir: Path = _variable(
        "TRIVIUM_STATE_DIR", ".trivium-state", "Folder for what the server keeps: unpacked FMUs and sessions."
    )
    max_body: int = _variable(
        "TRIVIUM_MAX_BODY", "1048576", "Largest request body [bytes]; beyond it the answer is 413."
    )
    threads: int = _variable("TRIVIUM_THREADS", "8", "Threads that answer requests; they take turns at a session.")
    max_steps: int = _variable("TRIVIUM_MAX_STEPS", "20000", "Most control steps of one request.")
    max_sessions: int = _variable(
        "TRIVIUM_MAX_SESSIONS", "32", "Sessions that clients may select, the default session not counted."
    )
    idle_timeout: float = _variable(
        "TRIVIUM_IDLE_TIMEOUT",
        "900",
        "Time without requests after which a session's process ends; the next wakes it [s].",
    )
    step_timeout: float = _variable(
        "TRIVIUM_STEP_TIMEOUT", "60", "Longest time that a session may be busy with one request [s]."
    )
    session_memory: int = _variable("TRIVIUM_SESSION_MEMORY", "2048", "Most memory of one session's process [MiB].")
    recycle_steps: int = _variable(
        "TRIVIUM_RECYCLE_STEPS", "100000", "Steps after which a session gets a fresh process; 0 for never."
    )
    durability: Literal["process", "power"] = _variable(
        "TRIVIUM_DURABILITY", "process", "What an acknowledged step survives: the end of any process, or of the power."
    )
    jobs_url: str = _variable(
        "TRIVIUM_JOBS_URL",
        "",
        "Database of the jobs, postgresql:// or sqlite:///; an SQLite file in the state directory.",
    )
    worker_jobs: int = _variable(
        "TRIVIUM_WORKER_JOBS", "2", "Jobs that a worker runs at a time; 0: the server starts without a worker."
    )
    job_lease: int = _variable(
        "TRIVIUM_JOB_LEASE", "30", "Time without a sign of life after which another worker takes a job over [s]."
    )
    jobs_keep: int = _variable(
        "TRIVIUM_JOBS_KEEP", "0", "How long jobs that have ended are kept, with their folders [days]; 0: for ever."
    )
    scheduler: str = _variable(
        "TRIVIUM_SCHEDULER", "", "Address of a Dask scheduler that sweeps run on, as tcp://host:8786; this machine."
    )
    cors_origins: tuple[str, ...] = _variable(
        "TRIVIUM_CORS_ORIGINS", "", "Origins that browsers may call from, separated by commas, or *; none by default."
    )
    tokens: Path | Literal["none"] | None = _variable(
        "TRIVIUM_TOKENS",
        "",
        "File of the tokens that clients must have; none: anybody may do anything, at any address.",
    )
    rate: int = _variable(
        "TRIVIUM_RATE",
        "0",
        "Most requests a second of one token, or of one address where none is asked for; 0: no limit.",
    )
    max_upload: int = _variable(
        "TRIVIUM_MAX_UPLOAD", "0", "Largest FMU that a client with the scope admin may upload [bytes]; 0: none may be."
    )
    log_level: str = _variable("TRIVIUM_LOG_LEVEL", "info", f"How much is logged to stderr: {', '.join(_LEVELS)}.")

    log_format: Literal["text", "json"] = _variable(
        "TRIVIUM_LOG_FORMAT", "text", "Lines for people (text), or an object a line for machines (json)."
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings.

        Parameters
        ----------
        environ : Mapping[str, str], optional
            Defaults to the process's environment. An empty value counts as not set.

        Raises
        ------
        SettingsError
            Naming the variable that is not acceptable.
        """
        environ = os.environ if environ is None else environ
        texts = {f.name: environ.get(f.metadata["variable"], "").strip() or f.metadata["default"] for f in fields(cls)}
        given, studies = (environ.get(name, "").strip() for name in ("TRIVIUM_RESOURCES", "TRIVIUM_STUDIES"))
        return cls(
            host=texts["host"],
            port=_integer("PORT", texts["port"], 1, 65535),
            resources=_path(given) if given else ROOT / "Resources",
            testcases=_path(texts["testcases"]) if texts["testcases"] else None,
            studies=_path(studies) if studies else ROOT / "examples",
            engine=_one_of("TRIVIUM_ENGINE", texts["engine"], ("auto", "fmpy", "pyfmi")),
            state_dir=_path(texts["state_dir"]),
            max_body=_integer("TRIVIUM_MAX_BODY", texts["max_body"], 1024, 2**30),
            threads=_integer("TRIVIUM_THREADS", texts["threads"], 1, 256),
            max_steps=_integer("TRIVIUM_MAX_STEPS", texts["max_steps"], 1, 10**9),
            max_sessions=_integer("TRIVIUM_MAX_SESSIONS", texts["max_sessions"], 0, 10000),
            idle_timeout=_integer("TRIVIUM_IDLE_TIMEOUT", texts["idle_timeout"], 1, 10**8),
            step_timeout=_integer("TRIVIUM_STEP_TIMEOUT", texts["step_timeout"], 1, 10**6),
            session_memory=_integer("TRIVIUM_SESSION_MEMORY", texts["session_memory"], 256, 2**20),
            recycle_steps=_integer("TRIVIUM_RECYCLE_STEPS", texts["recycle_steps"], 0, 10**9),
            durability=_one_of("TRIVIUM_DURABILITY", texts["durability"], ("process", "power")),
            jobs_url=texts["jobs_url"],
            worker_jobs=_integer("TRIVIUM_WORKER_JOBS", texts["worker_jobs"], 0, 1024),
            job_lease=_integer("TRIVIUM_JOB_LEASE", texts["job_lease"], 1, 86400),
            jobs_keep=_integer("TRIVIUM_JOBS_KEEP", texts["jobs_keep"], 0, 36500),
            scheduler=_address(texts["scheduler"]),
            cors_origins=tuple(origin.strip() for origin in texts["cors_origins"].split(",") if origin.strip()),
            tokens=_tokens(texts["tokens"]),
            rate=_integer("TRIVIUM_RATE", texts["rate"], 0, 10**6),
            max_upload=_integer("TRIVIUM_MAX_UPLOAD", texts["max_upload"], 0, 2**34),
            log_format=_one_of("TRIVIUM_LOG_FORMAT", texts["log_format"], ("text", "json")),
            log_level=_one_of("TRIVIUM_LOG_LEVEL", texts["log_level"].lower(), _LEVELS),
        )

    @property
    def url(self) -> str:
        """Address for people to open."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104, shown, not bound  # nosec B104
        return f"http://{host}:{self.port}"


def set_environment(**variables: object) -> None:
    """Set variables for this process and those that it starts; those that are None stay as they are."""
    os.environ.update({name: str(value) for name, value in variables.items() if value is not None})


def is_set(variable: str) -> bool:
    """Tell whether a variable that a library reads is set."""
    return bool(os.environ.get(variable))


def child_environment(**variables: str) -> dict[str, str]:
    """Return the environment for a process that this one starts: its own, with further variables.

    PYTHONPATH is put before what it holds already.
    """
    given = os.environ.get("PYTHONPATH", "")
    if given and "PYTHONPATH" in variables:
        variables["PYTHONPATH"] += os.pathsep + given
    return {**os.environ, **variables}


def _tokens(text: str) -> Path | Literal["none"] | None:
    if text == "none":
        return "none"
    return _path(text) if text else None


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _address(text: str) -> str:
    if text and not re.fullmatch(r"(tcp|tls|ws|wss|ucx)://\S+", text):
        raise SettingsError(f"TRIVIUM_SCHEDULER must be an address as tcp://host:8786, not {text}")
    return text


def _one_of(variable: str, text: str, choices: tuple[_T, ...]) -> _T:
    for choice in choices:
        if text == choice:
            return choice
    raise SettingsError(f"{variable} must be one of {', '.join(choices)}, not {text}")


def _integer(variable: str, text: str, least: int, most: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise SettingsError(f"{variable} must be an integer from {least} to {most}, not {text}")
    return value
