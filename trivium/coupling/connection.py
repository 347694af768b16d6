"""Connections: an output of one component as an input of another, through transforms and units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trivium.coupling import transform, units
from trivium.coupling.spec import Connection
from trivium.errors import ComponentError, InvalidValueError
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable

if TYPE_CHECKING:
    import pandas as pd

VALUE = "VALUE"


@dataclass(frozen=True)
class Link:
    """A connection between variables that are there.

    Attributes
    ----------
    spec : Connection
    sources : Mapping[str, Variable]
        By ``component.output``.
    target : Variable
    folder : Path
        What file names of transforms are relative to.
    """

    spec: Connection
    sources: Mapping[str, Variable]
    target: Variable
    folder: Path

    @property
    def name(self) -> str:
        """Return the connection in words."""
        return f"{self.spec.source} -> {self.spec.target}"

    def value(self, outputs: Mapping[str, FloatArray]) -> FloatArray:
        """Return the target's value.

        Parameters
        ----------
        outputs : Mapping[str, FloatArray]
            At least those of `sources`.

        Returns
        -------
        FloatArray
            Shape and unit of the target; bounds are not looked at.

        Raises
        ------
        ComponentError
            Naming the connection, and what of a table is missing, twice or not convertible.
        """
        source = self.sources[self.spec.source]
        try:
            if not self.spec.transform and _same(source, self.target):
                value = outputs[self.spec.source]
                return value if source.unit == self.target.unit else units.convert(value, source.unit, self.target.unit)
            tables = {n: transform.Table(as_frame(v, outputs[n]), v.unit or "1") for n, v in self.sources.items()}
            converted = transform.apply(self.spec.transform, tables[self.spec.source], tables, self.folder)
            converted = transform.convert(converted, self.target.unit or "1")
            return as_array(self.target, converted.frame)
        except (InvalidValueError, ValueError) as error:
            raise ComponentError(f"{self.name}: {error}") from error


def as_frame(variable: Variable, value: FloatArray) -> pd.DataFrame:
    """Return an array as a long table: a column a dimension, and VALUE."""
    import pandas

    if not variable.dims:
        return pandas.DataFrame({VALUE: value.reshape(1)})
    index = pandas.MultiIndex.from_product(list(variable.dims.values()), names=list(variable.dims))
    return pandas.DataFrame({VALUE: value.ravel()}, index=index).reset_index()


def as_array(variable: Variable, frame: pd.DataFrame) -> FloatArray:
    """Return a long table as an array.

    Parameters
    ----------
    variable : Variable
        Whose dimensions the table must have, in any order, with every coordinate once and no other.
    frame : DataFrame

    Raises
    ------
    ValueError
        Naming the column and the row that is wrong, or the element that is missing.
    """
    columns, dims = [name for name in frame.columns if name != VALUE], list(variable.dims)
    if sorted(columns) != sorted(dims):
        have, need = (", ".join(names) or "none" for names in (columns, dims))
        raise ValueError(f"the dimensions are {have}, where {variable.name} has {need}")
    places = np.zeros((len(dims), len(frame)), dtype=np.intp)
    for axis, (name, coordinates) in enumerate(variable.dims.items()):
        position = {at: place for place, at in enumerate(coordinates)}
        for row, at in enumerate(frame[name].tolist()):
            if at not in position:
                raise ValueError(f"column {name}, row {row}: {variable.name} has no {at}")
            places[axis, row] = position[at]
    flat = np.ravel_multi_index(tuple(places), variable.shape) if dims else np.zeros(len(frame), dtype=np.intp)
    counts = np.bincount(flat, minlength=variable.size)
    for wrong, problem in ((counts > 1, "is there twice"), (counts == 0, "is missing")):
        if wrong.any():
            place = np.unravel_index(int(np.argmax(wrong)), variable.shape) if dims else ()
            raise ValueError(f"{variable.element([int(i) for i in place])} {problem}")
    values = np.empty(variable.size)
    values[flat] = frame[VALUE].to_numpy(dtype=np.float64)
    return values.reshape(variable.shape)


def _same(source: Variable, target: Variable) -> bool:
    return list(source.dims.items()) == list(target.dims.items())


def check_units(links: Sequence[Link]) -> None:
    """Refuse connections without transforms whose units do not go together; others are found when they are used.

    Raises
    ------
    InvalidValueError
        Naming the connection.
    """
    for link in links:
        if link.spec.transform:
            continue
        source = link.sources[link.spec.source]
        try:
            if source.unit != link.target.unit:
                units.convert(np.ones(1), source.unit, link.target.unit)
        except InvalidValueError as error:
            raise InvalidValueError(f"{link.name}: {error}", "connections") from error
        if not _same(source, link.target) and set(source.dims) != set(link.target.dims):
            have, need = (", ".join(v.dims) or "none" for v in (source, link.target))
            raise InvalidValueError(f"{link.name}: the dimensions are {have}, where {need} are meant", "connections")
