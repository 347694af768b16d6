"""A Python callable as a component, in a process of its own by default."""

from __future__ import annotations

import contextlib
import json
import platform
import shutil
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from trivium.environment import ROOT, child_environment
from trivium.errors import ComponentError, InvalidValueError
from trivium.experiment import arrays, call
from trivium.experiment.contract import Experiment, Values
from trivium.experiment.modules import in_use
from trivium.experiment.runner import STDOUT, inside, result, run
from trivium.experiment.sources import hash_files, packages, sources
from trivium.model.variable import Variable
from trivium.scratch import Scratch

#: Folder in a working directory for the modules that a call by another Python needs.
_ABROAD = ".trivium"
#: Longest time in which another Python must say what it is [s].
_LOOKING = 300.0


class PythonExperiment(Experiment):
    """Calls ``function(inputs, options)``, which returns the outputs by name.

    Parameters
    ----------
    name : str
    inputs, outputs : tuple of Variable
    function : str
        ``package.module:function``.
    options : Mapping
        What JSON holds; handed to the function.
    folder : Path
        The case's folder, where modules are looked for first.
    files : iterable of str
        Files of that folder that are copied into the working directory of each evaluation.
    timeout : float
        [s]; cannot be kept in this process.
    apart : bool
        Whether it runs in a process of its own.
    deterministic : bool
    environment : Mapping[str, str]
        Further variables of its process, which must not change results.
    extra : str
        What else determines results, for the fingerprint.
    field : str
        Where it is described in a document, for refusals.
    publish : str, optional
        ``package.module:function`` that writes what is to be kept of the evaluation at a fixed point.
    interpreter : sequence of str, optional
        A Python of another environment: the beginning of its command. It needs NumPy, and the function's packages.
    """

    def __init__(
        self,
        name: str,
        inputs: tuple[Variable, ...],
        outputs: tuple[Variable, ...],
        function: str,
        options: Mapping[str, Any],
        folder: Path,
        *,
        files: Iterable[str] = (),
        timeout: float = 3600.0,
        apart: bool = True,
        deterministic: bool = True,
        environment: Mapping[str, str] | None = None,
        extra: str = "",
        field: str = "",
        publish: str | None = None,
        interpreter: Sequence[str] | None = None,
        declared: Iterable[str] = (),
    ) -> None:
        self._packages = tuple(declared)
        self._publish, self._interpreter = publish, found(interpreter, folder)
        self.name, self.inputs, self.outputs = name, inputs, outputs
        self.timeout, self.deterministic = timeout, deterministic
        self._function, self._options, self._folder = function, options, folder.absolute()
        self._files, self._apart, self._extra = every_file(files, folder), apart, extra
        self._environment = dict(environment or {})
        self._field, self._stop = f"{field or name}.callable", threading.Event()

    @property
    def identity(self) -> Mapping[str, str]:
        """What determines results; see `Experiment.identity`."""
        files = sources(self._function.partition(":")[0], self._folder)
        names = sorted({*self._files, *self._named()})
        if self._interpreter is None:
            python, needed = f"{sys.version} {platform.machine()}", packages(files, self._packages)
        else:
            python, needed = "", foreign(tuple(self._interpreter))
        return {
            "callable": self._function,
            "options": json.dumps(self._options, sort_keys=True),
            "code": hash_files(files),
            "files": hash_files((name, inside(self._folder, name)) for name in names) + self._extra,
            "python": python,
            "packages": needed,
        }

    def evaluate(self, values: Values, folder: Path) -> Values:
        """Call the function; see `Experiment.evaluate`.

        Raises
        ------
        ComponentError
            With the last lines that the function's process printed.
        """
        copy_files(self._files, self._folder, folder)
        if not self._apart:
            return self._here(values)
        self._call(self._function, values, folder)
        if not (folder / call.OUTPUTS).exists():
            raise ComponentError(f"{self.name}: its process ended with exit code 0, but without a result")
        try:
            return arrays.loads(result(folder, call.OUTPUTS).read_bytes())
        except (ValueError, OSError) as error:
            raise ComponentError(f"{self.name}: its outputs are no arrays of numbers: {error}") from error

    def check(self) -> None:
        """Refuse a callable that is not there, in the process that is to call it.

        Raises
        ------
        InvalidValueError
            Naming the field of the case.
        """
        if self._function.startswith("trivium.experiment."):  # our own, of test cases and FMUs
            return
        path = [str(self._folder)]
        if not self._apart:
            try:
                with in_use(path):
                    call.resolve(self._function, path)
            except Exception as error:
                reason = call.unresolved(self._function, error, path)
                raise InvalidValueError(f"{self._field}: {reason}", self._field) from error
            return
        request = request_of(self._function, self._options, self._folder, check=True)
        with Scratch() as place:
            copy_files(self._files, self._folder, place)
            inputs = {call.REQUEST: request}
            call_apart(
                self.name,
                inputs,
                place,
                self.timeout,
                self._environment,
                self._stop,
                self._field,
                interpreter=self._interpreter,
            )

    def publish(self, values: Values, folder: Path) -> None:
        """Call the function that writes what is to be kept; see `Experiment.publish`."""
        if self._publish is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        copy_files(self._files, self._folder, folder)
        self._call(self._publish, values, folder)

    def _call(self, function: str, values: Values, folder: Path) -> None:
        inputs = {call.REQUEST: request_of(function, self._options, self._folder), call.INPUTS: arrays.dumps(values)}
        call_apart(
            self.name, inputs, folder, self.timeout, self._environment, self._stop, interpreter=self._interpreter
        )

    def cancel(self) -> None:
        """End the function's process and refuse new evaluations."""
        self._stop.set()

    def _here(self, values: Values) -> Values:
        if self._stop.is_set():
            raise ComponentError(f"{self.name} was stopped")
        try:
            path = [str(self._folder)]
            with in_use(path):
                function = call.resolve(self._function, path)
                return dict(function({name: value.copy() for name, value in values.items()}, dict(self._options)))
        except Exception as error:  # whatever a model raises
            raise ComponentError(f"{self.name}: {type(error).__name__}: {error}") from error

    def _named(self) -> list[str]:
        """Return the files of the case's folder that options name."""
        texts = [value for value in self._options.values() if isinstance(value, str) and value]
        names = []
        for text in texts:
            with contextlib.suppress(ComponentError, OSError):
                if inside(self._folder, text).is_file():
                    names.append(text)
        return names


def request_of(
    function: str, options: Mapping[str, Any], folder: Path, *, describe: bool = False, check: bool = False
) -> bytes:
    """Return a request as `trivium.experiment.call` reads it."""
    path = [str(folder.absolute())]
    request = {"callable": function, "options": options, "path": path, "describe": describe, "check": check}
    return json.dumps(request).encode()


def call_apart(
    name: str,
    inputs: Mapping[str, bytes | Path],
    folder: Path,
    timeout: float,
    environment: Mapping[str, str],
    stop: threading.Event | None = None,
    field: str = "",
    *,
    interpreter: Sequence[str] | None = None,
) -> None:
    """Run `trivium.experiment.call` in a folder, by this Python or by that of another environment.

    The other one finds no package of this environment: of Trivium it gets only the files that the call needs.

    Raises
    ------
    InvalidValueError
        Naming the field, where one is given and the callable is not there.
    ComponentError
        Naming the component.
    """
    path = child_environment(PYTHONPATH=str(ROOT))["PYTHONPATH"]
    command = [sys.executable]
    if interpreter is not None:
        module = json.loads(bytes(inputs[call.REQUEST]))["callable"].partition(":")[0]
        command, path, inputs = list(interpreter), str(folder.absolute() / _ABROAD), {**inputs, **_taken_along(module)}
    variables = {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **environment}
    try:
        argv = [*command, "-P", "-m", "trivium.experiment.call"]
        run(argv, folder, timeout, inputs, environment=variables, stop=stop, command=len(command))
    except ComponentError as error:
        if field and (folder / call.UNRESOLVED).is_file():
            raise InvalidValueError(f"{field}: {(folder / call.UNRESOLVED).read_text()}", field) from error
        raise ComponentError(f"{name}: {error}") from error


def found(interpreter: Sequence[str] | None, folder: Path) -> Sequence[str] | None:
    """Return the command of a Python; a path in it is relative to the case's folder."""
    if interpreter is None or "/" not in interpreter[0]:
        return interpreter
    # not resolved: the link in a virtual environment says which environment it is
    return [str(folder.absolute() / interpreter[0]), *interpreter[1:]]


def _taken_along(module: str) -> dict[str, bytes | Path]:
    """Return what a call in another environment needs, by names in its working directory: our modules, and ours only.

    A module of Trivium that is called there must import nothing else of Trivium.
    """
    names = [f"trivium/experiment/{name}.py" for name in ("call", "arrays", "modules")]
    called = f"{module.replace('.', '/')}.py"
    if module.startswith("trivium.") and (ROOT / called).is_file():
        names.append(called)
    packages = {f"{_ABROAD}/{parent}/__init__.py": b"" for name in names for parent in Path(name).parents[:-1]}
    return {**packages, **{f"{_ABROAD}/{name}": ROOT / name for name in names}}


@cache
def foreign(interpreter: tuple[str, ...]) -> str:
    """Return the version of another Python, and all packages of its environment.

    Raises
    ------
    ComponentError
        When it cannot be run.
    """
    program = (
        "import sys, platform; from importlib import metadata as m; print(sys.version, platform.machine(), "
        "*sorted(f'{p.name}=={p.version}' for p in m.distributions()))"
    )
    with Scratch() as place:
        run([*interpreter, "-P", "-c", program], place, _LOOKING, command=len(interpreter) + 3)
        return (place / STDOUT).read_text()


def every_file(names: Iterable[str], folder: Path) -> tuple[str, ...]:
    """Return the names of files; a folder among them stands for all files in it.

    Raises
    ------
    ComponentError
        When a name leads out of the folder.
    """
    found: list[str] = []
    for name in names:
        path = inside(folder, name)
        within = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else []
        found += [str(each.relative_to(folder)) for each in within] if path.is_dir() else [name]
    return tuple(found)


def copy_files(names: Iterable[str], source: Path, folder: Path) -> None:
    """Copy files of a case into a working directory.

    Raises
    ------
    ComponentError
        When a name leads out of either, or there is no such file.
    """
    for name in names:
        target = inside(folder, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(inside(source, name), target)
        except OSError as error:
            raise ComponentError(f"{name} cannot be copied: {error.strerror}") from error
