"""Types of the replies' payloads, as pydantic models; tests hold the replies to them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from trivium import glossary

Number = Annotated[float, Field(allow_inf_nan=False)]
Time = Annotated[Number, Field(description="[s]")]


class _Reply(BaseModel):
    """A part of a reply; no other fields are there."""

    model_config = ConfigDict(extra="forbid")


class Version(_Reply):
    """Version of the test case."""

    version: str


class Name(_Reply):
    """Name of the test case."""

    name: str


class Point(_Reply):
    """A variable."""

    Unit: str | None
    Description: str | None
    Minimum: Number | None
    Maximum: Number | None
    Items: Annotated[dict[str, Number] | None, Field(description="Of an enumeration: values by names.")] = None


class LinearPoint(_Reply):
    """A variable of a linear model."""

    Unit: str
    Description: str


class ForecastPoint(_Reply):
    """A point of a forecast; bounds where it has some."""

    Unit: str
    Description: str
    Minimum: Number | None = None
    Maximum: Number | None = None


class Parameter(Point):
    """A variable that may be set before an initialization."""

    Start: Number | str | bool | None
    Type: str
    Tunable: Annotated[bool, Field(description="Whether /advance may change it too.")]


class RecordedPoint(Point):
    """A variable that results may hold."""

    Causality: str


class Declaration(_Reply):
    """A variable as the model description declares it."""

    causality: str
    variability: str
    type: str
    unit: str
    start: Number | str | bool | None
    minimum: Number | None
    maximum: Number | None
    description: str


class Experiment(_Reply):
    """The default experiment that an FMU proposes."""

    start: Number | None
    stop: Number | None
    step: Number | None
    tolerance: Number | None


class Run(_Reply):
    """How an FMU is run."""

    engine: str
    interface: Literal["cs", "me"]
    tolerance: Number | None
    inputs: int
    measured: Annotated[int, Field(description="Measurements.")]
    recorded: Annotated[int, Field(description="Variables that are recorded at each row, measurements included.")]
    structural: Annotated[dict[str, int], Field(description="Structural parameters that were chosen.")]


class Qualified(_Reply):
    """What an FMU really does with its state."""

    verdict: Literal["exact", "inexact", "replay", "fresh"]
    isolated: Annotated[bool, Field(description="Whether each initialization gets a process of its own.")]
    restores: Annotated[bool, Field(description="Whether states are restored; otherwise steps are simulated again.")]
    reason: Annotated[str, Field(description="Why the verdict is no better.")]
    jumps: Annotated[list[str], Field(description="Outputs that are not continuous at communication points.")]
    decided: Annotated[bool, Field(description="False where the FMU is qualified again at the next load.")]


class Fmu(_Reply):
    """An FMU."""

    file: str
    name: str
    description: str
    version: str
    author: str
    tool: str
    date: str
    fmi: Annotated[str, Field(description="Version of FMI.")]
    kinds: Annotated[dict[str, dict[str, Number | str | bool]], Field(description="Capabilities by interface.")]
    platforms: list[str]
    experiment: Experiment
    states: int
    indicators: int
    units: Annotated[dict[str, str], Field(description="Base units by unit; empty where none are declared.")]
    counts: Annotated[dict[str, int], Field(description="Variables by causality.")]
    variables: dict[str, Declaration]
    findings: Annotated[list[str] | None, Field(description="What fmpy validate finds wrong.")]
    run: Run
    qualification: Qualified


class Indicator(_Reply):
    """A key performance indicator."""

    Unit: str
    Description: str


class Alarm(_Reply):
    """One occurrence of an alarm."""

    name: str
    text: str
    priority: Literal["high", "medium", "low"]
    points: Annotated[list[str], Field(description="What it looks at.")]
    unit: Annotated[str, Field(description="Of the values and the limit.")]
    active: Annotated[bool, Field(description="Whether the limit is exceeded now.")]
    since: Annotated[Time, Field(description="From when on the limit was exceeded [s].")]
    raised: Annotated[Time, Field(description="When that had lasted for the delay [s].")]
    until: Annotated[Time | None, Field(description="From when on it was not exceeded any more [s].")]
    value: Annotated[Number | None, Field(description="Now, or at the end; null for what is no number.")]
    limit: Annotated[Number | None, Field(description="That the value is held against.")]
    worst: Annotated[Number, Field(description="The value that was farthest beyond its limit.")]
    acknowledged_by: Annotated[str | None, Field(description="Null where nobody did; empty for nobody by name.")]
    acknowledged_at: Annotated[Number | None, Field(description="[s since 1970]")]


class ControlStep(_Reply):
    """The control step."""

    step: Number


class Proof(_Reply):
    """How a copy of the plant was stepped."""

    steps: int
    seconds: Number
    restore: Literal["exact", "inexact", "none"]
    difference: Number | None


class Ready(_Reply):
    """When the plant was last stepped for proof."""

    seconds_ago: Number


class Failure(_Reply):
    """The step that failed."""

    step: int
    status: int
    message: str


#: Values by name; ``time`` [s] among them where there is a test id; texts where outputs are texts.
Values = dict[str, Number | str | None]
#: Columns by name, ``time`` [s] among them.
Columns = dict[str, list[Number | None]]


class Steps(_Reply):
    """Many control steps."""

    steps: int
    error: Failure | None
    columns: Columns


Matrix = list[list[Number]]
LinearPoints = dict[str, LinearPoint]


class Linearization(_Reply):
    """A linear model about a moment; docs/linearize.md has its equations."""

    kind: Literal["continuous", "discrete"]
    method: Annotated[
        Literal["directional", "differences", "steps"], Field(description="Where the derivatives come from.")
    ]
    time: Time
    step: Annotated[Number | None, Field(description="Of the discrete kind [s].")]
    misfit: Annotated[Number, Field(description="Of identified states: largest relative error of a response.")]
    states: LinearPoints
    inputs: LinearPoints
    disturbances: LinearPoints
    outputs: LinearPoints
    A: Annotated[Matrix, Field(description="[state, state]")]
    B: Annotated[Matrix, Field(description="[state, input]")]
    C: Annotated[Matrix, Field(description="[output, state]")]
    D: Annotated[Matrix, Field(description="[output, input]")]
    E: Annotated[Matrix, Field(description="[state, disturbance]")]
    F: Annotated[Matrix, Field(description="[output, disturbance]")]
    x: list[Number]
    u: list[Number]
    d: list[Number]
    y: list[Number]
    dx: list[Number]
    free: Annotated[Matrix, Field(description="[step, output] under unchanged inputs, where states are identified.")]


class Snapshot(_Reply):
    """A stored state."""

    snapshot: str


class Override(_Reply):
    """An input that is set by hand."""

    value: Number
    until: Annotated[Time | None, Field(description="The last step that it acts in begins before; null for no end.")]
    since: Annotated[Time, Field(description="Clock when it was set [s].")]
    who: Annotated[str | None, Field(description="Name of the token of who set it; null where none is needed.")]
    when: Annotated[Number, Field(description="When that was, since 1970 [s].")]


#: Inputs that are set by hand, by name.
Overrides = dict[str, Override]


class StoredSnapshot(Snapshot):
    """A stored state, and what it takes."""

    created: Annotated[Number, Field(description="Since 1970 [s].")]
    size: Annotated[int, Field(description="What its removal frees on the disk at most [bytes].")]
    time: Annotated[Time | None, Field(description="Clock in it [s]; null where an earlier version stored it.")]


class Event(_Reply):
    """Something that happened in a session."""

    time: Annotated[Number, Field(description="Clock of the session then [s].")]
    kind: str
    text: str
    created: Annotated[Number, Field(description="Since 1970 [s].")]


class Clock(_Reply):
    """The clock of a session."""

    time: Time


class Removed(_Reply):
    """A test case that was removed."""

    testcaseid: str
    stopped: Annotated[int, Field(description="Sessions of it that were ended.")]


class TestId(_Reply):
    """A session."""

    testid: str


class TestCaseId(_Reply):
    """A test case."""

    testcaseid: str


class Stopped(_Reply):
    """How many sessions ended."""

    stopped: int


class SessionAbout(_Reply):
    """A session and its clock."""

    testid: str
    testcaseid: str | None
    created: Annotated[Number | None, Field(description="Since 1970 [s].")]
    last_used: Annotated[Number, Field(description="When the last request was done, since 1970 [s].")]
    owner: Annotated[str | None, Field(description="Name of the token that made it.")]
    default: bool
    time: Time
    state: Annotated[
        Literal["idle", "busy", "hibernated", "queued", "damaged"],
        Field(description=glossary.sentence(glossary.SESSIONS)),
    ]
    damage: Annotated[str | None, Field(description="Why it is refused; see docs/sessions.md.")]
    confined: Annotated[
        str | None,
        Field(description="In what its process is confined, where the FMU was uploaded: files, network."),
    ]
    memory: Annotated[int, Field(description="Of its process [bytes].")]
    revision: Annotated[int, Field(description="Grows with each change of the simulation.")]
    name: str
    tags: list[str]
    notes: str
    baseline_of: Annotated[str | None, Field(description="Id of the session whose baseline it is.")]
    controller: Annotated[str, Field(description="What drives the present test, as a run or a client noted.")]
    parent: Annotated[str | None, Field(description="Id of the session that it was forked from.")]
    forked_at: Annotated[Time | None, Field(description="Clock where it was forked [s].")]
    scenario: Annotated[dict[str, Any] | None, Field(description="Parts that are chosen; null before a request.")]
    overrides: Overrides


class Fault(_Reply):
    """A fault in the boundary data."""

    kind: Literal["condition", "wear"]
    signal: str
    start: Time
    end: Time
    size: Number


class Scenario(_Reply):
    """A scenario; what a test case does not have is null."""

    electricity_price: str | None
    time_period: str | None
    temperature_uncertainty: str | None
    solar_uncertainty: str | None
    seed: int | None
    faults: Annotated[list[Fault] | None, Field(description="Left out where there are none.")] = None


class ScenarioSet(_Reply):
    """What was set; for a time period the initial values."""

    electricity_price: str | None
    time_period: str | Values | None
    temperature_uncertainty: str | None
    solar_uncertainty: str | None
    seed: int | None
    faults: Annotated[list[Fault] | None, Field(description="Left out where there are none.")] = None


class Index(_Reply):
    """What there is."""

    routes: dict[str, str]
    try_: Annotated[str, Field(alias="try")]


class Accepted(_Reply):
    """A job that was accepted."""

    status: Literal["Running"]
    task_id: str
    message: str


Figure = Number | str | bool | None


class JobStatus(_Reply):
    """How far a job is."""

    task_id: str
    kind: str
    owner: Annotated[str | None, Field(description="Name of the token that submitted it.")]
    status: Annotated[
        Literal["Pending", "Running", "Success", "Error", "Cancelled"],
        Field(description=glossary.sentence(glossary.JOBS)),
    ]
    message: str
    progress: Annotated[Number | None, Field(ge=0, le=1)]
    iterations_run: int | None
    convergence_delta: Number | None
    outcome: str | None
    output_locations: dict[str, str]
    error: str | None
    counts: dict[str, Figure]
    results: dict[str, Figure]
    attempts: int
    cancelling: bool
    created: str | None
    started: str | None
    finished: str | None


class KindAbout(_Reply):
    """A kind of job; without a schema where its extra is not installed."""

    about: str
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")]


class JobResults(_Reply):
    """Figures and files that a job made."""

    results: dict[str, Figure]
    files: Annotated[dict[str, int | None], Field(description="Sizes [bytes].")]
    outcome: str | None


class Runs(BaseModel):
    """Some runs of a sweep: columns of as many values as there are runs."""

    total: Annotated[int, Field(description="How many runs the selection has.")]
    offset: int
    run: list[int]
    parameters: Columns
    metrics: Columns
    warnings: Annotated[list[str], Field(description="Metrics beyond their limits.")]
    reasons: Annotated[dict[str, str] | None, Field(description="Why runs failed, by run.")] = None
    time: list[Number] | None = None
    trajectories: Annotated[
        dict[str, list[list[Number | None]]] | None,
        Field(description="[run, time]; null from where a run failed on"),
    ] = None


class WrongTestId(_Reply):
    """A test id that no session has, as BOPTEST reports it."""

    value: str
    msg: str
    param: Literal["testid"]
    location: Literal["params"]
