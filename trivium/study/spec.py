"""A study as its author writes it: a JSON file, checked before anything runs.

The form is that of TRICYS (``paths``, ``simulation``, ``simulation_parameters``), with further fields that all have
defaults; docs/sweep.md lists them. File names are relative to the study's folder.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from trivium import locations
from trivium.control.controller import ControllerName
from trivium.document import listing, read_document
from trivium.errors import InvalidValueError
from trivium.experiment.filter import compiled
from trivium.experiment.spec import Description, Finite, Part, Positive
from trivium.study.expression import Expression
from trivium.study.search.goals import Calibrate, Find, Optimize
from trivium.study.values import Values, elements, parse, parse_texts, table
from trivium.suggestions import near_or_all

#: Most steps of a run, and most of them with an output point.
_MOST_STEPS, _MOST_POINTS = 10**8, 10**7
#: How far a whole number of communication steps may be beside a step, as a part of it.
_SAME = 1e-9


class Paths(Part):
    """Where things are."""

    package_path: Path | None = None
    scratch_dir: Path | None = None


class Simulation(Part):
    """One run."""

    model_name: str | None = None
    variable_filter: str = Field(".*", alias="variableFilter")
    start_time: Finite = 0.0
    stop_time: Finite
    step_size: Positive
    communication_step: Positive | None = None
    tolerance: Positive | None = None
    start_values: dict[str, Finite | str] = Field({})
    inputs: Path | None = None
    interpolate_inputs: bool = False
    time_limit: Positive = 3600.0
    controller: ControllerName = "hold"

    @field_validator("variable_filter")
    @classmethod
    def _is_expression(cls, text: str) -> str:
        compiled(text)
        return text

    @model_validator(mode="after")
    def _has_whole_steps(self) -> Simulation:
        if not self.stop_time > self.start_time:
            raise ValueError("stop_time must be after start_time")
        if not self.duration / self.step_size <= _MOST_POINTS:
            raise ValueError(f"step_size makes more than {_MOST_POINTS} steps of the duration {self.duration:g}")
        if abs(self.steps * self.step_size - self.duration) > 1e-6 * self.step_size:
            raise ValueError(f"step_size must divide the duration {self.duration:g}: outputs are whole steps apart")
        if abs(self.divisions * (self.communication_step or self.step_size) - self.step_size) > _SAME * self.step_size:
            near = self.step_size / max(1, self.divisions)
            raise ValueError(
                f"communication_step must divide step_size {self.step_size:g} into whole parts; {near:g} does"
            )
        if not self.steps * self.divisions <= _MOST_STEPS:
            raise ValueError(
                f"communication_step makes more than {_MOST_STEPS} steps of the duration {self.duration:g}"
            )
        return self

    @property
    def duration(self) -> float:
        """Return how long a run is, in the FMU's unit of time."""
        return self.stop_time - self.start_time

    @property
    def steps(self) -> int:
        """Return the number of steps; there is one output point more."""
        return max(1, round(self.duration / self.step_size))

    @property
    def divisions(self) -> int:
        """Return the number of communication steps in a step; 0 where one is longer than a step and does not fit."""
        return 1 if self.communication_step is None else round(self.step_size / self.communication_step)


class Sampling(Part):
    """How the values of parameters make runs."""

    method: Literal["grid", "zip", "latin_hypercube", "sobol", "saltelli", "morris", "fast"] = "grid"
    runs: Annotated[int, Field(ge=1, le=2**31)] | None = None
    seed: Annotated[int, Field(ge=0)] = 0
    groups: dict[str, Annotated[list[str], Field(min_length=1)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_groups_apart(self) -> Sampling:
        if self.groups and self.method not in ("saltelli", "morris"):
            raise ValueError("groups belong to saltelli and morris")
        members = [name for group in self.groups.values() for name in group]
        twice = [name for name in members if members.count(name) > 1]
        if twice:
            raise ValueError(f"groups: {twice[0]} is in two groups")
        return self

    def labels(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the group of each parameter; one in no group is a group of its own name.

        Raises
        ------
        InvalidValueError
            When a group has what is no parameter, or is called as a parameter outside it.
        """
        group_of = {name: group for group, members in self.groups.items() for name in members}
        for name, group in group_of.items():
            field = f"sampling.groups.{group}"
            if name not in names:
                raise InvalidValueError(f"{field}: there is no parameter {name}.{near_or_all(name, names)}", field)
            if group in names and group_of.get(group) != group:
                raise InvalidValueError(f"{field}: is called as a parameter that is not in it", field)
        return tuple(group_of.get(name, name) for name in names)


class Metric(Part):
    """A number that trajectories are reduced to; see `trivium.study.metrics` and `trivium.study.expression`."""

    variable: str = ""
    method: Literal[
        "final",
        "min",
        "max",
        "mean",
        "time_of_min",
        "time_of_max",
        "time_above",
        "time_below",
        "startup_inventory",
        "self_sufficiency_time",
        "turning_point",
        "doubling_time",
        "kpi",
        "output",
        "expression",
    ]
    threshold: Finite | None = None
    expression: str | None = None
    warn: Positive | None = None
    stop: Positive | None = None

    @model_validator(mode="before")
    @classmethod
    def _has_method(cls, content: Any) -> Any:
        """Let an expression be its own method."""
        return {"method": "expression", **content} if isinstance(content, dict) and "expression" in content else content

    @field_validator("expression")
    @classmethod
    def _is_expression(cls, text: str | None) -> str | None:
        if text is not None:
            Expression(text)
        return text

    @model_validator(mode="after")
    def _has_one_source(self) -> Metric:
        by_expression = self.expression is not None
        if by_expression != (self.method == "expression") or by_expression == bool(self.variable):
            raise ValueError("a metric has a variable and a method, or an expression alone")
        return self

    @model_validator(mode="after")
    def _has_threshold(self) -> Metric:
        if (self.threshold is None) == (self.method in ("time_above", "time_below")):
            raise ValueError("threshold belongs to time_above and time_below, which need it")
        return self


class Output(Part):
    """What is kept of a run."""

    trajectories: bool = True
    dtype: Literal["float32", "float64"] = "float32"
    absolute_error: Positive | None = None
    runs_per_part: Annotated[int, Field(ge=1, le=2**20)] | None = None


class Study(Part):
    """A study; `load_study` reads one. It is of a model under `simulation`, or of another `experiment`."""

    testcase: str | None = None
    paths: Paths = Paths()
    experiment: Description | Path | None = None
    simulation: Simulation | None = None
    simulation_parameters: dict[str, Any] = Field({})
    sampling: Sampling = Sampling()
    metrics: dict[str, Metric] = Field({})
    output: Output = Output()
    find: Find | None = None
    optimize: Optimize | None = None
    calibrate: Calibrate | None = None
    max_concurrent: Annotated[int, Field(ge=1)] | None = None

    @field_validator("simulation_parameters")
    @classmethod
    def _has_single_elements(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        return elements(parameters)

    @model_validator(mode="before")
    @classmethod
    def _goes_by_rows(cls, content: Any) -> Any:
        """Zip the columns of a table of runs, where the study names no other way."""
        parameters = content.get("simulation_parameters") if isinstance(content, dict) else None
        if isinstance(parameters, dict) and isinstance(parameters.get("file"), str):
            return {"sampling": {"method": "zip"}, **content}
        return content

    @model_validator(mode="after")
    def _has_one_plan(self) -> Study:
        if self.table is not None and self.sampling.method != "zip":
            raise ValueError("sampling.method: a table of runs, simulation_parameters.file, is zipped")
        return self

    @model_validator(mode="after")
    def _has_one_goal(self) -> Study:
        goals = [name for name in ("find", "optimize", "calibrate") if getattr(self, name) is not None]
        if len(goals) > 1:
            raise ValueError(f"{goals[1]}: a study has one goal; leave out {goals[0]}, or {goals[1]}")
        if self.calibrate is not None and (self.simulation is None or not self.simulation_parameters):
            raise ValueError("calibrate: belongs to a model with simulation and simulation_parameters")
        if self.chooses and self.sampling != Sampling():
            raise ValueError(f"sampling: {goals[0]} chooses the runs itself; leave sampling out")
        return self

    @model_validator(mode="after")
    def _names_a_model(self) -> Study:
        named = self.testcase is not None, self.paths.package_path is not None, self.experiment is not None
        if sum(named) != 1:
            raise ValueError(
                'name the model once: by "testcase": "cooling", or by paths.package_path; or describe an experiment'
            )
        if (self.simulation is None) == (self.experiment is None):
            raise ValueError("simulation belongs to a model, which needs it, and not to an experiment")
        return self

    @model_validator(mode="after")
    def _knows_the_test_case(self, _: ValidationInfo) -> Study:
        if self.testcase is not None and self.testcase not in locations.TESTCASES:
            shipped = ", ".join(locations.TESTCASES)
            raise ValueError(f"testcase must be one of: {shipped}; a folder or file is named by paths.package_path")
        return self

    @property
    def chooses(self) -> bool:
        """Whether all parameters are chosen by a search."""
        return self.optimize is not None or self.calibrate is not None

    @property
    def searched(self) -> dict[str, Values]:
        """Return the parameters that are no part of the plan, because a search chooses their values."""
        return {} if self.find is None else {self.find.parameter: Values(None, *self.find.between)}

    @property
    def table(self) -> str | None:
        """File of a table whose columns are parameters and whose rows are runs; None where values make the runs."""
        source = self.simulation_parameters.get("file")
        return source if isinstance(source, str) else None

    @property
    def package(self) -> Path:
        """Where the model is: an FMU, a Modelica package, or the folder of a test case."""
        if self.testcase is not None:
            return locations.shipped_testcase(self.testcase)
        assert self.paths.package_path is not None  # noqa: S101, the validator's
        return self.paths.package_path

    def values(self, folder: Path, texts: Collection[str] = ()) -> dict[str, Values]:
        """Return the values of all parameters.

        Parameters
        ----------
        folder : Path
            What file names are relative to.
        texts : collection of str
            Those that are texts.

        Raises
        ------
        InvalidValueError
            Naming every parameter whose values cannot be read.
        """
        parsed: dict[str, Values] = {}
        wrong: list[InvalidValueError] = []
        parameters = dict(self.simulation_parameters)
        if self.table is not None:
            if "file" in texts:
                field = "simulation_parameters.file"
                raise InvalidValueError(f"{field}: names a table of runs; write a text of the model as a list", field)
            del parameters["file"]
            parameters = {**table(self.table, folder), **parameters}
        for name, values in parameters.items():
            try:
                if name in texts:
                    parsed[name] = parse_texts(values, name)
                else:
                    parsed[name] = parse(values, name, folder, self.sampling.seed)
            except InvalidValueError as error:
                wrong.append(error)
        raise_all(wrong)
        return parsed


def load_study(path: Path) -> Study:
    """Read a study; file names come back as whole paths.

    Raises
    ------
    InvalidValueError
        Naming every field that is wrong.
    """
    content = read_document(path, "study")
    if isinstance(content, dict) and "components" in content:
        raise InvalidValueError(f"{path} is a coupled case, not a study; run it with: trivium converge {path}", "study")
    try:
        study = Study.model_validate(content)
    except ValidationError as error:
        raise listing(path, error, Study, "study") from error
    folder = path.parent.absolute()

    def absolute(name: Path | None) -> Path | None:
        return None if name is None else folder / name

    paths = study.paths.model_copy(
        update={"package_path": absolute(study.paths.package_path), "scratch_dir": absolute(study.paths.scratch_dir)}
    )
    changes: dict[str, Any] = {"paths": paths}
    if study.simulation is not None:
        changes["simulation"] = study.simulation.model_copy(update={"inputs": absolute(study.simulation.inputs)})
    if study.calibrate is not None:
        changes["calibrate"] = study.calibrate.model_copy(update={"data": absolute(study.calibrate.data)})
    if isinstance(study.experiment, Path):
        changes["experiment"] = absolute(study.experiment)
    return study.model_copy(update=changes)


def load_description(path: Path) -> Description:
    """Read the description of an experiment from a file of its own.

    Raises
    ------
    InvalidValueError
        Naming every field that is wrong.
    """
    try:
        return _Experiment.model_validate({"experiment": read_document(path, "experiment")}).experiment
    except ValidationError as error:
        raise listing(path, error, _Experiment, "experiment") from error


class _Experiment(Part):
    experiment: Description


def raise_all(wrong: list[InvalidValueError]) -> None:
    """Raise what was found wrong, all of it in one error.

    Raises
    ------
    InvalidValueError
        Unless nothing was.
    """
    if wrong:
        raise InvalidValueError("\n".join(str(error) for error in wrong), wrong[0].field)
