"""From the number of a run to its parameters: a function, never a list.

A grid is a number in mixed radix: the last parameter changes fastest, as in nested loops. Latin hypercubes and
the designs of Morris and FAST must be drawn as a whole; they are kept as one array of 8 bytes a number.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trivium.errors import InvalidValueError
from trivium.extras import require
from trivium.model.contract import FloatArray
from trivium.study.spec import Sampling
from trivium.study.values import Values

#: Most numbers of a plan that is drawn as a whole: 0.8 GB, and three times that while it is drawn.
_MOST_NUMBERS = 10**8
#: Most runs of a study.
MOST_RUNS = 2**31
#: Most runs that are searched for equal ones.
_MOST_COMPARED = 2_000_000
#: Least number of points of a curve of FAST: more than four times the square of its interference factor, 4.
_FAST = 65


class Plan(ABC):
    """All runs of a study.

    Attributes
    ----------
    names : tuple of str
        The parameters.
    count : int
        How many runs there are.
    texts : Mapping[str, tuple of str]
        Of the parameters that are texts: a row has the place of the run's text.
    grows : bool
        Whether runs are added as a search goes on.
    """

    grows = False

    def __init__(self, parameters: Mapping[str, Values], count: int) -> None:
        self.names = tuple(parameters)
        self.texts = {name: values.texts for name, values in parameters.items() if values.texts}
        self.count = count
        self._values = tuple(parameters.values())

    @property
    def parameters(self) -> dict[str, Values]:
        """What the parameters may be."""
        return dict(zip(self.names, self._values, strict=True))

    def rows(self, first: int, last: int) -> FloatArray:
        """Return the parameters of the runs ``first ... last - 1``, shape (last - first, n_parameters).

        Raises
        ------
        IndexError
            When there are no such runs.
        """
        if not 0 <= first <= last <= self.count:
            raise IndexError(f"there are no runs {first} to {last}: the plan has {self.count}")
        if not self.names:
            return np.empty((last - first, 0))
        return self._rows(first, last)

    def rows_of(self, runs: NDArray[np.int64]) -> FloatArray:
        """Return the parameters of any runs, shape (n_runs, n_parameters)."""
        edges = [0, *(np.flatnonzero(np.diff(runs) != 1) + 1).tolist(), runs.size]
        stretches = [(int(runs[a]), int(runs[b - 1]) + 1) for a, b in itertools.pairwise(edges) if a < b]
        return np.concatenate([np.empty((0, len(self.names))), *(self.rows(*stretch) for stretch in stretches)])

    def first_equal(self) -> NDArray[np.int64] | None:
        """Return for each run the first one with equal parameters, shape (count,); None where all differ.

        Plans of more than `_MOST_COMPARED` runs are not searched; None for them too.
        """
        if self.count > _MOST_COMPARED or not self.names:
            return None
        rows = np.ascontiguousarray(self.rows(0, self.count) + 0.0)  # -0.0 and 0.0 are one value
        keys = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
        _, first, classes = np.unique(keys, return_index=True, return_inverse=True)
        return None if first.size == self.count else first[classes].astype(np.int64)

    @property
    def digest(self) -> str:
        """Return a hash of the names and values of all parameters."""
        fingerprint = hashlib.sha256(json.dumps(self.names).encode())
        for values in self._values:
            listed = np.array([values.low, values.high, values.log]) if values.listed is None else values.listed
            fingerprint.update(np.int64(listed.size).tobytes() + listed.astype("<f8").tobytes())
            fingerprint.update(json.dumps(values.texts).encode() if values.texts else b"")
            fingerprint.update(repr(values.distribution).encode() if values.distribution else b"")
        return fingerprint.hexdigest()

    @abstractmethod
    def _rows(self, first: int, last: int) -> FloatArray: ...


class Grid(Plan):
    """Every value of a parameter with every value of all others."""

    def __init__(self, parameters: Mapping[str, Values]) -> None:
        self._listed = [_listed(values, name, "grid") for name, values in parameters.items()]
        count = math.prod(values.size for values in self._listed)
        if count > MOST_RUNS:
            reason = f"simulation_parameters: a grid of {count} runs; there may be {MOST_RUNS}"
            raise InvalidValueError(reason, "simulation_parameters")
        super().__init__(parameters, count)

    def _rows(self, first: int, last: int) -> FloatArray:
        return self.rows_of(np.arange(first, last, dtype=np.int64))

    def rows_of(self, runs: NDArray[np.int64]) -> FloatArray:
        """Return the parameters of any runs, shape (n_runs, n_parameters)."""
        left = runs
        rows = np.empty((left.size, len(self.names)))
        for place in reversed(range(len(self.names))):
            left, digit = np.divmod(left, self._listed[place].size)
            rows[:, place] = self._listed[place][digit]
        return rows

    def first_equal(self) -> NDArray[np.int64] | None:
        """Return the first equal run of each; of a grid only values that are listed twice make any."""
        if all(np.unique(values).size == values.size for values in self._listed):
            return None
        return super().first_equal()


class Zip(Plan):
    """The first values of all parameters, the second ones, and so on; one value alone is that of every run."""

    def __init__(self, parameters: Mapping[str, Values]) -> None:
        listed = {name: _listed(values, name, "zip") for name, values in parameters.items()}
        count = max((values.size for values in listed.values()), default=1)
        for name, values in listed.items():
            if values.size not in (1, count):
                raise InvalidValueError(
                    f"simulation_parameters.{name}: has {values.size} values where others have {count}; to be zipped, "
                    "all must have the same number, or one",
                    f"simulation_parameters.{name}",
                )
        self._columns = [np.broadcast_to(values, (count,)) for values in listed.values()]
        super().__init__(parameters, count)

    def _rows(self, first: int, last: int) -> FloatArray:
        return np.stack([column[first:last] for column in self._columns], axis=1)


class LatinHypercube(Plan):
    """As many strata as runs in every parameter, each met once [1]_.

    References
    ----------
    .. [1] McKay, Beckman, Conover (1979), Technometrics 21(2), 239-245.
    """

    def __init__(self, parameters: Mapping[str, Values], count: int, seed: int) -> None:
        _check_size(parameters, count, "a Latin hypercube")
        super().__init__(parameters, count)
        qmc = require("scipy.stats.qmc", "sweep")
        self._shares: FloatArray = qmc.LatinHypercube(len(self.names), rng=seed).random(count)

    def _rows(self, first: int, last: int) -> FloatArray:
        return _at(self._values, self._shares[first:last])


class Sobol(Plan):
    """A scrambled Sobol sequence; a power of two of runs covers the space evenly."""

    def __init__(self, parameters: Mapping[str, Values], count: int, seed: int) -> None:
        super().__init__(parameters, count)
        self._qmc: Any = require("scipy.stats.qmc", "sweep")
        self._seed = seed

    def _rows(self, first: int, last: int) -> FloatArray:
        return _at(self._values, _sobol(self._qmc, len(self.names), self._seed, first, last))


class Saltelli(Plan):
    """The design from which Sobol indices are estimated [1]_: rows A, AB_1 ... AB_d, B of every base point in turn.

    Each base point is one of a scrambled Sobol sequence in twice as many dimensions; its halves are a row of A and one
    of B, and AB_j is A with the parameter j of B, or with those of the group j. The order is that of SALib, whose
    ``analyze.sobol`` reads it.

    References
    ----------
    .. [1] Saltelli et al. (2010), Computer Physics Communications 181(2), 259-270.
    """

    def __init__(self, parameters: Mapping[str, Values], count: int, seed: int, labels: tuple[str, ...]) -> None:
        self._groups = [np.array([label == group for label in labels]) for group in dict.fromkeys(labels)]
        each = len(self._groups) + 2
        unit = "parameters" if len(self._groups) == len(parameters) else "groups"
        if count % each or count < 2 * each:
            base = max(2, 1 << round(math.log2(max(count / each, 2))))
            field = "sampling.runs"
            raise InvalidValueError(
                f"{field}: saltelli needs {each} runs a base point for {len(self._groups)} {unit}, so a multiple of "
                f"{each}, best with a power of two of base points, such as {base * each}",
                field,
            )
        super().__init__(parameters, count)
        self._qmc: Any = require("scipy.stats.qmc", "sweep")
        self._seed = seed

    def _rows(self, first: int, last: int) -> FloatArray:
        size = len(self.names)
        each = len(self._groups) + 2
        start, end = first // each, -(-last // each)
        points = _sobol(self._qmc, 2 * size, self._seed, start, end)
        shares = np.repeat(points[:, np.newaxis, :size], each, axis=1)
        for place, members in enumerate(self._groups):
            shares[:, 1 + place, members] = points[:, size:][:, members]
        shares[:, -1] = points[:, size:]
        return _at(self._values, shares.reshape(-1, size)[first - start * each : last - start * each])


class Morris(Plan):
    """Trajectories that change one parameter or group after the other, for elementary effects [1]_; SALib's design.

    References
    ----------
    .. [1] Morris (1991), Technometrics 33(2), 161-174.
    """

    def __init__(self, parameters: Mapping[str, Values], count: int, seed: int, labels: tuple[str, ...]) -> None:
        _check_size(parameters, count, "the design of Morris' method")
        each = len(set(labels)) + 1
        _check_multiple(count, each, "morris", "a trajectory")
        super().__init__(parameters, count)
        morris = require("SALib.sample.morris", "sweep")
        problem = _unit_cube(self.names)
        if each <= len(self.names):
            problem["groups"] = list(labels)
        self._shares: FloatArray = morris.sample(problem, count // each, seed=seed)

    def _rows(self, first: int, last: int) -> FloatArray:
        return _at(self._values, self._shares[first:last])


class Fast(Plan):
    """The search curves of the extended Fourier amplitude sensitivity test [1]_, one a parameter; they are SALib's.

    References
    ----------
    .. [1] Saltelli, Tarantola, Chan (1999), Technometrics 41(1), 39-56.
    """

    def __init__(self, parameters: Mapping[str, Values], count: int, seed: int) -> None:
        _check_size(parameters, count, "the design of FAST")
        _check_multiple(count, len(parameters), "fast", "a point of each curve", least=_FAST)
        super().__init__(parameters, count)
        fast = require("SALib.sample.fast_sampler", "sweep")
        self._shares: FloatArray = fast.sample(_unit_cube(self.names), count // len(self.names), seed=seed)

    def _rows(self, first: int, last: int) -> FloatArray:
        return _at(self._values, self._shares[first:last])


def _check_size(parameters: Mapping[str, Values], count: int, design: str) -> None:
    most = _MOST_NUMBERS // len(parameters)
    if count > most:
        reason = f"{design} is drawn as a whole, so of {len(parameters)} parameters it has at most {most} runs"
        raise InvalidValueError(f"sampling.runs: {reason}; sobol draws its points one by one", "sampling.runs")


def _check_multiple(count: int, each: int, method: str, unit: str, least: int = 2) -> None:
    if count % each or count < least * each:
        near = each * max(least, round(count / each))
        reason = f"{method} needs {each} runs for {unit} and at least {least * each}, so a multiple such as {near}"
        raise InvalidValueError(f"sampling.runs: {reason}", "sampling.runs")


def _unit_cube(names: tuple[str, ...]) -> dict[str, Any]:
    return {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}


def make_plan(parameters: Mapping[str, Values], sampling: Sampling) -> Plan:
    """Return the plan of a study.

    Raises
    ------
    InvalidValueError
        Naming the field that does not fit the way of sampling.
    """
    if sampling.method == "grid":
        return Grid(parameters)
    if sampling.method == "zip":
        return Zip(parameters)
    if not parameters:
        raise InvalidValueError("simulation_parameters: a sample needs parameters", "simulation_parameters")
    if sampling.runs is None:
        raise InvalidValueError(f"sampling.runs: {sampling.method} needs the number of runs", "sampling.runs")
    grouped: dict[str, type[Saltelli | Morris]] = {"saltelli": Saltelli, "morris": Morris}
    if sampling.method in grouped:
        labels = sampling.labels(list(parameters))
        return grouped[sampling.method](parameters, sampling.runs, sampling.seed, labels)
    kinds: dict[str, type[LatinHypercube | Sobol | Fast]] = {
        "latin_hypercube": LatinHypercube,
        "sobol": Sobol,
        "fast": Fast,
    }
    return kinds[sampling.method](parameters, sampling.runs, sampling.seed)


def _sobol(qmc: Any, dimensions: int, seed: int, first: int, last: int) -> FloatArray:
    """Return a stretch of a scrambled Sobol sequence."""
    if first == last:
        return np.empty((0, dimensions))
    sequence = qmc.Sobol(dimensions, rng=seed, bits=32)
    if first:
        sequence.fast_forward(first)
    # the first point alone: of a fresh sequence SciPy wants a power of two, which blocks of a plan never are
    return np.concatenate([sequence.random(1), sequence.random(last - first - 1)])


def _listed(values: Values, name: str, method: str) -> FloatArray:
    if values.listed is None:
        raise InvalidValueError(
            f"simulation_parameters.{name}: a range is for samples (latin_hypercube, sobol, saltelli, morris, fast); "
            f"a {method} needs values",
            f"simulation_parameters.{name}",
        )
    return values.listed


def _at(values: tuple[Values, ...], shares: FloatArray) -> FloatArray:
    return np.stack([axis.at(shares[:, place]) for place, axis in enumerate(values)], axis=1)
