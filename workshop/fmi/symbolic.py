"""Ship the equations of a model for CasADi, beside the FMU that is built of them.

Run ``python -m workshop.fmi.symbolic module:function out``. The file is a JSON document, compressed with gzip; the
package reads it with `trivium.plants.symbolic`. The same model gives the same bytes with the same version of CasADi.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import casadi as ca

from workshop.fmi.build import load
from workshop.fmi.rosenbrock import RODAS4P
from workshop.fmi.spec import Model, Variable

__all__ = ["FORMAT", "write"]

FORMAT = "trivium equations 1"
_FUNCTIONS = ("filter_tau", "start", "aux", "ode", "out")


def write(model: Model, path: Path) -> None:
    """Write the equations of a model that is not pulsed.

    Parameters
    ----------
    model : Model
        The plant.
    path : Path
        Of the file.

    Raises
    ------
    ValueError
        When the model is pulsed.
    """
    if model.pulses is not None:
        raise ValueError(f"{model.name} is a pulsed model")
    groups = {"inputs": model.inputs, "outputs": model.outputs, "parameters": model.parameters, "states": model.states}
    a, c = RODAS4P.matrices()
    document = {
        "format": FORMAT,
        "name": model.name,
        "version": model.version,
        "filters": [[name, index] for name, index in zip(model.filter_names, model.filter_input, strict=True)],
        "functions": {name: _expanded(getattr(model, name)).serialize() for name in _FUNCTIONS},
        "method": {
            "source": RODAS4P.source,
            "gamma": RODAS4P.gamma,
            "alpha": list(RODAS4P.alpha),
            "gamma_sum": list(RODAS4P.gamma_sum),
            "a": a.tolist(),
            "c": c.tolist(),
        },
        **{name: [_described(variable) for variable in variables] for name, variables in groups.items()},
    }
    path.write_bytes(gzip.compress(json.dumps(document).encode(), 9, mtime=0))


def _described(variable: Variable) -> dict[str, object]:
    return {
        "name": variable.name,
        "unit": variable.unit,
        "description": variable.description,
        "minimum": variable.min,
        "maximum": variable.max,
        "start": variable.start,
        "nominal": variable.nominal,
    }


def _expanded(function: ca.Function) -> ca.Function:
    """Return a function as one graph of scalars, of dense columns."""
    arguments = [ca.SX.sym(function.name_in(i), function.numel_in(i)) for i in range(function.n_in())]
    expanded = function if function.is_a("SXFunction") else function.expand()
    return ca.Function(function.name(), arguments, [ca.cse(ca.densify(expanded(*arguments)))])


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m workshop.fmi.symbolic", description="Ship a model's equations.")
    parser.add_argument("model", help="module:function that returns a workshop.fmi.spec.Model")
    parser.add_argument("out", type=Path, help="path of the file to write")
    options = parser.parse_args(arguments)
    write(load(options.model), options.out)
    print(f"{options.out}: {options.out.stat().st_size / 1e3:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
