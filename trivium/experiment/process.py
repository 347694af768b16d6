"""An external program as a component, with files in and out.

========  ==============================================================================================================
ending    content
========  ==============================================================================================================
``.json`` an object of variables by name: numbers, or nested lists of them
``.npz``  NumPy's archive of variables by name
``.csv``  one variable: a column a dimension, and the column VALUE
========  ==============================================================================================================
"""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from shutil import which

import numpy as np

from trivium.errors import ComponentError, InvalidValueError
from trivium.experiment import arrays
from trivium.experiment.contract import Experiment, Values
from trivium.experiment.python import copy_files
from trivium.experiment.runner import inside, result, run
from trivium.model.variable import Variable, as_numbers

VALUE = "VALUE"


class ProcessExperiment(Experiment):
    """Runs a program for each evaluation.

    Parameters
    ----------
    name : str
    inputs, outputs : tuple of Variable
    argv : sequence of str
        See `trivium.experiment.runner.run`.
    folder : Path
        The case's folder.
    files : iterable of str
        Files of that folder that are copied into each working directory.
    written, read : Mapping[str, sequence of str]
        Files by name, and the variables in each; the ending chooses the form.
    timeout : float
        [s]
    deterministic : bool
    field : str
        Where it is described in a document, for refusals.
    """

    def __init__(
        self,
        name: str,
        inputs: tuple[Variable, ...],
        outputs: tuple[Variable, ...],
        argv: Sequence[str],
        folder: Path,
        *,
        files: Iterable[str] = (),
        written: Mapping[str, Sequence[str]],
        read: Mapping[str, Sequence[str]],
        timeout: float = 3600.0,
        deterministic: bool = True,
        field: str = "",
    ) -> None:
        self.name, self.inputs, self.outputs = name, inputs, outputs
        self.timeout, self.deterministic = timeout, deterministic
        self._argv, self._folder, self._files = tuple(argv), folder, tuple(files)
        self._written, self._read = dict(written), dict(read)
        self._field, self._stop = field or name, threading.Event()

    @property
    def fingerprint(self) -> str:
        """Hash of the command, the program and the files."""
        digest = hashlib.sha256(json.dumps([self._argv, self._written, self._read]).encode())
        program = which(self._argv[0])
        paths = [inside(self._folder, file) for file in sorted(self._files)]
        for path in [*paths, *([Path(program)] if program else [])]:
            digest.update(f"\n{path.name} ".encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def evaluate(self, values: Values, folder: Path) -> Values:
        """Write the inputs, run the program, read the outputs; see `Experiment.evaluate`."""
        copy_files(self._files, self._folder, folder)
        variables = {variable.name: variable for variable in self.inputs}
        for name, names in self._written.items():
            path = inside(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, {key: values[key] for key in names}, variables)
        for name in self._argv[:1]:
            if "/" in name and not Path(name).is_absolute():
                inside(folder, name).chmod(0o700)  # copies lose their mode
        try:
            run(self._argv, folder, self.timeout, stop=self._stop)
        except ComponentError as error:
            raise ComponentError(f"{self.name}: {error}") from error
        by_name = {variable.name: variable for variable in self.outputs}
        outputs: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = {}
        for name, names in self._read.items():
            try:
                outputs |= read(result(folder, name), {key: by_name[key] for key in names})
            except (ValueError, OSError, ComponentError) as error:
                raise ComponentError(f"{self.name}: its file {name} cannot be read: {error}") from error
        return outputs

    def check(self) -> None:
        """Refuse a program that is not there.

        Raises
        ------
        InvalidValueError
            Naming the field of the case.
        """
        name, field = self._argv[0], f"{self._field}.argv"
        if "/" not in name or Path(name).is_absolute():
            if which(name) is None:
                raise InvalidValueError(f"{field}: there is no program {name}", field)
        elif Path(name) not in map(Path, self._files):
            raise InvalidValueError(
                f"{field}: there will be no program {name} in the working directory: files does not list it", field
            )
        for file in self._files:
            if not inside(self._folder, file).is_file():
                field = f"{self._field}.files"
                raise InvalidValueError(f"{field}: there is no file {file} beside the case", field)

    def cancel(self) -> None:
        """End the program and refuse new evaluations."""
        self._stop.set()


def write(path: Path, values: Values, variables: Mapping[str, Variable]) -> None:
    """Write variables to a file in the form of its ending."""
    if path.suffix == ".npz":
        path.write_bytes(arrays.dumps(values))
    elif path.suffix == ".json":
        path.write_text(json.dumps({name: value.tolist() for name, value in values.items()}) + "\n")
    else:
        ((name, value),) = values.items()
        variable = variables[name]
        lines = [",".join([*variable.dims, VALUE])]
        for at, number in zip(itertools.product(*variable.dims.values()), value.flat, strict=True):
            lines.append(",".join([*map(str, at), repr(float(number))]))
        path.write_text("\n".join(lines) + "\n")


def read(path: Path, variables: Mapping[str, Variable]) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """Read variables from a file in the form of its ending; shapes are checked by others.

    Raises
    ------
    ValueError, OSError
        Naming what is missing or wrong.
    """
    if path.suffix == ".npz":
        loaded = arrays.loads(path.read_bytes())
        return {name: loaded[name] for name in variables if name in loaded}
    if path.suffix == ".json":
        content = json.loads(path.read_bytes())
        if not isinstance(content, dict):
            raise ValueError("it is no JSON object")
        return {name: as_numbers(name, content[name]) for name in variables if name in content}
    ((name, variable),) = variables.items()
    return {name: _table(path.read_text(), variable)}


def _table(text: str, variable: Variable) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    heading, *lines = [[cell.strip() for cell in line.split(",")] for line in text.splitlines() if line.strip()]
    columns = [*variable.dims, VALUE]
    if sorted(heading) != sorted(columns):
        raise ValueError(f"its columns are {', '.join(heading)}, where {', '.join(columns)} are meant")
    places = [heading.index(name) for name in columns]
    index = [{str(at): i for i, at in enumerate(coordinates)} for coordinates in variable.dims.values()]
    array = np.full(variable.shape, np.nan)
    seen = set()
    for number, line in enumerate(lines, start=2):
        if len(line) != len(heading):
            raise ValueError(f"line {number} has {len(line)} cells, where {len(heading)} are meant")
        *at, value = (line[place] for place in places)
        for name, coordinate, position in zip(variable.dims, at, index, strict=True):
            if coordinate not in position:
                raise ValueError(f"line {number}: {name} has no {coordinate}")
        element = tuple(position[coordinate] for coordinate, position in zip(at, index, strict=True))
        if element in seen:
            raise ValueError(f"line {number}: {variable.element(element)} is there twice")
        seen.add(element)
        array[element] = float(value)
    if len(seen) != variable.size:
        missing = next(element for element in np.ndindex(variable.shape) if element not in seen)
        raise ValueError(f"{variable.element(missing)} is missing")
    return array
