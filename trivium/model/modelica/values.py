"""Numbers and arrays of CasADi's symbols: what an expression of Modelica evaluates to."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import casadi as ca


@dataclass(frozen=True)
class Value:
    """A number or an array.

    Attributes
    ----------
    shape : tuple of int
        Empty for a number.
    items : tuple of casadi.SX
        Row by row.
    """

    shape: tuple[int, ...]
    items: tuple[ca.SX, ...]

    @property
    def scalar(self) -> ca.SX:
        """Return the number.

        Raises
        ------
        ValueError
            When it is an array.
        """
        if len(self.items) != 1:
            raise ValueError(f"a number is needed, not an array of the shape {self.shape}")
        return self.items[0]

    def map(self, function: Callable[[ca.SX], ca.SX]) -> Value:
        """Apply a function to each element."""
        return Value(self.shape, tuple(function(item) for item in self.items))

    def rows(self) -> list[Value]:
        """Return the elements along the first dimension."""
        size = math.prod(self.shape[1:])
        return [Value(self.shape[1:], self.items[k * size : (k + 1) * size]) for k in range(self.shape[0])]


def number(value: float | ca.SX) -> Value:
    """Return a number."""
    return Value((), (ca.SX(value),))


def stack(values: Sequence[Value]) -> Value:
    """Return an array with these elements along a new first dimension."""
    shape = values[0].shape if values else ()
    return Value((len(values), *shape), tuple(item for value in values for item in value.items))


def combine(left: Value, right: Value, function: Callable[[ca.SX, ca.SX], ca.SX]) -> Value:
    """Apply a function element by element; a number counts for all elements.

    Raises
    ------
    ValueError
        When the shapes differ.
    """
    if not left.shape and right.shape:
        return right.map(lambda item: function(left.scalar, item))
    if not right.shape and left.shape:
        return left.map(lambda item: function(item, right.scalar))
    if left.shape != right.shape:
        raise ValueError(f"shapes {left.shape} and {right.shape} do not fit")
    return Value(left.shape, tuple(function(a, b) for a, b in zip(left.items, right.items, strict=True)))


def product(left: Value, right: Value) -> Value:
    """Return the product of numbers, vectors and matrices as Modelica has it.

    Raises
    ------
    ValueError
        When the shapes do not fit.
    """
    if not left.shape or not right.shape:
        return combine(left, right, lambda a, b: a * b)
    if left.shape[-1] != right.shape[0]:
        raise ValueError(f"shapes {left.shape} and {right.shape} do not fit")
    rows = left.rows() if len(left.shape) == 2 else [left]
    columns = transpose(right).rows() if len(right.shape) == 2 else [right]
    items = tuple(
        total(a * b for a, b in zip(row.items, column.items, strict=True)) for row in rows for column in columns
    )
    return Value((*left.shape[:-1], *right.shape[1:]), items)


def transpose(value: Value) -> Value:
    """Return the transpose of a matrix."""
    rows, columns = value.shape
    return Value((columns, rows), tuple(value.items[i * columns + j] for j in range(columns) for i in range(rows)))


def total(items: Iterable[ca.SX]) -> ca.SX:
    """Return the sum."""
    result = ca.SX(0)
    for item in items:
        result = result + item
    return result


def choose(condition: ca.SX, yes: Value, no: Value) -> Value:
    """Return one of two values of the same shape."""
    if condition.is_constant():
        return yes if float(condition) else no
    return combine(yes, no, lambda a, b: a if ca.is_equal(a, b, 1) else ca.if_else(condition, a, b))


def concatenate(values: Sequence[Value], axis: int) -> Value:
    """Return matrices beside (axis 1) or below each other (axis 0); vectors are columns, numbers are 1 by 1."""
    matrices = [promote(value) for value in values]
    if axis == 1:
        return transpose(concatenate([transpose(each) for each in matrices], 0))
    return Value(
        (sum(each.shape[0] for each in matrices), matrices[0].shape[1]),
        tuple(item for each in matrices for item in each.items),
    )


def promote(value: Value) -> Value:
    """Return a number or vector as a matrix."""
    if not value.shape:
        return Value((1, 1), value.items)
    return Value((*value.shape, 1), value.items) if len(value.shape) == 1 else value


def places(shape: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the subscripts of all elements, row by row, counted from 1."""
    return list(itertools.product(*(range(1, size + 1) for size in shape)))


def select(base: Value, subscripts: Sequence[Value | None]) -> Value:
    """Return elements of an array.

    Parameters
    ----------
    base : Value
    subscripts : sequence of Value or None
        Numbers or vectors, counted from 1; None for all of a dimension. A number that is no constant is one that is
        looked up while the model runs.

    Raises
    ------
    ValueError
        When a subscript is outside, or a vector of subscripts is no constant.
    """
    subscripts = [*subscripts, *([None] * (len(base.shape) - len(subscripts)))]
    if not subscripts:
        return base
    first, rest = subscripts[0], subscripts[1:]
    rows = [select(row, rest) for row in base.rows()]
    if first is None:
        return stack(rows)
    if first.shape:
        return stack([rows[_index(item, len(rows))] for item in first.items])
    if first.scalar.is_constant():
        return rows[_index(first.scalar, len(rows))]
    found = rows[-1]
    for place in range(len(rows) - 1, 0, -1):
        found = choose(ca.eq(first.scalar, place), rows[place - 1], found)
    return found


def _index(item: ca.SX, size: int) -> int:
    if not item.is_constant():
        raise ValueError("subscripts in a vector must be constants")
    place = round(float(item))
    if not 1 <= place <= size:
        raise ValueError(f"the subscript {place} is outside 1 to {size}")
    return place - 1
