"""From the description of an experiment to the experiment: `make`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trivium import locations
from trivium.entry_points import Registry
from trivium.errors import InvalidValueError
from trivium.experiment import call, spec
from trivium.experiment.contract import Experiment, Values
from trivium.experiment.process import ProcessExperiment
from trivium.experiment.python import PythonExperiment, call_apart, copy_files, every_file, found, request_of
from trivium.experiment.testcase import fingerprint
from trivium.model.variable import Variable
from trivium.scratch import Scratch
from trivium.settings import Settings

#: Longest time that an experiment may take to describe itself [s].
_DESCRIBING = 600.0
#: What makes an experiment of a description, a folder, the settings, its name and the field of its description.
Factory = Callable[[Any, Path, Settings, str, str], Experiment]
#: Kinds of experiments that rooms above this one bring.
KINDS: Registry[Factory] = Registry("trivium.experiments")


def make(
    description: spec.Description, folder: Path, settings: Settings, name: str, field: str, *, apart: bool = True
) -> Experiment:
    """Make an experiment.

    Parameters
    ----------
    description : Description
    folder : Path
        What its file names are relative to.
    settings : Settings
        Of test cases: the default one, and the folder for unpacked FMUs.
    name : str
        Of the experiment.
    field : str
        Where its description is in a document, for refusals.
    apart : bool
        Whether a callable that does not choose gets a process of its own for each evaluation.

    Raises
    ------
    InvalidValueError
        Naming the field that is wrong.
    ComponentError
        When it cannot describe itself.
    """
    if isinstance(description, spec.Coupled | spec.Muio):
        return KINDS.load(description.kind)(description, folder, settings, name, field)
    inputs, outputs, note = _variables(name, description, folder, field)
    experiment: Experiment
    if isinstance(description, spec.Simulated):
        experiment = _simulated(name, description, inputs, outputs, folder, settings, field)
    elif isinstance(description, spec.Process):
        experiment = _process(name, description, inputs, outputs, folder, field)
    else:
        process = description.process if "process" in description.model_fields_set else apart
        experiment = PythonExperiment(
            name,
            inputs,
            outputs,
            description.function,
            description.options,
            folder,
            files=description.files,
            timeout=description.timeout,
            apart=process,
            deterministic=description.deterministic,
            field=field,
            publish=description.publish,
            interpreter=description.interpreter,
            declared=description.packages,
        )
    experiment.note, experiment.defaults = note, _defaults(description, inputs, field)
    return experiment


def _defaults(description: spec.Component, inputs: tuple[Variable, ...], field: str) -> Values:
    defaults: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = {}
    for variable in inputs:
        initial = description.inputs.get(variable.name, spec.Input()).initial
        if initial is not None:
            try:
                defaults[variable.name] = variable.check(initial)
            except ValueError as error:
                place = f"{field}.inputs.{variable.name}.initial"
                raise InvalidValueError(f"{place}: {error}", place) from error
    return defaults


def _variables(
    name: str, description: spec.Component, folder: Path, field: str
) -> tuple[tuple[Variable, ...], tuple[Variable, ...], str]:
    options: Mapping[str, Any] = {}
    if isinstance(description, spec.Python) and description.describe is not None:
        options = _described(name, description, folder, field)
    inputs = _side(f"{field}.inputs", description.inputs, options.get("inputs"))
    outputs = _side(f"{field}.outputs", description.outputs, options.get("outputs"))
    return inputs, outputs, options.get("note", "")


def _side(field: str, declared: Mapping[str, spec.Output], described: Mapping[str, Any] | None) -> tuple[Variable, ...]:
    """Return the variables of a side: as the document declares them, or as the experiment describes them itself."""
    if described is not None:
        for name, output in declared.items():
            if name not in described:
                raise InvalidValueError(f"{field}.{name}: the component describes no such variable", field)
            if output.unit is not None or output.dims is not None:
                raise InvalidValueError(f"{field}.{name}: unit and dims are described by the component", field)
    variables = []
    for name in declared if described is None else described:
        output, details = declared.get(name, spec.Output()), (described or {}).get(name, {})
        dims = details.get("dims", output.dims or {})
        variables.append(
            Variable(
                name,
                details.get("unit", output.unit or "1"),
                minimum=details.get("lower") if output.lower is None else output.lower,
                maximum=details.get("upper") if output.upper is None else output.upper,
                dims={dim: tuple(at) for dim, at in dims.items()},
            )
        )
    return tuple(variables)


def _described(name: str, description: spec.Python, folder: Path, field: str) -> Mapping[str, Any]:
    request = request_of(description.describe or "", description.options, folder, describe=True)
    with Scratch() as place:
        copy_files(every_file(description.files, folder), folder, place)
        inputs = {call.REQUEST: request}
        where = f"{field}.describe"
        call_apart(
            name, inputs, place, _DESCRIBING, {}, field=where, interpreter=found(description.interpreter, folder)
        )
        variables: Mapping[str, Any] = json.loads((place / call.DESCRIBED).read_bytes())
    return variables


def _process(
    name: str,
    description: spec.Process,
    inputs: tuple[Variable, ...],
    outputs: tuple[Variable, ...],
    folder: Path,
    field: str,
) -> Experiment:
    every = {"inputs.json": [v.name for v in inputs]}, {"outputs.json": [v.name for v in outputs]}
    return ProcessExperiment(
        name,
        inputs,
        outputs,
        description.argv,
        folder,
        files=description.files,
        written=every[0] if description.input_files is None else description.input_files,
        read=every[1] if description.output_files is None else description.output_files,
        timeout=description.timeout,
        deterministic=description.deterministic,
        field=field,
    )


def _simulated(
    name: str,
    description: spec.Simulated,
    inputs: tuple[Variable, ...],
    outputs: tuple[Variable, ...],
    folder: Path,
    settings: Settings,
    field: str,
) -> Experiment:
    resources = _resources(description, folder, settings)
    if not resources.exists():
        place = f"{field}.path"
        raise InvalidValueError(f"{place}: there is no {description.path or resources}", place)
    options = {
        "resources": str(resources.resolve()),
        "state_dir": str(settings.state_dir.absolute() / "coupling"),
        "start_time": description.start_time,
        "end_time": description.end_time,
        "step": description.step,
        "controller": description.controller,
        "inputs": {key: each.sets or key for key, each in description.inputs.items()},
        "outputs": {key: _reduction(key, each) for key, each in description.outputs.items()},
    }
    return PythonExperiment(
        name,
        inputs,
        outputs,
        "trivium.experiment.reduced:simulate",
        options,
        folder,
        timeout=description.timeout,
        deterministic=description.deterministic,
        extra=fingerprint(resources),
        field=field,
    )


def _resources(description: spec.Simulated, folder: Path, settings: Settings) -> Path:
    """Return where a test case is: the shipped one that is named, a path of the document, else the server's."""
    if description.testcase is not None:
        return locations.shipped_testcase(description.testcase)
    return settings.resources if description.path is None else folder / description.path


def _reduction(name: str, output: spec.SimulatedOutput) -> dict[str, Any]:
    parts = [len(at) for at in (output.dims or {}).values()]
    return {"of": output.of or [name], "method": output.method, "parts": parts[0] if parts else None}
