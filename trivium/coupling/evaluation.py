"""One pass over all components: G(x) of an iterate x, level by level, from what is known where it is."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np

from trivium.coupling.connection import Link
from trivium.coupling.problem import Problem
from trivium.coupling.record import Evaluation, Record
from trivium.coupling.residual import split
from trivium.errors import ComponentError, StorageError
from trivium.experiment import arrays
from trivium.experiment.arrays import digest
from trivium.experiment.contract import Values, checked_outputs, evaluated
from trivium.model.contract import FloatArray
from trivium.storage import Cache

#: An evaluation that took longer is kept at once, others with their iteration [s].
_DEAR = 0.1
#: Longest time that several evaluations are waited for without a look at signals [s].
_LOOK = 0.5


class Evaluator:
    """Evaluates the components of a problem.

    Parameters
    ----------
    problem : Problem
    record : Record
    cache : Cache or None
    folder : Path
        For the working directories of evaluations.

    Raises
    ------
    StorageError
        When the folder cannot be made.
    """

    def __init__(self, problem: Problem, record: Record, cache: Cache | None, folder: Path) -> None:
        self._problem, self._record, self._cache, self._folder = problem, record, cache, folder
        self._fingerprints = {name: component.fingerprint for name, component in problem.components.items()}
        shutil.rmtree(folder, ignore_errors=True)  # of an earlier attempt
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{folder} cannot be made: {error.strerror}") from error

    def pass_over(self, x: FloatArray, number: int) -> tuple[FloatArray, dict[str, Evaluation], list[Evaluation]]:
        """Evaluate all components at an iterate.

        Parameters
        ----------
        x : FloatArray, shape (n,)
        number : int
            Of the iteration.

        Returns
        -------
        tuple
            G(x), shape (n,); the evaluations by component; those of them that are not kept yet.

        Raises
        ------
        ComponentError
            When a component or a connection fails.
        """
        problem, stored = self._problem, self._record.evaluations(number)
        inputs = dict(problem.constants)
        for part, variable, piece in zip(problem.parts, problem.targets, split(problem.parts, x), strict=True):
            inputs[part.name] = piece.reshape(variable.shape)
        outputs: dict[str, FloatArray] = {}
        done: dict[str, Evaluation] = {}
        unkept: list[Evaluation] = []
        torn = {problem.links[i].spec.target for i in problem.order.torn}
        for level in problem.order.levels:
            for link in problem.links:
                target = link.spec.target
                if target.partition(".")[0] in level and target not in torn:
                    inputs[target] = _bounded(link, link.value(outputs))
            requested = {name: self._inputs_of(name, inputs) for name in level}
            for name, evaluation, new in self._level(requested, stored, number):
                done[name] = evaluation
                outputs |= {f"{name}.{output}": value for output, value in evaluation.outputs.items()}
                unkept += [evaluation] if new else []
        pieces = {problem.links[i].spec.target: problem.links[i].value(outputs).ravel() for i in problem.order.torn}
        g = np.concatenate([pieces[part.name] for part in problem.parts]) if problem.parts else np.zeros(0)
        return g, {name: done[name] for name in problem.components}, unkept

    def evaluate(self, name: str, values: Values, label: str, number: int) -> Evaluation:
        """Evaluate one component, unless its result is known.

        Raises
        ------
        ComponentError
            When it fails.
        """
        component = self._problem.components[name]
        key = digest(self._fingerprints[name], values) if component.deterministic else None
        if key is not None and self._cache is not None:
            for data in self._cache.get([key]).values():
                return Evaluation(label, values, checked_outputs(component, arrays.loads(data)), 0.0, True)
        began = time.monotonic()
        folder = self._new_folder(f"{number:04}-{label}-".replace(" ", ""))
        outputs = evaluated(component, values, folder)
        seconds = time.monotonic() - began
        if key is not None and self._cache is not None:
            self._cache.put({key: arrays.dumps(outputs)})
        return Evaluation(label, values, outputs, seconds, False)

    def probe(self, name: str, values: Values, label: str, number: int) -> Evaluation:
        """Evaluate one component beside an iteration, unless the record has it; see `evaluate`."""
        stored = self._record.evaluations(number).get(label)
        if stored is not None and _equal(stored.inputs, values):
            return stored
        done = self.evaluate(name, values, label, number)
        self._record.keep(number, [done])
        return done

    def tidy(self, number: int) -> None:
        """Remove the working directories of iterations before one; the last ones stay to be looked at."""
        for path in self._folder.iterdir():
            if not path.name.startswith(f"{number:04}-"):
                shutil.rmtree(path, ignore_errors=True)

    def _new_folder(self, prefix: str) -> Path:
        try:
            return Path(tempfile.mkdtemp(prefix=prefix, dir=self._folder))
        except OSError as error:
            raise StorageError(f"a folder in {self._folder} cannot be made: {error.strerror}") from error

    def _inputs_of(self, name: str, inputs: Values) -> dict[str, FloatArray]:
        return {variable.name: inputs[f"{name}.{variable.name}"] for variable in self._problem.components[name].inputs}

    def _level(
        self, inputs: Mapping[str, Values], stored: Mapping[str, Evaluation], number: int
    ) -> Iterator[tuple[str, Evaluation, bool]]:
        """Evaluate components at the same time; yield each with whether it is still to be kept."""
        missing = {}
        for name, values in inputs.items():
            before = stored.get(name)
            if before is not None and _equal(before.inputs, values):
                yield name, before, False
            else:
                missing[name] = values
        if len(missing) == 1:
            ((name, values),) = missing.items()
            yield name, *self._store(self.evaluate(name, values, name, number), number)
        elif missing:
            with self._together(missing, number) as futures:
                left = set(futures)
                while left:  # with a timeout, so that a signal to any thread is handled here
                    ended, left = wait(left, _LOOK, FIRST_COMPLETED)
                    for future in ended:
                        yield futures[future], *self._store(future.result(), number)

    def _store(self, done: Evaluation, number: int) -> tuple[Evaluation, bool]:
        if done.seconds < _DEAR:
            return done, True
        self._record.keep(number, [done])
        return done, False

    @contextlib.contextmanager
    def _together(self, inputs: Mapping[str, Values], number: int) -> Iterator[dict[Future[Evaluation], str]]:
        """Evaluate in threads; when anything goes wrong, all others are ended first."""
        with ThreadPoolExecutor(len(inputs)) as pool:
            futures = {pool.submit(self.evaluate, n, values, n, number): n for n, values in inputs.items()}
            try:
                yield futures
            except BaseException:
                for name in inputs:
                    self._problem.components[name].cancel()
                raise


def _bounded(link: Link, value: FloatArray) -> FloatArray:
    try:
        return link.target.check(value)
    except ValueError as error:
        raise ComponentError(f"{link.name}: {error}") from error


def _equal(left: Values, right: Values) -> bool:
    return left.keys() == right.keys() and all(np.array_equal(left[name], right[name]) for name in left)
