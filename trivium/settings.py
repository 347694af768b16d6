"""The settings of the server, each written once: type, default, range and meaning.

They come from options and from variables of the environment; docs/settings.md lists them all, and a test compares that
list with this module.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from trivium import locations
from trivium.entry_points import Registry
from trivium.errors import SettingsError

_PREFIX = "TRIVIUM_"
#: Settings whose variables bear the usual names of web servers, without the prefix.
_WITHOUT_PREFIX = ("host", "port")
#: Variables of tests, tools and other services that begin like settings.
_OF_OTHERS = re.compile(
    "TRIVIUM_(URL|STEPS|OSEMOSYS|TRAJECTORIES|REFERENCE(_RESOURCES|_GYM)?|BOPTEST(_GYM)?|NOTEBOOK_.*)"
)
#: A variable of this ending names a file that holds the setting.
_IN_FILE = "_FILE"
_SCHEDULER = re.compile(r"(tcp|tls|ws|wss|ucx)://\S+")


def _testcase(value: Any) -> Any:
    return locations.resolve_testcase(value) if isinstance(value, (str, Path)) else value


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _is_address(text: str) -> str:
    if text and not _SCHEDULER.fullmatch(text):
        raise ValueError("must be an address such as tcp://host:8786")
    return text


def _items(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _engine(name: str) -> str:
    if name != "auto" and name not in _engines():  # to look engines up takes some milliseconds
        raise ValueError(f"must be one of {', '.join(_engines())}")
    return name


def _engines() -> tuple[str, ...]:
    return ("auto", *Registry[object]("trivium.engines").names())


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


_Path = Annotated[Path, AfterValidator(_absolute)]
_Testcase = Annotated[Path, BeforeValidator(_testcase)]
_Address = Annotated[str, AfterValidator(_is_address)]
_Items = Annotated[tuple[str, ...], BeforeValidator(_items)]
_Engine = Annotated[str, AfterValidator(_engine)]
_Level = Annotated[Literal["debug", "info", "warning", "error", "critical"], BeforeValidator(_lower)]


def variable_of(name: str) -> str:
    """Return the variable of the environment that holds a setting."""
    return name.upper() if name in _WITHOUT_PREFIX else f"{_PREFIX}{name.upper()}"


def _content(variable: str, path: str) -> str:
    """Return what the file of a setting holds, as secrets are handed to containers."""
    try:
        return Path(path).read_text(encoding="utf-8").strip() if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable}{_IN_FILE} cannot be read: {error}") from error


class _Variables(PydanticBaseSettingsSource):
    """Reads the variables of an environment, or files that others name; what is empty counts as not set."""

    def __init__(self, settings_cls: type[BaseSettings], environ: Mapping[str, str]) -> None:
        super().__init__(settings_cls)
        self._environ = environ

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Return the text of a setting's variable, the setting's name, and that the text is no JSON."""
        variable = variable_of(field_name)
        text = self._environ.get(variable, "").strip()
        return text or _content(variable, self._environ.get(variable + _IN_FILE, "").strip()), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the texts of all variables that are set."""
        fields = self.settings_cls.model_fields
        texts = {name: self.get_field_value(field, name)[0] for name, field in fields.items()}
        return {name: text for name, text in texts.items() if text}


class Settings(BaseSettings):
    """All settings of the server.

    Parameters
    ----------
    environ : Mapping[str, str], optional
        Variables to read; by default those of the process's environment.
    **options
        Settings by name; each goes before its variable. An option that is None counts as not given.

    Raises
    ------
    SettingsError
        Naming every variable whose value is not acceptable.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", validate_default=True)

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(5000, ge=1, le=65535, description="Port to listen on.")
    resources: _Testcase = Field(
        default_factory=locations.resources,
        description="The default test case: a folder (FMU, boundary data, surrogates), an FMU alone, cooling or "
        "data_center.",
        json_schema_extra={"default": locations.COOLING},
    )
    testcases: _Path | None = Field(
        None, description="Folder with further test cases, folders or FMUs, that clients may register."
    )
    studies: _Path = Field(
        default_factory=locations.examples,
        description="Folder whose folders hold what clients may sweep and converge.",
        json_schema_extra={"default": "the shipped examples"},
        examples=["./studies"],
    )
    engine: _Engine = Field(
        "auto", description="What runs the FMU of a test case that does not choose an engine itself."
    )
    state_dir: _Path = Field(
        default_factory=locations.state_dir,
        description="Folder for what the server keeps: unpacked FMUs, sessions and jobs.",
        json_schema_extra={"default": ".trivium-state of the checkout, else the user's state directory"},
        examples=["/var/lib/trivium"],
    )
    max_body: int = Field(
        1048576, ge=1024, le=2**30, description="Largest request body [bytes]; beyond it the reply is 413."
    )
    threads: int = Field(
        40,
        ge=1,
        le=256,
        description="Threads of a web worker that answer requests; a session holds two of them at most.",
    )
    read_timeout: int = Field(
        10,
        ge=1,
        le=3600,
        description="Time [s] in which a client must send the head of a request, and the body after it.",
    )
    wait_timeout: int = Field(
        60,
        ge=1,
        le=10**6,
        description="Longest time [s] that a request waits while its session does others; beyond it the reply is 503.",
    )
    worker_timeout: int = Field(
        20, ge=2, le=3600, description="Time [s] without a sign of life after which a web worker is replaced."
    )
    max_steps: int = Field(20000, ge=1, le=10**9, description="Most control steps of one request.")
    max_sessions: int = Field(
        32, ge=0, le=10000, description="Most sessions with a process at a time, the default session not counted."
    )
    max_stored: int = Field(
        10000, ge=0, le=10**6, description="Most sessions that are kept, with and without a process."
    )
    reclaim_after: int = Field(
        10,
        ge=0,
        le=10**8,
        description="Time without requests [s] after which the process of a session may end to make room for another.",
    )
    session_expiry: int = Field(
        30, ge=0, le=36500, description="Days without requests after which a session is removed; 0: never."
    )
    idle_timeout: int = Field(
        900,
        ge=1,
        le=10**8,
        description="Time without requests [s] after which the process of a session ends; the next request wakes it.",
    )
    step_timeout: int = Field(
        60,
        ge=1,
        le=10**6,
        description="Longest time [s] that a session may be busy with one request without progress.",
    )
    session_memory: int = Field(2048, ge=256, le=2**20, description="Most memory [MiB] of the process of one session.")
    recycle_steps: int = Field(
        100000,
        ge=0,
        le=10**9,
        description="Requests that change a session after which it gets a new process; 0: never.",
    )
    durability: Literal["process", "power"] = Field(
        "process", description="What an acknowledged step survives: the end of any process, or a loss of power."
    )
    max_snapshots: int = Field(1000, ge=0, le=10**6, description="Most snapshots of one session.")
    disk_reserve: int = Field(
        1024,
        ge=0,
        le=2**30,
        description="Space [MiB] that is kept free on the disk, at most a twentieth of it; below it the reply is 507.",
    )
    max_storage: int = Field(
        0, ge=0, le=2**40, description="Most that the state directory may hold [MiB]; 0: what the disk holds."
    )
    token_sessions: int = Field(100, ge=0, le=10**6, description="Most sessions of one token; 0: no limit of its own.")
    token_jobs: int = Field(
        100, ge=0, le=10**6, description="Most jobs of one token that wait or run; 0: no limit of its own."
    )
    token_running: int = Field(
        0, ge=0, le=10**6, description="Most jobs of one token that run at a time; 0: no limit of its own."
    )
    token_storage: int = Field(
        0,
        ge=0,
        le=2**40,
        description="Most that sessions and jobs of one token may store [MiB]; 0: no limit of its own.",
    )
    jobs_url: str = Field(
        "",
        repr=False,  # it may hold a password
        description="Database of the jobs; by default an SQLite file in the state directory.",
        examples=["postgresql://user:password@host/name"],
    )
    worker_jobs: int = Field(
        2, ge=0, le=1024, description="Jobs that a worker runs at a time; 0: the server starts no worker."
    )
    worker_ready: int = Field(
        1,
        ge=0,
        le=1,
        description="Processes that wait for a next job of the worker, so that it starts seconds earlier.",
    )
    job_lease: int = Field(
        30,
        ge=1,
        le=86400,
        description="Time [s] without a sign of life of its worker after which another worker takes a job over.",
    )
    jobs_keep: int = Field(
        0, ge=0, le=36500, description="Days for which a job and its folder are kept after its end; 0: for ever."
    )
    job_time: int = Field(0, ge=0, le=10**8, description="Longest time [s] of an attempt of a job; 0: no limit.")
    job_memory: int = Field(
        0,
        ge=0,
        le=2**30,
        description="Most memory [MiB] of all processes of a job on the machine of its worker; 0: no limit.",
    )
    job_disk: int = Field(0, ge=0, le=2**40, description="Most that a job may store [MiB]; 0: no limit.")
    job_runs: int = Field(10**7, ge=1, le=2**31, description="Most runs of a study that a client submits.")
    scheduler: _Address = Field(
        "",
        description="Address of a Dask scheduler that sweeps run on; by default they run on this machine.",
        examples=["tcp://host:8786"],
    )
    scheduler_wait: int = Field(
        20, ge=1, le=86400, description="Time [s] that a Dask scheduler and its first worker are waited for."
    )
    cors_origins: _Items = Field(
        (),
        description="Origins that browsers may call from, separated by commas, or *.",
        examples=["https://a.example,https://b.example"],
    )
    hosts: _Items = Field(
        (),
        description="Names by which clients may call besides localhost, HOST and addresses, separated by commas, or *.",
        examples=["api,trivium.example.org"],
    )
    tokens: Literal["none"] | _Path | None = Field(
        None, description="File of the tokens that clients must have; none: anybody may do anything, at any address."
    )
    rate: int = Field(
        0,
        ge=0,
        le=10**6,
        description="Most requests a second of one token, or of one address where no token is needed; 0: no limit.",
    )
    max_upload: int = Field(
        0,
        ge=0,
        le=2**34,
        description="Largest FMU [bytes] that a client with the scope admin may upload; 0: none may be uploaded.",
    )
    log_level: _Level = Field("info", description="How much is logged to stderr.")
    log_format: Literal["text", "json"] = Field(
        "text", description="Lines for people (text), or a JSON object a line for machines (json)."
    )

    def __init__(self, *, environ: Mapping[str, str] | None = None, **options: Any) -> None:
        values = {name: value for name, value in options.items() if value is not None}
        try:
            super().__init__(environ=os.environ if environ is None else environ, **values)
        except ValidationError as error:
            raise SettingsError(_sentences(error.errors(include_url=False))) from error

    @classmethod
    def settings_customise_sources(  # type: ignore[override]  # the other sources are not used
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        **_: Any,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return what settings come from: options, then the variables that `environ` holds."""
        environ = init_settings.init_kwargs.pop("environ")  # type: ignore[attr-defined]  # it is an InitSettingsSource
        return init_settings, _Variables(settings_cls, environ)

    @property
    def url(self) -> str:
        """Address for people to open."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104, shown, not bound  # nosec B104
        return f"http://{host}:{self.port}"

    def environment(self) -> dict[str, str]:
        """Return the variables from which another process reads these settings, all of them: none is inherited."""
        return {variable_of(name): _text(value) for name, value in self.model_dump(mode="json").items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return ",".join(value) if isinstance(value, (list, tuple)) else str(value)


def default_of(name: str) -> str:
    """Return the default of a setting as text; empty where there is none."""
    field = Settings.model_fields[name]
    return (
        str(field.json_schema_extra["default"]) if isinstance(field.json_schema_extra, dict) else _text(field.default)
    )


def allowed_for(name: str) -> str:
    """Return the values that a setting may have, in words."""
    field = Settings.model_fields[name]
    bounds = {kind: getattr(item, kind) for item in field.metadata for kind in ("ge", "le") if hasattr(item, kind)}
    if bounds:
        return f"an integer from {bounds['ge']} to {bounds['le']}"
    if name == "engine":
        return f"one of {', '.join(_engines())}"
    if get_origin(field.annotation) is Literal:
        return f"one of {', '.join(get_args(field.annotation))}"
    return "a text" if field.annotation in (str, tuple[str, ...]) else "a path"


def _sentences(errors: Sequence[Any]) -> str:
    """Return, for each invalid setting, its variable, its allowed values, its meaning and a valid example."""
    first = {str(error["loc"][0]): error for error in reversed(errors)}
    return "; ".join(_sentence(name, first[name]) for name in reversed(first))


def _sentence(name: str, error: Any) -> str:
    if name not in Settings.model_fields:
        return f"there is no setting {name}"
    field, variable = Settings.model_fields[name], variable_of(name)
    must = error["ctx"]["error"] if error["type"] == "value_error" else f"must be {allowed_for(name)}"
    meaning = str(field.description).partition(";")[0].rstrip(".")
    example = field.examples[0] if field.examples else default_of(name)
    hint = f"; for example {variable}={example}" if example else ""
    value = "empty" if error["input"] == "" else error["input"]
    return f"{variable} {must}, not {value} ({meaning[0].lower()}{meaning[1:]}{hint})"


def unknown_variables(environ: Mapping[str, str] | None = None) -> list[str]:
    """Return a warning for each variable that begins as those of the settings do and is none of them.

    Parameters
    ----------
    environ : Mapping[str, str], optional
        By default the process's environment.
    """
    variables = {variable_of(name): name for name in Settings.model_fields}
    names = sorted(name for name in (os.environ if environ is None else environ) if name.startswith(_PREFIX))
    warnings = []
    for name in names:
        if name.removesuffix(_IN_FILE) in variables or _OF_OTHERS.fullmatch(name):
            continue
        near = difflib.get_close_matches(name.removeprefix(_PREFIX).lower(), Settings.model_fields, n=1)
        hint = f"did you mean {variable_of(near[0])}?" if near else "docs/settings.md lists the settings."
        warnings.append(f"{name} is no setting and has no effect; {hint}")
    return warnings
