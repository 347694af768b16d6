"""The program that calls a Python component in a process of its own: ``python -P -m trivium.coupling.call``.

In its working directory it finds ``request.json`` and, for an evaluation, ``inputs.npz``; it leaves ``outputs.npz``, or
``described.json``. It imports little: its start is a part of every evaluation.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from trivium.coupling import arrays

REQUEST, INPUTS, OUTPUTS, DESCRIBED = "request.json", "inputs.npz", "outputs.npz", "described.json"


def resolve(name: str, path: Sequence[str]) -> Callable[..., Any]:
    """Return the callable of a name ``package.module:function``.

    Parameters
    ----------
    name : str
    path : sequence of str
        Folders to look for modules in, before all others.

    Raises
    ------
    ImportError, AttributeError, TypeError
        When there is none.
    """
    sys.path[:0] = [folder for folder in path if folder not in sys.path]
    module, _, attribute = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    if not callable(found):
        raise TypeError(f"{name} cannot be called")
    return found  # type: ignore[no-any-return]  # it was looked at


def as_mapping(variables: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """Return variables as JSON holds them; bounds that are infinite are left out."""
    found = {}
    for one in variables:
        bounds = {name: getattr(one, name) for name in ("lower", "upper") if abs(getattr(one, name)) != float("inf")}
        found[one.name] = {"unit": one.unit, "dims": {dim: list(at) for dim, at in one.dims.items()}, **bounds}
    return found


def main() -> int:
    """Do what the request asks for; return the exit code."""
    try:
        request: Mapping[str, Any] = json.loads(Path(REQUEST).read_bytes())
        function = resolve(request["callable"], request["path"])
        if request["describe"]:
            inputs, outputs, *note = function(request["options"])
            described: dict[str, Any] = {"inputs": as_mapping(inputs), "outputs": as_mapping(outputs)}
            if note:
                described["note"] = str(note[0])
            Path(DESCRIBED).write_text(json.dumps(described))
            return 0
        answer = function(arrays.loads(Path(INPUTS).read_bytes()), request["options"])
        Path(OUTPUTS).write_bytes(arrays.dumps({str(name): value for name, value in answer.items()}))
    except Exception as error:
        traceback.print_exc()
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201, the last line is what is told
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
