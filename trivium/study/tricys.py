"""Studies in TRICYS' own form: several analysis cases in a file, each a study in ours; docs/how-to/from-tricys.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from trivium.document import listing, read_document
from trivium.errors import InvalidValueError
from trivium.experiment.spec import Finite, Part, Positive
from trivium.study.metrics import LATE, is_time

#: Sections that only TRICYS' files have.
_ANALYSIS, _PROCESSING, _AUDITOR = "sensitivity_analysis", "post_processing", "auditor"
#: Those that are out of scope, and what to do instead.
_REFUSED = {
    "co_simulation": "modules by Aspen and other programs inside a Modelica model are out of scope; couple them as a "
    "case (trivium converge)",
    "foc": "scenarios of operation in a .foc file are out of scope; give the inputs as a table (simulation.inputs)",
}
#: The metric that an auditor is.
_BALANCE = "mass_balance_error"
_METHODS = {
    "final_value": "final",
    "calculate_startup_inventory": "startup_inventory",
    "time_of_turning_point": "turning_point",
    "calculate_doubling_time": "doubling_time",
}
#: What a search goes by, where `metric_name` is no metric that the file defines.
_SOUGHT = {
    "Self_Sufficiency_Time": "turning_point",
    "Doubling_Time": "doubling_time",
    "Startup_Inventory": "startup_inventory",
}
#: How many numbers a distribution has, and how the values of a parameter are written.
_DISTRIBUTIONS = {"unif": (2, "range"), "triang": (3, "triang"), "norm": (2, "norm")} | {
    "truncnorm": (4, "truncnorm"), "lognorm": (2, "lognorm"),
}  # fmt: skip


class Unit(Part):
    """The unit that a quantity is shown in; the model's value is divided by the factor."""

    unit: str
    conversion_factor: Positive = 1.0


class Definition(Part):
    """A metric."""

    source_column: str
    method: Literal[
        "final_value",
        "calculate_startup_inventory",
        "time_of_turning_point",
        "calculate_doubling_time",
        "bisection_search",
    ]
    parameter_to_optimize: str | None = None
    search_range: tuple[Finite, Finite] | None = None
    tolerance: Positive = 1e-3
    max_iterations: int | None = None
    metric_name: str = "Self_Sufficiency_Time"
    metric_max_value: Finite | list[Finite] | None = None

    @model_validator(mode="after")
    def _knows_where_to_search(self) -> Definition:
        if self.is_search and (self.parameter_to_optimize is None or self.search_range is None):
            raise ValueError("bisection_search needs parameter_to_optimize and search_range")
        return self

    @property
    def is_search(self) -> bool:
        """Whether it is the value of a parameter that is sought."""
        return self.method == "bisection_search"

    @property
    def limits(self) -> dict[str, float | None]:
        """Greatest values of the metric that a search goes by, by what its results are called after; None: the end."""
        values = self.metric_max_value
        return {f" {value:g}": value for value in values} if isinstance(values, list) else {"": values}


class Distribution(Part):
    """What a parameter of a sample may be: the bounds are SALib's of that distribution."""

    bounds: list[Finite]
    distribution: Literal["unif", "triang", "norm", "truncnorm", "lognorm"] = "unif"

    @model_validator(mode="after")
    def _has_its_numbers(self) -> Distribution:
        count, _ = _DISTRIBUTIONS[self.distribution]
        if len(self.bounds) != count:
            raise ValueError(f"bounds must be {count} numbers for the distribution {self.distribution}")
        return self

    @property
    def values(self) -> str:
        """The same in the form of a study."""
        return ":".join([_DISTRIBUTIONS[self.distribution][1], *map(repr, self.bounds)])


class Analyzer(Part):
    """How a sample is drawn."""

    method: Literal["sobol", "latin", "morris", "fast"]
    sample_N: Annotated[int, Field(ge=2, le=2**24)]  # noqa: N815 - TRICYS' name

    def sampling(self, parameters: int) -> dict[str, Any]:
        """Return the sampling of a study with so many parameters that vary."""
        method, each = {
            "sobol": ("saltelli", parameters + 2),
            "latin": ("latin_hypercube", 1),
            "morris": ("morris", parameters + 1),
            "fast": ("fast", parameters),
        }[self.method]
        return {"method": method, "runs": each * self.sample_N}


class Case(Part):
    """An analysis: what is varied, and what depends on it."""

    name: Annotated[str, Field(pattern=r"^\w[\w. -]*$")]
    independent_variable: str | list[str]
    independent_variable_sampling: Any
    dependent_variables: list[str] = Field([])
    simulation_parameters: dict[str, Any] = Field({})
    default_simulation_values: dict[str, Any] = Field({})
    analyzer: Analyzer | None = None
    plot_type: Literal["line", "scatter", "bar"] = "line"
    combine_plots: bool = False
    sweep_time: list[str] = Field([])
    ai: bool = False

    @model_validator(mode="after")
    def _is_in_scope(self) -> Case:
        if self.ai:
            raise ValueError('ai: reports by a language model are out of scope; leave out "ai", or set it to false')
        several = isinstance(self.independent_variable, list)
        if several and not isinstance(self.independent_variable_sampling, dict):
            raise ValueError("independent_variable_sampling must name the values of each independent variable")
        if (self.analyzer is not None) != several:
            raise ValueError("analyzer belongs to several independent variables in a list, which need it")
        return self

    def without(self, name: str | None) -> Case:
        """Return the same with a parameter neither varied nor fixed."""
        names = self.independent_variable
        left = [each for each in ([names] if isinstance(names, str) else names) if each != name]
        return self.model_copy(
            update={
                "independent_variable": names if left == [names] else left,
                "analyzer": self.analyzer if left else None,
                "simulation_parameters": _without(self.simulation_parameters, name),
            }
        )


class Analysis(Part):
    """The cases of a file."""

    enabled: bool = True
    analysis_cases: Case | list[Case]
    metrics_definition: dict[str, Definition] = Field({})
    glossary_path: str | None = None
    unit_map: dict[str, Unit] = Field({})


class Processing(Part):
    """A function that is called with the results."""

    module: str
    function: str
    params: dict[str, Any] = Field({})


class Patterns(Part):
    """Names of variables with ``*`` and ``?``: an inventory, rates in and out, and their integrals."""

    inventory: Annotated[list[str], Field(min_length=1)]
    sources: list[str] = Field([])
    leak: list[str] = Field([])
    burn: list[str] = Field([])
    decay: list[str] = Field([])
    cumulative_sources: list[str] = Field([])
    cumulative_leak: list[str] = Field([])
    cumulative_burn: list[str] = Field([])
    cumulative_decay: list[str] = Field([])


class Auditor(Part):
    """The balance of mass of each run, and the errors [g] beyond which it is warned of, or fails; 0 for none."""

    enabled: bool = False
    warn_threshold_g: Annotated[float, Field(ge=0)] = 0.5
    kill_threshold_g: Annotated[float, Field(ge=0)] = 50.0
    patterns: Patterns

    @property
    def metric(self) -> dict[str, Any]:
        """The same as a metric of a study."""
        patterns = self.patterns
        terms = [f"final({_total(patterns.inventory)}) - first({_total(patterns.inventory)})"]
        for sign, rates, integrals in (
            ("-", patterns.sources, patterns.cumulative_sources),
            ("+", patterns.leak, patterns.cumulative_leak),
            ("+", patterns.burn, patterns.cumulative_burn),
            ("+", patterns.decay, patterns.cumulative_decay),
        ):
            terms += [f"{sign} integral({_total(rates)})"] if rates else []
            terms += [f"{sign} final({_total(integrals)})"] if integrals else []
        metric = {"expression": " ".join(terms), "warn": self.warn_threshold_g, "stop": self.kill_threshold_g}
        return {key: value for key, value in metric.items() if value}


def _total(patterns: list[str]) -> str:
    return f"total({', '.join(map(repr, patterns))})"


class Sections(Part):
    """What a file has besides a study."""

    sensitivity_analysis: Analysis | None = None
    auditor: Auditor | None = None
    post_processing: list[Processing] = Field([])


class Translated(Part):
    """A file as studies in our form.

    Attributes
    ----------
    studies : dict of str to dict
        The documents by case; one without a name where the file has no cases.
    units : dict of str to Unit
    processing : list of Processing
    """

    studies: dict[str, dict[str, Any]]
    units: dict[str, Unit] = Field({})
    processing: list[Processing] = Field([])


def translate(path: Path) -> Translated | None:
    """Return a file in TRICYS' form as studies in ours; None where it has no section of TRICYS' alone.

    Raises
    ------
    InvalidValueError
        Naming every field that is wrong, or out of scope.
    """
    content = read_document(path, "study")
    return translate_document(content, path) if isinstance(content, dict) else None


def translate_document(document: dict[str, Any], path: Path) -> Translated | None:
    """Return the same of a document whose file names are relative to the folder of a path.

    Raises
    ------
    InvalidValueError
        Naming every field that is wrong, or out of scope.
    """
    content = dict(document)
    sections_of_tricys = {_ANALYSIS, _PROCESSING, _AUDITOR}
    if not content.keys() & (sections_of_tricys | _REFUSED.keys()):
        return None
    for field, reason in _REFUSED.items():
        if field in content:
            raise InvalidValueError(f"{path.name} cannot be run:\n  {field}: {reason}", field)
    folder = path.parent.absolute()
    own = {key: _with_whole_values(content.pop(key), folder) for key in sections_of_tricys if key in content}
    try:
        sections = Sections.model_validate(own)
    except ValidationError as error:
        raise listing(path, error, Sections, "study") from error
    content = _with_whole_paths(content, folder)
    audit = {_BALANCE: sections.auditor.metric} if sections.auditor is not None and sections.auditor.enabled else {}
    if audit:
        content["metrics"] = {**content.get("metrics", {}), **audit}
    analysis = sections.sensitivity_analysis
    if analysis is None or not analysis.enabled:
        return Translated(studies={"": content}, units={}, processing=sections.post_processing)
    cases = analysis.analysis_cases if isinstance(analysis.analysis_cases, list) else [analysis.analysis_cases]
    _check_cases(analysis, cases)
    studies = {}
    for case in cases:
        studies[case.name] = _study(content, analysis, case)
        for name in case.dependent_variables:
            definition = analysis.metrics_definition[name]
            for suffix, limit in definition.limits.items() if definition.is_search else ():
                studies[f"{case.name} {name}{suffix}"] = _search(content, analysis, case, name, limit)
    return Translated(studies=studies, units=analysis.unit_map, processing=sections.post_processing)


def _check_cases(analysis: Analysis, cases: list[Case]) -> None:
    names = [case.name for case in cases]
    field = f"{_ANALYSIS}.analysis_cases"
    if not names or len(set(names)) < len(names):
        raise InvalidValueError(f"{field}: there must be one or more, each with a name of its own", field)
    for place, case in enumerate(cases):
        for name in case.dependent_variables:
            if name not in analysis.metrics_definition:
                wrong = f"{field}.{place}.dependent_variables"
                defined = ", ".join(analysis.metrics_definition) or "nothing"
                raise InvalidValueError(f"{wrong}: {name} is not in metrics_definition, which defines {defined}", wrong)


def _search(content: dict[str, Any], analysis: Analysis, case: Case, name: str, limit: float | None) -> dict[str, Any]:
    """Return the study that seeks the value of a parameter for each run of a case."""
    sought = analysis.metrics_definition[name]
    field = f"{_ANALYSIS}.metrics_definition.{name}"
    defined = analysis.metrics_definition.get(sought.metric_name)
    method = _SOUGHT.get(sought.metric_name) if defined is None else _METHODS.get(defined.method)
    if method is None:
        names = ", ".join([*_SOUGHT, *(key for key, each in analysis.metrics_definition.items() if not each.is_search)])
        wrong = f"{field}.metric_name"
        raise InvalidValueError(f"{wrong}: there is no metric {sought.metric_name}; there are: {names}", wrong)
    if limit is None and not is_time(method):
        wrong = f"{field}.metric_max_value"
        raise InvalidValueError(f"{wrong}: {sought.metric_name} is no time, and needs a greatest value", wrong)
    parameter, simulation = sought.parameter_to_optimize, content.get("simulation", {})
    simulation = {**simulation, "start_values": _without(simulation.get("start_values", {}), parameter)}
    parameters = _without(content.get("simulation_parameters", {}), parameter)
    content = {**content, "simulation_parameters": parameters, "simulation": simulation}
    study = _study(content, analysis, case.without(parameter))
    start, stop = simulation.get("start_time", 0.0), simulation.get("stop_time", 0.0)
    # a turning point that is no lower bound lies before the last outputs, whatever is asked for
    latest = stop - LATE * (stop - start) if method == "turning_point" else stop
    bound = latest if limit is None else min(limit, latest) if is_time(method) else limit
    return {
        **study,
        "metrics": content.get("metrics", {})
        | {sought.metric_name: {"variable": sought.source_column, "method": method}},
        "output": {"trajectories": False},
        "find": {
            "parameter": parameter,
            "so_that": f"{sought.metric_name} <= {bound!r}",
            "between": sought.search_range,
            "tolerance": sought.tolerance,
        },
    }


def _without(values: dict[str, Any], name: str | None) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}


def _study(content: dict[str, Any], analysis: Analysis, case: Case) -> dict[str, Any]:
    """Return the study of a case."""
    field = f"{_ANALYSIS}.analysis_cases.{case.name}.independent_variable_sampling"
    sampling: dict[str, Any] = {"method": "grid"}
    if isinstance(case.independent_variable, str):
        varied = {case.independent_variable: case.independent_variable_sampling}
    else:
        varied = {}
        for name in case.independent_variable:
            if name not in case.independent_variable_sampling:
                raise InvalidValueError(f"{field}: {name} is missing", field)
            try:
                varied[name] = Distribution.model_validate(case.independent_variable_sampling[name]).values
            except ValidationError as error:
                reason = error.errors()[0]["msg"].removeprefix("Value error, ")
                raise InvalidValueError(f"{field}.{name}: {reason}", f"{field}.{name}") from error
        if case.analyzer is not None:
            sampling = case.analyzer.sampling(len(varied))
    fixed = {**content.get("simulation_parameters", {}), **case.simulation_parameters}
    if sampling["method"] not in ("grid", "latin_hypercube"):
        fixed = {name: value for name, value in fixed.items() if name not in varied}
        several = [name for name, value in fixed.items() if isinstance(value, list | str)]
        if several:
            wrong = f"simulation_parameters.{several[0]}"
            raise InvalidValueError(f"{wrong}: must be one number where an analyzer draws the runs", wrong)
        start_values = {**content["simulation"].get("start_values", {}), **fixed}
        content = {**content, "simulation": {**content["simulation"], "start_values": start_values}}
        fixed = {}
    metrics = {
        name: {"variable": definition.source_column, "method": _METHODS[definition.method]}
        for name, definition in analysis.metrics_definition.items()
        if name in case.dependent_variables and not definition.is_search
    }
    return {
        **content,
        "simulation_parameters": {**fixed, **varied},
        "sampling": sampling,
        "metrics": {**content.get("metrics", {}), **metrics},
    }


def _with_whole_paths(content: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return a document whose file names are whole, so that it may lie anywhere."""
    parameters = _with_whole_values(content.get("simulation_parameters", {}), folder)
    changed: dict[str, Any] = {**content, "simulation_parameters": parameters}
    paths = content.get("paths", {})
    names = {
        key: str(folder / paths[key]) for key in ("package_path", "scratch_dir") if isinstance(paths.get(key), str)
    }
    changed["paths"] = {**{key: value for key, value in paths.items() if value is not None}, **names}
    simulation = content.get("simulation")
    if isinstance(simulation, dict) and isinstance(simulation.get("inputs"), str):
        changed["simulation"] = {**simulation, "inputs": str(folder / simulation["inputs"])}
    return changed


def _with_whole_values(value: Any, folder: Path) -> Any:
    """Return values of parameters with whole names of their files."""
    if isinstance(value, dict):
        values = {key: _with_whole_values(each, folder) for key, each in value.items()}
        table = values.get("file")  # of runs, in place of a parameter
        if isinstance(table, str) and not table.startswith("file:"):
            values["file"] = str(folder / table)
        return values
    if isinstance(value, list):
        return [_with_whole_values(each, folder) for each in value]
    if isinstance(value, str) and re.match(r"\s*file:", value):
        return f"file:{folder / value.strip().removeprefix('file:')}"
    return value
