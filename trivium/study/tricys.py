"""Files in TRICYS' form as studies in ours: each analysis case is one; docs/how-to/from-tricys.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from trivium.document import listing, read_document
from trivium.errors import InvalidValueError
from trivium.experiment.spec import Part
from trivium.study.metrics import LATE, is_time
from trivium.study.tricys_form import Analysis, Case, Distribution, Processing, Sections, Unit, without

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
    simulation = {**simulation, "start_values": without(simulation.get("start_values", {}), parameter)}
    parameters = without(content.get("simulation_parameters", {}), parameter)
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
