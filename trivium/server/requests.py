"""What requests hold, as pydantic models: a view that takes one gets it parsed, and the API is described from it.

A model checks shape and type. What depends on the test case (names, bounds, the grid of time) is checked there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, get_args, get_origin

from flask import current_app, g, has_app_context
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SkipValidation,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError
from werkzeug.datastructures import Headers, MultiDict

from trivium.document import SENTENCE, refusals
from trivium.errors import InvalidValueError, RequestError
from trivium.evaluation.faults import KINDS as FAULT_KINDS
from trivium.jobs.record import State
from trivium.model.linearization import LinearKind
from trivium.numbers import parse_count, parse_flag, parse_number, parse_window_end, shown
from trivium.protocol import Clamp
from trivium.session.labels import Line, Notes, Tags, TestId


class MissingError(RequestError):
    """A field that a request with a test id lacks; BOPTEST's reply names it in the payload."""


def _by(parse: Callable[[Any, str], Any], field: str | None = None) -> BeforeValidator:
    """Return a validator that refuses a value in the words of a function that takes a value and a field's name."""

    def check(value: Any, info: ValidationInfo) -> Any:
        try:
            return parse(value, field or str(info.field_name))
        except InvalidValueError as error:
            raise PydanticCustomError(SENTENCE, "{text}", {"text": str(error)}) from None

    return BeforeValidator(check)


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise InvalidValueError(
            f"Invalid value {shown(value)} for parameter {field}. Value must be a string, but is {type(value)}.", field
        )
    return value


def _point_names(value: Any, field: str) -> list[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidValueError(f"Invalid value for parameter {field}. Value must be a list of names.", field)
    return names


def _object(value: Any, field: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidValueError(
            f"Invalid value for parameter {field}. It must be an object, but is {type(value)}.", field
        )
    return value


def _seed(value: Any, field: str) -> int:
    if isinstance(value, str) and value.isdecimal():  # form data
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidValueError(
            f"Scenario parameter {field} is {shown(value)}, but should be a non-negative integer.", field
        )
    return value


def _runs(value: Any, field: str) -> list[int]:
    return [_offset(text, field) for text in value]


def _offset(value: Any, field: str) -> int:
    return 0 if value == "0" else parse_count(value, field)


def _state(value: Any, field: str) -> State:
    for state in State:
        if value.lower() == state.lower():
            return state
    raise InvalidValueError(
        f"Invalid value {shown(value)} for parameter {field}. Value must be one of {', '.join(State)}.", field
    )


def _names(value: Any, _field: str) -> list[str]:
    return [name.strip() for name in value.split(",")]


def _format(value: Any, field: str) -> str:
    if value not in ("json", "parquet"):
        raise InvalidValueError(
            f"Invalid value {shown(value)} for parameter {field}. It must be json or parquet.", field
        )
    return str(value)


def _kind(value: Any, field: str) -> Any:
    if value not in get_args(LinearKind):
        raise InvalidValueError(
            f"Invalid value {shown(value)} for parameter {field}. Value must be {' or '.join(get_args(LinearKind))}.",
            field,
        )
    return value


def _clamp(value: Any, field: str) -> Clamp:
    return "inputs" if value == "inputs" else _flag(value, field)


def _clock(value: Any, field: str) -> float | None:
    return None if value.strip() == "*" else parse_number(value.strip().strip('"'), field)


def _key(value: Any, field: str) -> str | None:
    if len(value) > 200:
        raise InvalidValueError(f"Invalid value {shown(value)} for parameter {field}. It is too long.", "key")
    caller = g.get("caller") if has_app_context() else None
    if not value or caller is None:
        return value or None
    return hashlib.sha256(f"{caller.name}\n{value}".encode()).hexdigest()  # each token has keys of its own


def _flag(value: Any, field: str) -> bool:
    return value == "true" if value in ("true", "false") else parse_flag(value, field)  # a text in form data


_EITHER = {"anyOf": [{"type": "number"}, {"type": "string"}]}
_NUMBER = WithJsonSchema(_EITHER)
_KINDS = {"type": "string", "enum": [*get_args(LinearKind)]}
_TEXT = WithJsonSchema({"type": "string"})
_FAULT = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "enum": [*FAULT_KINDS]},
        "signal": {"type": "string"},
        **{name: {"type": "number"} for name in ("start", "end", "size")},
    },
    "required": ["kind", "signal", "start", "end", "size"],
    "additionalProperties": False,
}
_FAULTS = WithJsonSchema({"type": "array", "items": _FAULT})
#: A finite number, or a text of one.
Seconds = Annotated[float, _by(parse_number), WithJsonSchema(_EITHER | {"description": "[s]"})]
#: An end of a window of time: the same, or infinity of either sign for no end.
WindowEnd = Annotated[
    float,
    _by(parse_window_end),
    WithJsonSchema(_EITHER | {"description": '[s]; "Infinity" or "-Infinity" (also without quotes) for no end'}),
]
#: A whole number of at least 1, or a text of one.
Count = Annotated[int, _by(parse_count), _NUMBER]
#: Yes or no, or a text of it.
Flag = Annotated[bool, _by(_flag)]
#: A text, no number.
Text = Annotated[str, _by(_text)]
#: Names of points, or the name of one.
PointNames = Annotated[list[str], _by(_point_names)]
#: Form of a reply.
Format = Annotated[str, _by(_format), WithJsonSchema({"type": "string", "enum": ["json", "parquet"]})]
#: One of a test case's own words, which refuses others itself.
Choice = Annotated[str, BeforeValidator(str)]
#: A value of a variable; its type and bounds are the variable's.
Value = float | str | bool | None
#: Values of variables, by name.
Values = Annotated[dict[str, SkipValidation[Value]], _by(_object)]


class Body(BaseModel):
    """A body; other fields are refused."""

    model_config = ConfigDict(extra="forbid")

    #: Whether BOPTEST's clients send it with a test id: form data is taken then, a missing field is ``Bad Request``.
    boptest: ClassVar[bool] = False
    #: Whether unknown fields are ignored then.
    ignores_unknown: ClassVar[bool] = True

    @classmethod
    def parse(cls, fields: Mapping[str, Any], *, lenient: bool = False) -> Self:
        """Return the request that these fields make.

        Parameters
        ----------
        fields : Mapping[str, Any]
            What JSON can hold. None is as good as no value.
        lenient : bool
            As BOPTEST takes it: unknown fields are ignored, and None is a value.

        Raises
        ------
        InvalidValueError
            Naming the first field that is wrong.
        MissingError
            Where a lenient request lacks a field.
        """
        declared = cls.model_fields
        if not lenient and None in fields.values():
            fields = {name: value for name, value in fields.items() if value is not None or name not in declared}
        elif lenient and cls.ignores_unknown:
            fields = {name: value for name, value in fields.items() if name in declared}
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            missing = [str(details["loc"][-1]) for details in error.errors() if details["type"] == "missing"]
            if lenient and missing:
                raise MissingError(missing[0]) from None
            raise refusals(error, cls)[0] from None


class BoptestBody(Body):
    """A body that BOPTEST's clients send too: strict for the default session, lenient with a test id."""

    boptest = True


class Query(Body):
    """Parameters of the address; unknown ones are refused, but with a test id."""

    @classmethod
    def from_arguments(cls, arguments: MultiDict[str, str], *, lenient: bool = False) -> Self:
        """Return the query of a request; errors as `parse`."""
        lists = {name for name, field in cls.model_fields.items() if get_origin(field.annotation) is list}
        return cls.parse(
            {name: arguments.getlist(name) if name in lists else arguments[name] for name in arguments}, lenient=lenient
        )


class RequestHeaders(Body):
    """Headers that a route looks at; all others are ignored."""

    model_config = ConfigDict(extra="ignore")

    @classmethod
    def from_headers(cls, headers: Headers) -> Self:
        """Return the headers of a request; errors as `parse`."""
        aliases = [str(field.alias) for field in cls.model_fields.values()]
        return cls.parse({alias: headers[alias] for alias in aliases if alias in headers})


class Once(RequestHeaders):
    """What keeps a request from being done twice."""

    key: Annotated[str | None, _by(_key, "Idempotency-Key")] = Field(
        None, alias="Idempotency-Key", description="A second request of this key gets the reply to the first."
    )


class Preconditions(Once):
    """What a change depends on."""

    clock: Annotated[
        float | None, _by(_clock, "If-Match"), WithJsonSchema({"type": "string", "pattern": r'^("?\d+(\.\d+)?"?|\*)$'})
    ] = Field(None, alias="If-Match", description="Clock of the session [s]: elsewhere the request is refused.")


class LastEvent(RequestHeaders):
    """Where a stream of events was cut off."""

    id: str | None = Field(None, alias="Last-Event-ID", description="Of the last event that the client got.")


class StepBody(BoptestBody):
    """The control step [s]; without test id, for the default test case, a multiple of 300."""

    step: Seconds


class StartBody(BoptestBody):
    """When to start."""

    start_time: Seconds
    end_time: Seconds | None = None
    start_values: Values | None = None


class TestStartBody(BoptestBody):
    """When to start, as BOPTEST takes it."""

    start_time: Seconds
    warmup_period: Seconds
    final_time: Seconds | None = None
    start_values: Values | None = None


class ActionBody(BoptestBody):
    """Control inputs by name; what is left out keeps its value."""

    model_config = ConfigDict(extra="allow")
    ignores_unknown = False  # they are names of inputs
    __pydantic_extra__: dict[str, SkipValidation[Value]] = Field(init=False)

    dry_run: Annotated[Flag | None, Field(description="Look ahead, and come back.")] = None
    clamp: Annotated[
        Clamp | None,
        _by(_clamp),
        WithJsonSchema({"enum": [True, False, "inputs", None]}),
        Field(
            description="Bring inputs into their bounds and cut the step to the end, refuse both, or do the former "
            "only. The first is the default with a test id, the last without."
        ),
    ] = None

    @property
    def inputs(self) -> Mapping[str, Value]:
        """The control inputs."""
        return self.model_extra or {}


class StepsBody(Body):
    """Many control steps."""

    steps: Count | None = None
    action: Values | None = None
    trajectory: SkipValidation[list[dict[str, Value]] | dict[str, list[Value]] | None] = None
    point_names: PointNames | None = None
    atomic: Flag = True
    dry_run: Flag = False


class LinearizeBody(Body):
    """What is linearized, and how."""

    kind: Annotated[LinearKind | None, _by(_kind), WithJsonSchema(_KINDS)] = None
    action: Values | None = None
    input_names: PointNames | None = None
    point_names: PointNames | None = None
    steps: Count | None = None
    perturbation: Annotated[float | None, _by(parse_number), _NUMBER] = None


class ResultsBody(BoptestBody):
    """Points and a window of time."""

    point_names: PointNames
    start_time: WindowEnd
    final_time: WindowEnd


class ForecastBody(BoptestBody):
    """Points, how far ahead, and at which interval."""

    point_names: PointNames
    horizon: Seconds
    interval: Seconds


class ScenarioBody(BoptestBody):
    """The parts of a scenario that are to change."""

    ignores_unknown = False

    time_period: Choice | None = None
    electricity_price: Choice | None = None
    temperature_uncertainty: Choice | None = None
    solar_uncertainty: Choice | None = None
    seed: Annotated[int, _by(_seed)] | None = None
    faults: Annotated[Any, _FAULTS] | None = None


class SnapshotBody(Body):
    """A snapshot."""

    snapshot: Text


class AlarmsQuery(Query):
    """Which alarms."""

    past: Flag = Field(False, description="Also those that are over and acknowledged.")


class AcknowledgeBody(Body):
    """Alarms by name, all by default, and who acknowledges them where the server needs no token."""

    names: list[Text] | None = None
    by: Text = ""


class OverridesBody(Body):
    """Inputs that are set by hand, and until when."""

    inputs: Annotated[Values, Field(description="Values by name; null releases an input.")]
    until: Annotated[
        Seconds | None, Field(description="The last control step that they act in begins before; null for no end.")
    ] = None


class LabelsBody(Body):
    """What a session is called; what is left out stays."""

    name: Line | None = None
    tags: Tags | None = None
    notes: Notes | None = None
    baseline_of: Annotated[TestId | None, Field(description="Id of the session whose baseline it is.")] = None
    controller: Annotated[Line | None, Field(description="What drives it, until it is initialized.")] = None


class ForkBody(Body):
    """A snapshot; by default the present state."""

    snapshot: Text | None = None


class FileBody(Body):
    """A folder or FMU of the folder of test cases."""

    file: Text
    testcaseid: Text | None = None


class SnapshotQuery(Query):
    """A snapshot."""

    snapshot: Text = Field(description="Id of the snapshot.")


class OverridesQuery(Query):
    """Which inputs."""

    input: list[str] = Field([], description="An input that is released; may repeat. By default all are.")


class AdvanceQuery(Query):
    """How far to advance."""

    steps: Count = Field(1, description="Control steps under the same inputs; the reply has the values at their end.")


class LinearizeQuery(Query):
    """How all inputs and measurements are linearized."""

    kind: Annotated[LinearKind | None, _by(_kind), WithJsonSchema(_KINDS)] = Field(
        None, description="Jacobians of the equations, or the map over one control step."
    )
    steps: Count | None = Field(None, description="Control steps of the responses that the latter is made from.")
    perturbation: Annotated[float | None, _by(parse_number), _NUMBER] = Field(
        None, description="Height of their pulses, as a share of each input's scale."
    )


class KpiQuery(Query):
    """Indicators, and a window of the test."""

    names: Annotated[list[str], _by(_names), _TEXT] | None = Field(None, description="Separated by commas.")
    start_time: WindowEnd | None = None
    final_time: WindowEnd | None = None


class ExportQuery(Query):
    """Which results, and in which form."""

    point_names: Annotated[list[str], _by(_names), _TEXT] | None = Field(
        None, description="Separated by commas; by default all measurements and control inputs."
    )
    start_time: WindowEnd | None = None
    final_time: WindowEnd | None = None
    format: Literal["csv", "parquet"] = Field("csv", description="The form.")


class SessionsQuery(Query):
    """Which sessions, in which order."""

    state: Literal["idle", "busy", "hibernated", "queued", "damaged"] | None = Field(
        None, description="Only sessions in this state."
    )
    search: str = Field("", description="Words in the id, test case, name, tags or controller.")
    sort: str = Field(
        "testid",
        description="testid, created, last_used, name, testcaseid, or kpi: and the name of an indicator; with - before "
        "it the other way round.",
    )
    offset: Annotated[int, _by(_offset), _NUMBER] = Field(0, description="The first session of those, from 0.")
    limit: Count | None = Field(None, description="Most sessions; by default all.")


class JobsQuery(Query):
    """Which jobs."""

    search: str = Field("", description="Words in the id, kind, owner, message or specification.")
    sort: str = Field(
        "-created",
        description="created, finished, kind, status, progress, or kpi: and the name of a figure of the results; with "
        "- before it the other way round.",
    )
    offset: Annotated[int, _by(_offset), _NUMBER] = Field(0, description="The first job of those, from 0.")

    status: Annotated[State, _by(_state), WithJsonSchema({"type": "string", "enum": [*State]})] | None = Field(
        None, description="Only jobs of this status."
    )
    kind: str | None = Field(None, description="Only jobs of this kind.")
    limit: Count = Field(100, description="Most jobs.")


class RunsQuery(Query):
    """Which runs of a sweep, and in which form."""

    select: list[str] = Field(
        [],
        description="A parameter or metric and its value, values or range: name=1, name=1,2, name=1:2; may repeat.",
    )
    run: Annotated[list[int], _by(_runs), WithJsonSchema({"type": "array", "items": {"type": "integer"}})] = Field(
        [], description="The number of a run; may repeat. By default all that match."
    )
    variable: list[str] = Field([], description="A variable whose trajectories are wanted; may repeat.")
    case: str = Field("", description="Of a study with several cases: the name of one.")
    failed: Flag = Field(False, description="Whether the runs are chosen that failed, in place of those that are done.")
    limit: Count = Field(1000, description="Most runs.")
    offset: Annotated[int, _by(_offset), _NUMBER] = Field(0, description="The first run of those chosen, from 0.")
    format: Format | None = Field(None, description="By default what the header Accept prefers.")


def require_few(steps: int) -> None:
    """Refuse more control steps than one request may have, before a session gets it."""
    limit: int = current_app.config["MAX_STEPS"]
    if steps > limit:
        raise InvalidValueError(
            f"Invalid value {steps} for parameter steps. Value must be at most {limit} in one request.", "steps"
        )
