"""A case of MUIO as an experiment of the kind ``muio``: its own model, solved in one pass, or a running MUIOGO.

The case itself is never written to. At the fixed point, `publish` writes a copy of the case with what came from the
other models in it, and a run with its results, which MUIO's screens show as any other run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from trivium.coupling.muio import datafile, remote, results
from trivium.coupling.muio.case import MuioCase
from trivium.coupling.muio.copies import copy_with, register
from trivium.coupling.og_clews import exchange, mathprog
from trivium.coupling.og_clews.mathdata import Declarations, without_comments
from trivium.errors import InvalidValueError
from trivium.experiment import kinds, spec
from trivium.experiment.contract import Experiment
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable
from trivium.settings import Settings

_MODULE = "trivium.coupling.muio.component"


class Options(exchange.Options):
    """What a case file says; see `exchange.Options`.

    Attributes
    ----------
    case : str
        The folder of the case.
    run : str, optional
        The run whose scenarios count; by default the scenarios that are active in the case.
    model : str, optional
        MUIO's model file; by default that of the case's version in ``SOLVERs``, beside ``DataStorage``.
    solver : {"cbc", "glpsol", "highs"}
    timeout : float
        Longest time of each program, or of MUIOGO [s].
    server : str, optional
        Address of a running MUIOGO that is to solve the case in place of Trivium.
    copy_to : str, optional
        Folder for the copy with the converged run; by default in the results of the coupled run.
    digest : str
        Hash of the files, so that other data are another experiment.
    """

    case: str
    run: str | None = None
    model: str | None = None
    solver: Literal["cbc", "glpsol", "highs"] = "cbc"
    timeout: float = 3600.0
    server: str | None = None
    copy_to: str | None = None
    digest: str = ""


def make_muio(
    description: spec.Muio, folder: Path, settings: Settings, name: str, field: str, *, apart: bool = True
) -> Experiment:
    """Make the experiment of a case of MUIO: the entry point ``muio`` of the group ``trivium.experiments``.

    Raises
    ------
    InvalidValueError
        Naming the field that is wrong.
    """
    place = (folder / description.case).absolute()
    try:
        case = MuioCase.read(place)
        case.scenarios(description.run)
        model = case.model(None if description.model is None else folder / description.model)
    except InvalidValueError as error:
        raise InvalidValueError(f"{field}: {error}", field) from error
    digest = hashlib.sha256()
    for path in (model, *case.files()):
        digest.update(f"\n{path.name} ".encode() + path.read_bytes())
    options = {
        **description.options,
        "case": str(place),
        "run": description.run,
        "model": str(model.absolute()),
        "solver": description.solver,
        "timeout": description.timeout,
        "server": description.server,
        "copy_to": None if description.copy_to is None else str((folder / description.copy_to).absolute()),
        "digest": digest.hexdigest(),
    }
    python = spec.Python(
        kind="python",
        callable=f"{_MODULE}:solve",
        describe=f"{_MODULE}:describe",
        publish=f"{_MODULE}:publish",
        options=options,
        inputs=description.inputs,
        outputs=description.outputs,
        timeout=description.timeout,
    )
    return kinds.make(python, folder, settings, name, field, apart=apart)


def describe(options: Mapping[str, Any]) -> tuple[tuple[Variable, ...], tuple[Variable, ...], str]:
    """Return inputs and outputs, and what was read."""
    parsed = exchange.checked(Options, options)
    case, read = _read(parsed)
    model = case.model(None if parsed.model is None else Path(parsed.model)).name
    note = f"{case.name}, run {parsed.run or 'of the active scenarios'}, {model}"
    inputs, outputs = exchange.describe(parsed, read.sets, shadow=parsed.server is None)
    return inputs, outputs, note


def solve(inputs: Mapping[str, FloatArray], options: Mapping[str, Any]) -> dict[str, FloatArray]:
    """Solve the case in the working directory; see `mathprog.solve`."""
    parsed = exchange.checked(Options, options)
    case, read = _read(parsed)
    parsed = exchange.taxed(parsed, inputs, read.sets)
    changed = mathprog.with_inputs(read, inputs, parsed)
    if parsed.server is not None:
        found = remote.solve(parsed.server, case, parsed.run, read, changed, parsed.timeout)
    else:
        optimal, constant = changed.solve(parsed.solver, parsed.timeout, duals=bool(parsed.fuels))
        found = mathprog.solution(changed, optimal, constant, read.demand, shadow=bool(parsed.fuels))
    return exchange.answers(parsed, read.sets, found, changed.rate)


def publish(inputs: Mapping[str, FloatArray], options: Mapping[str, Any]) -> dict[str, FloatArray]:
    """Write a copy of the case with the inputs of the fixed point and a run with its results; see `solve`."""
    parsed = exchange.checked(Options, options)
    case, read = _read(parsed)
    parsed = exchange.taxed(parsed, inputs, read.sets)
    changed = mathprog.with_inputs(read, inputs, parsed)
    target = Path(parsed.copy_to or f"{case.name}_converged")
    run = f"{parsed.run or 'run'}_converged"
    copy_with(case, target, parsed.run, read, changed)
    optimal, _ = changed.solve("cbc" if parsed.solver == "glpsol" else parsed.solver, parsed.timeout, duals=True)
    results.write(changed, optimal, target, run)
    (target / "res" / run / "data.txt").write_text(changed.data.text)
    register(target, run, case.scenarios(parsed.run))
    return {}


def _read(options: Options) -> tuple[MuioCase, mathprog.Case]:
    """Return a case of MUIO, and as MathProg."""
    case = MuioCase.read(Path(options.case))
    path = case.model(None if options.model is None else Path(options.model))
    model = without_comments(str(path))
    text = datafile.write(case, options.run, model, Declarations.read(model))
    return case, mathprog.Case.read(model, text, f"the data of {case.name}")
