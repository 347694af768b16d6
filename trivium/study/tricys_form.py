"""What files in TRICYS' own form hold besides a study: analysis cases, metrics, an auditor, functions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from trivium.experiment.spec import Finite, Part, Positive

#: How many numbers a distribution has, and how the values of a parameter are written.
_DISTRIBUTIONS = {"unif": (2, "range"), "triang": (3, "triang"), "norm": (2, "norm")} | {
    "truncnorm": (4, "truncnorm"), "lognorm": (2, "lognorm"),
}  # fmt: skip


def without(values: dict[str, Any], name: str | None) -> dict[str, Any]:
    """Return all values but one."""
    return {key: value for key, value in values.items() if key != name}


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
                "simulation_parameters": without(self.simulation_parameters, name),
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
