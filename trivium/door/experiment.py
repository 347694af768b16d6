"""What `trivium.Study` sweeps besides models: functions and coupled cases, as descriptions of a study's file."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trivium.coupling.spec import case_file
from trivium.document import read_document
from trivium.errors import InvalidValueError
from trivium.experiment.function import arguments, call, pickled
from trivium.study.values import parse


def describe(model: Any, parameters: Mapping[str, Any], time_limit: float) -> dict[str, Any] | None:
    """Return the description of a function or a coupled case; None for a model.

    Parameters
    ----------
    model : str or path or callable
    parameters : Mapping[str, Any]
        What is swept, as a study's file has it.
    time_limit : float
        Longest time of an evaluation [s].

    Raises
    ------
    InvalidValueError
        When a file is a study, or an input of a function has no value.
    ComponentError
        When the function fails with the first values, or returns no numbers by name.
    """
    if callable(model):
        return _function(model, parameters, time_limit)
    if not isinstance(model, str | os.PathLike):
        return None
    file = case_file(Path(model).absolute())
    if file.suffix != ".json" or not file.is_file():
        return None
    content = read_document(file, "model")
    if not isinstance(content, dict) or "components" not in content:
        raise InvalidValueError(
            f"model: {file.name} is a study file, which the command trivium sweep run {shlex.quote(str(model))} runs; "
            "trivium.Study takes an FMU, the folder of a test case, a function or a coupled case.",
            "model",
        )
    return {"kind": "coupled", "path": str(file), "timeout": time_limit}


def name_of(model: Any) -> str:
    """Return the name of a function or a coupled case, for texts."""
    return str(getattr(model, "__name__", type(model).__name__)) if callable(model) else Path(model).name


def _function(function: Callable[..., Any], parameters: Mapping[str, Any], time_limit: float) -> dict[str, Any]:
    """Describe a function; its outputs are those of one call, with the first value of each parameter."""
    name = name_of(function)
    defaults = {key: value for key, value in arguments(name, function).items() if value is not None}
    listed = {key: parse(values, key, Path.cwd(), 0) for key, values in parameters.items()}
    first = {key: float(each.low if each.listed is None else each.listed[0]) for key, each in listed.items()}
    for key in arguments(name, function):
        if key not in first and key not in defaults:
            raise InvalidValueError(f"parameters: {name} needs values of {key}, which has no default.", "parameters")
    unknown = first.keys() - arguments(name, function).keys()
    if unknown:
        raise InvalidValueError(f"parameters: {name} has no argument {min(unknown)}.", "parameters")
    outputs = call(name, function, {**defaults, **first})
    return {
        "kind": "python",
        "callable": "trivium.experiment.function:unpickled",
        "options": {"name": name, "function": pickled(function)},
        "inputs": {key: _declared(defaults.get(key, 0.0)) for key in arguments(name, function)},
        "outputs": {key: {"dims": _dims(value.shape)} for key, value in outputs.items()},
        "deterministic": False,
        "timeout": time_limit,
    }


def _declared(default: Any) -> dict[str, Any]:
    value = np.array(default, dtype=np.float64)
    return {"initial": value.tolist(), "dims": _dims(value.shape)}


def _dims(shape: tuple[int, ...]) -> dict[str, int]:
    return {f"axis{axis}": size for axis, size in enumerate(shape)}
