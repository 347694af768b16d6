"""The program that calls a Python component in a process of its own: ``python -P -m trivium.experiment.call``.

In its working directory it finds ``request.json`` and, for an evaluation, ``inputs.npz``; it leaves ``outputs.npz``, or
``described.json``; where there is no such callable, ``unresolved.txt``, which says why. It imports little: its start is
a part of every evaluation.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy

from trivium.experiment import arrays
from trivium.experiment.modules import in_use, load

REQUEST, INPUTS, OUTPUTS, DESCRIBED = "request.json", "inputs.npz", "outputs.npz", "described.json"
UNRESOLVED = "unresolved.txt"
#: Where frames come from that are not the model's: this program, and Python's import.
_NOT_THE_MODELS = (f"{Path(__file__).parents[1]}/", f"{Path(importlib.__file__).parent}/", "<frozen ")


def resolve(name: str, path: Sequence[str]) -> Callable[..., Any]:
    """Return the callable of a name ``package.module:function``.

    Parameters
    ----------
    name : str
    path : sequence of str
        Folders to look for modules in, before all others; they are in use (`trivium.experiment.modules`).

    Raises
    ------
    ImportError, AttributeError, TypeError
        When there is none.
    """
    module, _, attribute = name.partition(":")
    target: Any = load(module, path)
    for part in attribute.split("."):
        target = getattr(target, part)
    if not callable(target):
        raise TypeError(f"{name} cannot be called")
    return target  # type: ignore[no-any-return]  # it was looked at


def unresolved(name: str, error: Exception, path: Sequence[str]) -> str:
    """Return why `resolve` found no callable of a name."""
    if own_frames(error, path):
        return f"{name} cannot be imported:\n{explained(error, path)}"
    if isinstance(error, ImportError | AttributeError | TypeError):
        return f"{name} is not there: {error}"
    return f"{name} cannot be imported: {explained(error, path)}"


def own_frames(error: BaseException, path: Sequence[str]) -> list[traceback.FrameSummary]:
    """Return the frames of an error that are the model's: those in its folders, or else all but this program's."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [f for f in frames if not f.filename.startswith(_NOT_THE_MODELS)]
    return [f for f in theirs if any(Path(f.filename).is_relative_to(folder) for folder in path)] or theirs


def explained(error: BaseException, path: Sequence[str]) -> str:
    """Return the model's own frames of an error and, last, what was raised."""
    frames = traceback.format_list(own_frames(error, path))
    return "".join([*frames, *traceback.format_exception_only(error)]).strip()


def as_mapping(variables: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """Return variables as JSON holds them; bounds that are infinite are left out."""
    outputs = {}
    for variable in variables:
        ends = {name: getattr(variable, name) for name in ("lower", "upper")}
        bounds = {name: end for name, end in ends.items() if abs(end) != float("inf")}
        dims = {dim: list(coordinates) for dim, coordinates in variable.dims.items()}
        outputs[variable.name] = {"unit": variable.unit, "dims": dims, **bounds}
    return outputs


def _array(name: Any, value: Any) -> Any:
    """Return an output as an array; what it must hold is checked by the caller."""
    try:
        return numpy.asarray(value)
    except ValueError as error:
        raise ValueError(f"its output {name} is no array of numbers: its rows differ in length") from error


def main() -> int:
    """Do what the request asks for; return the exit code."""
    request: Mapping[str, Any] = json.loads(Path(REQUEST).read_bytes())
    with in_use(request["path"]):
        return _answered(request)


def _answered(request: Mapping[str, Any]) -> int:
    try:
        function = resolve(request["callable"], request["path"])
    except Exception as error:
        reason = unresolved(request["callable"], error, request["path"])
        Path(UNRESOLVED).write_text(reason)
        print(reason, file=sys.stderr)  # noqa: T201, the component's log
        return 1
    try:
        if request["check"]:
            return 0
        if request["describe"]:
            inputs, outputs, *note = function(request["options"])
            described: dict[str, Any] = {"inputs": as_mapping(inputs), "outputs": as_mapping(outputs)}
            if note:
                described["note"] = str(note[0])
            Path(DESCRIBED).write_text(json.dumps(described))
            return 0
        answer = function(arrays.loads(Path(INPUTS).read_bytes()), request["options"])
        Path(OUTPUTS).write_bytes(arrays.dumps({str(name): _array(name, value) for name, value in answer.items()}))
    except Exception as error:
        print(explained(error, request["path"]), file=sys.stderr)  # noqa: T201, the component's log
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
