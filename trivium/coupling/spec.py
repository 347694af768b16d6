"""A coupled case as its author writes it: a JSON file, checked before anything runs; docs/coupling.md has the form."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from trivium import locations
from trivium.control.controller import ControllerName
from trivium.coupling.component import Coordinate
from trivium.coupling.transform import Transform, references
from trivium.document import CALLABLE, END, NAME, listing, read_document, wrong_fields
from trivium.errors import InvalidValueError

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Alpha = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=NAME)]
End = Annotated[str, Field(pattern=END)]
Callable = Annotated[str, Field(pattern=CALLABLE)]
MethodName = Literal["constant", "aitken", "anderson", "iqn-ils"]
#: A number, or lists of numbers in lists, which are looked at when the shape is known.
Numbers = Finite | list[Any]

#: What the seed has: the tolerance and the most iterations where a case does not say.
TOLERANCE, ITERATIONS = 1e-4, 20
#: A list, or a number n that stands for 0 to n - 1.
Coordinates = Annotated[
    list[Coordinate],
    Field(min_length=1, max_length=10**6),
    BeforeValidator(lambda given: list(range(given)) if type(given) is int and 0 < given <= 10**6 else given),
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Output(_Part):
    """An output; what is None comes from the component's description, where it has one."""

    unit: str | None = None
    dims: dict[Name, Coordinates] | None = None
    lower: Finite | None = None
    upper: Finite | None = None


class Input(Output):
    """An input, with its value at the start and its tolerances."""

    initial: Numbers | None = None
    absolute: NotNegative = 0.0
    relative: NotNegative | None = None
    scale: Positive | None = None


class _Component(_Part):
    inputs: dict[Name, Input] = {}
    outputs: dict[Name, Output] = {}
    timeout: Positive = 3600.0
    deterministic: bool = True


class Python(_Component):
    """A Python callable."""

    kind: Literal["python"]
    function: Callable = Field(alias="callable")
    describe: Callable | None = None
    options: dict[str, Any] = {}
    files: list[str] = []
    process: bool = True


class Process(_Component):
    """An external program."""

    kind: Literal["process"]
    argv: Annotated[list[str], Field(min_length=1)]
    files: list[str] = []
    input_files: dict[str, list[str]] | None = None
    output_files: dict[str, list[str]] | None = None

    @model_validator(mode="after")
    def _has_forms(self) -> Process:
        for given, known, field in (
            (self.input_files, self.inputs, "input_files"),
            (self.output_files, self.outputs, "output_files"),
        ):
            for name, variables in (given or {}).items():
                ending = PurePosixPath(name).suffix
                if ending not in (".json", ".npz", ".csv"):
                    raise ValueError(f"{field}: {name} must end in .json, .npz or .csv")
                if ending == ".csv" and len(variables) != 1:
                    raise ValueError(f"{field}: {name} holds one variable, as every .csv")
                unknown = [one for one in variables if one not in known]
                if unknown:
                    raise ValueError(f"{field}: {name} names {unknown[0]}, which is no variable of the component")
            listed = [one for variables in (given or {}).values() for one in variables]
            if given is not None and field == "output_files" and sorted(listed) != sorted(known):
                raise ValueError("output_files must name every output once")
        return self


class PlantInput(Input):
    """What an input of a plant sets: by default what is called as it."""

    sets: str | None = None


class PlantOutput(Output):
    """What an output of a plant is made of: by default of what is called as it."""

    of: Annotated[list[str], Field(min_length=1)] | None = None
    method: Literal["kpi", "series", "mean", "min", "max", "final"] = "kpi"


class Plant(_Component):
    """A test case or an FMU alone over a horizon."""

    kind: Literal["testcase", "fmu"]
    testcase: str | None = None
    path: str | None = None
    start_time: NotNegative = 0.0
    end_time: Positive
    step: Positive | None = None
    controller: ControllerName = "hold"
    inputs: dict[Name, PlantInput] = {}  # type: ignore[assignment]  # narrower, and nothing is assigned
    outputs: dict[Name, PlantOutput] = {}  # type: ignore[assignment]

    @model_validator(mode="after")
    def _fits(self) -> Plant:
        if not self.end_time > self.start_time:
            raise ValueError("end_time must be after start_time")
        if self.kind == "fmu" and (self.path is None or self.testcase is not None):
            raise ValueError("path must name the FMU")
        if self.testcase is not None and self.path is not None:
            raise ValueError("testcase and path name the model twice")
        if self.testcase is not None and self.testcase not in locations.TESTCASES:
            raise ValueError(f"testcase must be one of: {', '.join(locations.TESTCASES)}; path names a folder")
        for name, output in self.outputs.items():
            if len(output.dims or {}) != (output.method == "series"):
                raise ValueError(f"outputs.{name}: a series has one dimension, anything else has none")
            if output.method == "kpi" and output.of is not None and len(output.of) != 1:
                raise ValueError(f"outputs.{name}: an indicator is of one name")
        return self


Component = Annotated[Python | Process | Plant, Field(discriminator="kind")]


class Connection(_Part):
    """An output that becomes an input, perhaps after transforms; `alive` says that it must respond."""

    source: End = Field(alias="from")
    target: End = Field(alias="to")
    transform: list[Transform] = []
    alive: bool = True

    @property
    def sources(self) -> tuple[str, ...]:
        """All outputs that the value is made of, as ``component.output``."""
        return tuple(dict.fromkeys((self.source, *references(self.transform))))


class Case(_Part):
    """A coupled case; `load_case` reads one."""

    components: Annotated[dict[Name, Component], Field(min_length=1)]
    connections: list[Connection] = []
    scheme: Literal["gauss-seidel", "jacobi"] = "gauss-seidel"
    method: MethodName | None = None
    alpha: Alpha | None = None
    depth: Annotated[int, Field(ge=1, le=100)] = 5
    tolerance: Positive = TOLERANCE
    max_iterations: Annotated[int, Field(ge=1, le=10**6)] = ITERATIONS
    patience: Annotated[int, Field(ge=2, le=10**6)] = 8
    probe: Annotated[float, Field(gt=0, lt=1)] = 0.1
    description: str = ""

    @model_validator(mode="after")
    def _is_connected(self) -> Case:
        taken: set[str] = set()
        for place, one in enumerate(self.connections):
            for end in (*one.sources, one.target):
                if end.partition(".")[0] not in self.components:
                    raise ValueError(f"connections.{place}: there is no component {end.partition('.')[0]}")
            if one.target in taken:
                raise ValueError(f"connections.{place}: {one.target} has a connection already")
            taken.add(one.target)
        return self

    def with_settings(self, **given: Any) -> Case:
        """Return the case with other settings; those that are None stay as they are.

        Raises
        ------
        InvalidValueError
            Naming the field that is wrong.
        """
        chosen = {name: value for name, value in given.items() if value is not None}
        if "alpha" in chosen and "method" not in chosen:  # as where a case says alpha alone
            chosen["method"] = "constant"
        try:
            return Case.model_validate({**self.model_dump(by_alias=True), **chosen})
        except ValidationError as error:
            field, reason = next(wrong_fields(error, Case))
            raise InvalidValueError(f"{field or 'case'}: {reason}", field or "case") from error


def load_case(path: Path) -> Case:
    """Read a case.

    Parameters
    ----------
    path : Path
        The file, or the folder that has it as ``case.json``.

    Raises
    ------
    InvalidValueError
        Naming every field that is wrong.
    """
    content = read_document(case_file(path), "case")
    if isinstance(content, dict) and "simulation" in content:
        raise InvalidValueError(f"{path} is a study, not a coupled case; run it with: trivium sweep {path}", "case")
    try:
        return Case.model_validate(content)
    except ValidationError as error:
        raise listing(path, error, Case, "case") from error


def case_file(path: Path) -> Path:
    """Return the file of a case that is named by its file or folder."""
    return path / "case.json" if path.is_dir() else path
