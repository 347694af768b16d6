"""Values of a parameter as a study writes them.

==========================  ============================================================================================
written as                  means
==========================  ============================================================================================
``[1, 2, 5]``, ``3``        these values; one value
``"a:b:step"``              from a on by steps, b included where a step meets it
``"linspace:a:b:n"``        n values evenly between a and b, both included
``"log:a:b:n"``             the same on a logarithmic scale
``"rand:a:b:n"``            n values at random, evenly likely between a and b; the same ones for the same seed
``"file:table.csv"``        a column of numbers, with or without a heading; of several columns ``file:table.csv:name``
``"range:a:b"``             any value between a and b, for samples only
``"logrange:a:b"``          the same, evenly likely on a logarithmic scale
``"triang:a:b:c"``          between a and b, likeliest at the share c of the way, in [0, 1]; for samples only, as are:
``"norm:mean:deviation"``   a normal distribution; ``"truncnorm:a:b:mean:deviation"``: the same between a and b
``"lognorm:mean:deviation"``  one whose logarithm is normal, with this mean and deviation
``"{1, [2, 3], '4:6:1'}"``  the elements of an array, each written in one of these forms; see `elements`
==========================  ============================================================================================
"""

from __future__ import annotations

import ast
import csv
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trivium.errors import InvalidValueError
from trivium.extras import require
from trivium.model.contract import FloatArray

#: Most values that one expression may stand for.
MOST = 10_000_000
#: Distributions, and how many numbers each has.
_DISTRIBUTIONS = {"triang": 3, "norm": 2, "truncnorm": 4, "lognorm": 2}
#: Least share, from either end, of the values of a distribution that has no end.
_OUTMOST = 1e-6
#: How far beyond its end, in steps, a progression may still count as meeting it.
_SLACK = 1e-9


@dataclass(frozen=True)
class Distribution:
    """How likely the values of a parameter are.

    Attributes
    ----------
    kind : str
        A key of `_DISTRIBUTIONS`.
    numbers : tuple of float
        Its numbers, as the table above has them.
    """

    kind: str
    numbers: tuple[float, ...]

    def at(self, share: FloatArray) -> FloatArray:
        """Return the values that these shares of all values do not exceed."""
        stats = require("scipy.stats", "sweep")
        first, second, *rest = self.numbers
        # a share of 0 or 1, which a design may have, is at infinity where a distribution has no end
        inner = np.clip(share, _OUTMOST, 1.0 - _OUTMOST)
        values: FloatArray
        if self.kind == "triang":
            values = stats.triang.ppf(share, rest[0], loc=first, scale=second - first)
        elif self.kind == "truncnorm":
            mean, deviation = rest
            ends = (first - mean) / deviation, (second - mean) / deviation
            values = stats.truncnorm.ppf(share, *ends, loc=mean, scale=deviation)
        else:
            values = stats.norm.ppf(inner, loc=first, scale=second)
            values = np.exp(values) if self.kind == "lognorm" else values
        return values

    def is_valid(self) -> bool:
        """Return whether the numbers make a distribution."""
        first, second, *rest = self.numbers
        if self.kind in ("norm", "lognorm"):
            return second > 0
        return first < second and (0 <= rest[0] <= 1 if self.kind == "triang" else rest[1] > 0)


@dataclass(frozen=True)
class Values:
    """What a parameter may be.

    Attributes
    ----------
    listed : FloatArray or None
        The values; None for a range.
    low, high : float
        Ends of a range.
    log : bool
        Whether the range is logarithmic.
    texts : tuple of str
        Of a text; `listed` has their places then.
    distribution : Distribution or None
        Of a range whose values are not evenly likely; its ends are those of all but two in a million values then.
    """

    listed: FloatArray | None
    low: float = math.nan
    high: float = math.nan
    log: bool = False
    texts: tuple[str, ...] = ()
    distribution: Distribution | None = None

    def at(self, share: FloatArray) -> FloatArray:
        """Return the values at shares of the range, or of the list, in [0, 1)."""
        if self.listed is not None:
            places: NDArray[np.intp] = np.minimum((share * self.listed.size).astype(np.intp), self.listed.size - 1)
            return self.listed[places]
        if self.distribution is not None:
            return self.distribution.at(share)
        if self.log:
            return np.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        return self.low + share * (self.high - self.low)


def elements(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters with arrays ``"x": "{1, [2, 3]}"`` as their elements ``x[1]``, ``x[2]``, which count from 1.

    What is in braces and no list of values stays as it is.

    Raises
    ------
    ValueError
        When an element has values of its own too.
    """
    single: dict[str, Any] = {}
    for name, source in parameters.items():
        parts = _in_braces(source)
        named = {name: source} if parts is None else {f"{name}[{place}]": each for place, each in enumerate(parts, 1)}
        doubled = [each for each in named if each in single or (each != name and each in parameters)]
        if doubled:
            raise ValueError(f"{doubled[0]} has values of its own, and is an element of {name} too")
        single |= named
    return single


def _in_braces(source: Any) -> list[Any] | None:
    text = source.strip() if isinstance(source, str) else ""
    if not (text.startswith("{") and text.endswith("}")):
        return None
    try:
        parts = ast.literal_eval(f"[{text[1:-1]}]")
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return parts if isinstance(parts, list) and parts else None


def table(source: str, folder: Path) -> dict[str, list[str]]:
    """Read a table whose columns are parameters, as its heading names them, and whose rows are runs.

    Raises
    ------
    InvalidValueError
        When it cannot be read, or has no rows.
    """
    rest = source.strip().removeprefix("file:")
    heading, *body = _read(folder / rest, rest, "file") or [[]]
    names = [cell.strip() for cell in heading]
    if not body or "" in names or len(set(names)) < len(names):
        raise _refused("file", f"{rest} must have a heading that names each parameter once, and a row for each run")
    for row in body:
        if len(row) != len(names):
            raise _refused("file", f"{rest} has a row of {len(row)} cells where its heading has {len(names)}")
    return {name: [row[place].strip() for row in body] for place, name in enumerate(names)}


def parse(source: Any, name: str, folder: Path, seed: int) -> Values:
    """Read the values of a parameter.

    Parameters
    ----------
    source : Any
        As the table above has it.
    name : str
        The parameter; named in errors, and one of what random values depend on.
    folder : Path
        What file names are relative to.
    seed : int
        The other one.

    Raises
    ------
    InvalidValueError
        Naming the parameter and what is wrong.
    """
    if isinstance(source, str):
        return _expression(source.strip(), name, folder, seed)
    listed = source if isinstance(source, list | tuple) else [source]
    return Values(_checked([_number(value, name) for value in listed], name))


def parse_texts(source: Any, name: str) -> Values:
    """Read the values of a parameter that is a text: one text or a list of them, each as it is.

    Raises
    ------
    InvalidValueError
        Naming the parameter and what is wrong.
    """
    texts = list(source) if isinstance(source, list | tuple) else [source]
    for text in texts:
        if not isinstance(text, str):
            raise _refused(name, f"{text!r} is no text, and {name} is one")
    return Values(_checked(np.arange(len(texts), dtype=np.float64), name), texts=tuple(texts))


def _expression(text: str, name: str, folder: Path, seed: int) -> Values:
    kind, _, rest = text.partition(":")
    if kind == "file":
        return Values(_checked(_from_file(rest, name, folder), name))
    if kind in ("range", "logrange"):
        low, high = _numbers(rest, 2, name, text)
        if not low < high or (kind == "logrange" and low <= 0):
            raise _refused(name, f"{text!r} is no range: its ends must grow, and be positive on a logarithmic scale")
        return Values(None, low, high, kind == "logrange")
    if kind in _DISTRIBUTIONS:
        distribution = Distribution(kind, tuple(_numbers(rest, _DISTRIBUTIONS[kind], name, text)))
        if not distribution.is_valid():
            raise _refused(name, f"{text!r} is no distribution: ends must grow, and deviations be positive")
        low, high = distribution.at(np.array([_OUTMOST, 1.0 - _OUTMOST])).tolist()
        return Values(None, low, high, distribution=distribution)
    if kind in ("linspace", "log", "rand"):
        low, high, n = _numbers(rest, 3, name, text)
        if not n.is_integer() or not 1 <= n <= MOST:
            raise _refused(name, f"the count in {text!r} must be a whole number from 1 to {MOST}")
        if kind == "log" and min(low, high) <= 0:
            raise _refused(name, f"the ends of {text!r} must be positive")
        if kind == "linspace":
            return Values(_checked(np.linspace(low, high, int(n)), name))
        if kind == "log":
            return Values(_checked(np.geomspace(low, high, int(n)), name))
        generator = np.random.default_rng([seed, zlib.crc32(name.encode())])
        return Values(_checked(generator.uniform(low, high, int(n)), name))
    if ":" in text:
        start, end, step = _numbers(text, 3, name, text)
        steps = (end - start) / step if step else math.nan
        if not 0 <= steps < MOST:
            raise _refused(name, f"{text!r} is no progression start:end:step, or one of more than {MOST} values")
        return Values(_checked(start + step * np.arange(math.floor(steps + _SLACK) + 1, dtype=np.float64), name))
    return Values(_checked([_number(text, name)], name))


def _from_file(rest: str, name: str, folder: Path) -> Sequence[float]:
    path, column = folder / rest, ""
    if not path.is_file() and ":" in rest:
        rest, _, column = rest.rpartition(":")
        path = folder / rest
    rows = _read(path, rest, name)
    heading = [cell.strip() for cell in rows[0]] if rows else []
    place = 0
    if column:
        if column not in heading:
            raise _refused(name, f"{rest} has no column {column!r}; it has: {', '.join(heading) or 'none'}")
        place = heading.index(column)
    elif len(heading) > 1:
        reason = f"{rest} has several columns; choose one: file:{rest}:{heading[0]}"
        raise _refused(name, f'{reason}, or take them all, a run for each row: "file": "{rest}"')
    body = rows[1:] if column or (heading and not _is_number(heading[0])) else rows
    return [_number(row[place] if place < len(row) else "", name) for row in body]


def _read(path: Path, name_of_file: str, name: str) -> list[list[str]]:
    """Return the rows of a table that are not blank."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _refused(name, f"{name_of_file} cannot be read: {error}") from error


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numbers(text: str, count: int, name: str, source: str) -> list[float]:
    parts = text.split(":")
    if len(parts) != count:
        raise _refused(name, f"{source!r} needs {count} numbers, but has {len(parts)}")
    return [_number(part, name) for part in parts]


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool):
        return float(value)
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise _refused(name, f"{value!r} is no number") from None
    if not math.isfinite(number):
        raise _refused(name, f"{value!r} is not finite")
    return number


def _checked(values: Sequence[float] | FloatArray, name: str) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        raise _refused(name, "there are no values")
    return array


def _refused(name: str, why: str) -> InvalidValueError:
    return InvalidValueError(f"simulation_parameters.{name}: {why}", f"simulation_parameters.{name}")
