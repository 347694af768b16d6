"""Experiments as their authors describe them: JSON objects of one ``kind``, checked before anything runs.

docs/coupling.md lists the fields. A description is a component of a coupled case, or what a study sweeps.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from trivium import locations
from trivium.control.controller import ControllerName
from trivium.document import CALLABLE, NAME
from trivium.model.variable import Coordinate

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=NAME)]
Callable = Annotated[str, Field(pattern=CALLABLE)]
#: A number, or lists of numbers in lists, which are looked at when the shape is known.
Numbers = Finite | list[Any]
#: A list, or a number n that stands for 0 to n - 1.
Coordinates = Annotated[
    list[Coordinate],
    Field(min_length=1, max_length=10**6),
    BeforeValidator(lambda value: list(range(value)) if type(value) is int and 0 < value <= 10**6 else value),
]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Part(BaseModel):
    """A part of a document: no other fields than its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Output(Part):
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


class _Described(Part):
    inputs: dict[Name, Input] = {}
    outputs: dict[Name, Output] = {}
    timeout: Positive = 3600.0
    deterministic: bool = True


class Python(_Described):
    """A Python callable.

    `interpreter` is a Python of another environment, by path or as the beginning of a command; `publish` is called once
    with the inputs of the fixed point.
    """

    kind: Literal["python"]
    function: Callable = Field(alias="callable")
    describe: Callable | None = None
    publish: Callable | None = None
    interpreter: Annotated[list[str], Field(min_length=1), BeforeValidator(_listed)] | None = None
    options: dict[str, Any] = {}
    files: list[str] = []
    packages: list[str] = []
    process: bool = True

    @model_validator(mode="after")
    def _runs_apart(self) -> Python:
        if self.interpreter is not None and not self.process:
            raise ValueError("interpreter needs a process of its own")
        return self


class Process(_Described):
    """An external program."""

    kind: Literal["process"]
    argv: Annotated[list[str], Field(min_length=1)]
    files: list[str] = []
    input_files: dict[str, list[str]] | None = None
    output_files: dict[str, list[str]] | None = None

    @model_validator(mode="after")
    def _has_forms(self) -> Process:
        for files, declared, field in (
            (self.input_files, self.inputs, "input_files"),
            (self.output_files, self.outputs, "output_files"),
        ):
            for name, variables in (files or {}).items():
                ending = PurePosixPath(name).suffix
                if ending not in (".json", ".npz", ".csv"):
                    raise ValueError(f"{field}: {name} must end in .json, .npz or .csv")
                if ending == ".csv" and len(variables) != 1:
                    raise ValueError(f"{field}: {name} holds one variable, as every .csv")
                unknown = [variable for variable in variables if variable not in declared]
                if unknown:
                    raise ValueError(f"{field}: {name} names {unknown[0]}, which is no variable of the component")
            listed = [variable for variables in (files or {}).values() for variable in variables]
            if files is not None and field == "output_files" and sorted(listed) != sorted(declared):
                raise ValueError("output_files must name every output once")
        return self


class SimulatedInput(Input):
    """What an input of a plant sets: by default what is called as it."""

    sets: str | None = None


class SimulatedOutput(Output):
    """What an output of a plant is made of: by default of what is called as it."""

    of: Annotated[list[str], Field(min_length=1)] | None = None
    method: Literal["kpi", "series", "mean", "min", "max", "final"] = "kpi"


class Simulated(_Described):
    """A test case or an FMU alone over a horizon."""

    kind: Literal["testcase", "fmu"]
    testcase: str | None = None
    path: str | None = None
    start_time: NotNegative = 0.0
    end_time: Positive
    step: Positive | None = None
    controller: ControllerName = "hold"
    inputs: dict[Name, SimulatedInput] = {}  # type: ignore[assignment]  # narrower, and nothing is assigned
    outputs: dict[Name, SimulatedOutput] = {}  # type: ignore[assignment]

    @model_validator(mode="after")
    def _fits(self) -> Simulated:
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


class Coupled(Part):
    """A coupled case, solved to its fixed point: its constants as inputs, all outputs of its components as outputs."""

    kind: Literal["coupled"]
    path: str
    timeout: Positive = 3600.0
    warm: bool = False
    sensitivity_to: list[str] = []


class Muio(_Described):
    """A case of MUIO or MUIOGO: its folder, one of its runs, and how it is solved; `options` are an energy model's."""

    kind: Literal["muio"]
    case: str
    run: str | None = None
    model: str | None = None
    solver: Literal["cbc", "glpsol", "highs"] = "cbc"
    server: str | None = None
    copy_to: str | None = None
    options: dict[str, Any] = {}


#: What may be a component of a coupled case.
Component = Annotated[Python | Process | Simulated | Muio, Field(discriminator="kind")]
#: What may be swept: a function of numbers, whatever computes it.
Description = Annotated[Python | Process | Simulated | Muio | Coupled, Field(discriminator="kind")]
