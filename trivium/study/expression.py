"""Metrics by expression: arithmetic over named trajectories, read and evaluated by this module alone.

``final(sds.inventory) - first(sds.inventory)`` is an expression. Names are those of the model, brackets and dots
included; ``value("der(x)")`` is a variable whose name is no expression, ``total("*.I?1?")`` the sum of all variables
whose names match one of some patterns. What is not listed here is refused: an expression can compute, and nothing else.

=================================================  =====================================================================
``+ - * / ** %``, comparisons, ``and or not``      as in Python, for each output point; true is 1
``abs sqrt exp log log10 sin cos tan``             for each output point
``minimum(a, b)``, ``maximum(a, b)``               of two, for each output point
``where(condition, a, b)``                         a where the condition holds, else b
``cumulative(x)``                                  the integral over time until each output point, by trapezia
``time``                                           of the output points
``first final min max mean integral``              numbers of a trajectory; mean and integral over time
``when(condition)``                                when it first holds; nan if never
=================================================  =====================================================================
"""

from __future__ import annotations

import ast
import fnmatch
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from trivium.errors import InvalidValueError
from trivium.model.contract import FloatArray

#: Longest expression [characters].
_LONGEST = 10_000
_OPERATORS: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: np.divide, ast.Pow: np.power,
    ast.Mod: np.mod, ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: np.logical_not, ast.And: np.logical_and,
    ast.Or: np.logical_or, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
_POINTWISE: Mapping[str, tuple[Callable[..., Any], int]] = {
    **{name: (getattr(np, name), 1) for name in ("abs", "sqrt", "exp", "log", "log10", "sin", "cos", "tan")},
    "minimum": (np.minimum, 2),
    "maximum": (np.maximum, 2),
    "where": (np.where, 3),
}


def _cumulative(times: FloatArray, values: FloatArray) -> FloatArray:
    areas = 0.5 * (values[1:] + values[:-1]) * np.diff(times)
    sums: FloatArray = np.concatenate([[0.0], np.cumsum(areas)])
    return sums


def _when(times: FloatArray, holds: FloatArray) -> float:
    place = int(np.argmax(holds != 0.0))
    return float(times[place]) if holds[place] else float("nan")


_ALONG: Mapping[str, Callable[[FloatArray, FloatArray], Any]] = {
    "cumulative": _cumulative,
    "when": _when,
    "first": lambda _, values: values[0],
    "final": lambda _, values: values[-1],
    "min": lambda _, values: values.min(),
    "max": lambda _, values: values.max(),
    "mean": lambda times, values: np.trapezoid(values, times) / (times[-1] - times[0]),
    "integral": lambda times, values: np.trapezoid(values, times),
}
_FUNCTIONS = [*_POINTWISE, *_ALONG, "value", "total"]


class Expression:
    """A metric that is computed from trajectories.

    Parameters
    ----------
    text : str

    Raises
    ------
    ValueError
        When it is none, naming what is not allowed.
    """

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise ValueError(f"has {len(text)} characters, and an expression has at most {_LONGEST}")
        self._names: dict[str, None] = {}
        self._patterns: list[str] = []
        try:
            self._tree = ast.parse(text.strip(), mode="eval").body
            self._check(self._tree)
        except SyntaxError as error:
            raise ValueError(f"is no expression: {error.msg} at character {error.offset}") from error
        except OverflowError as error:
            raise ValueError("has a number that is too large") from error
        except (RecursionError, MemoryError) as error:
            raise ValueError("is nested too deeply") from error

    def variables(self, names: Iterable[str], field: str, suggest: Callable[[str, Iterable[str]], str]) -> list[str]:
        """Return the variables that it takes.

        Parameters
        ----------
        names : iterable of str
            All that there are.
        field : str
            Of the study, for refusals.
        suggest : callable
            Returns a sentence with names that are near.

        Raises
        ------
        InvalidValueError
            When there is no such variable, or it is no number at the end.
        """
        names = list(names)
        for name in self._names:
            if name not in names and name != "time":
                raise InvalidValueError(f"{field}: there is no variable {name}.{suggest(name, names)}", field)
        taken = [name for name in self._names if name != "time" or name in names]
        for pattern in self._patterns:
            matching = [name for name in names if _matches(name, [pattern])]
            if not matching:
                raise InvalidValueError(f"{field}: no variable matches {pattern!r}", field)
            taken += matching
        ones = dict.fromkeys(taken, np.ones(2))
        with np.errstate(all="ignore"):
            value = self._value(self._tree, np.array([0.0, 1.0]), ones)
        if np.ndim(value):
            reason = "must be one number: take first, final, min, max, mean, integral or when of a trajectory"
            raise InvalidValueError(f"{field}: {reason}", field)
        return list(dict.fromkeys(taken))

    def evaluate(self, times: FloatArray, columns: Mapping[str, FloatArray]) -> float:
        """Return the number for some trajectories, all of shape (n,)."""
        with np.errstate(all="ignore"):  # 1 / 0 is no number, and not a warning
            return float(self._value(self._tree, times, columns))

    def _check(self, node: ast.AST) -> None:
        match node:
            case ast.Constant(value=bool() | int() | float() as number):
                if not np.isfinite(float(number)):
                    raise ValueError("has a number that is too large")
            case ast.Name() | ast.Attribute() | ast.Subscript():
                self._names[_name(node)] = None
            case ast.Call(func=ast.Name(id="value"), args=[ast.Constant(value=str() as name)], keywords=[]):
                self._names[name] = None
            case ast.Call(func=ast.Name(id="total"), args=[_, *_] as arguments, keywords=[]) if _texts(arguments):
                self._patterns += _texts(arguments)
            case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]) if function in _FUNCTIONS:
                count = _POINTWISE[function][1] if function in _POINTWISE else 1
                if len(arguments) != count or function in ("value", "total"):
                    raise ValueError(f"{function} takes {count} argument{'s' if count > 1 else ''}")
                self._check_all(arguments)
            case ast.Call(func=function):
                raise ValueError(f"has no function {ast.unparse(function)}; there are: {', '.join(_FUNCTIONS)}")
            case ast.BinOp(op=op) | ast.UnaryOp(op=op) | ast.BoolOp(op=op) if type(op) in _OPERATORS:
                self._check_all(each for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr))
            case ast.Compare(ops=ops) if all(type(op) in _OPERATORS for op in ops):
                self._check_all([node.left, *node.comparators])
            case _:
                raise ValueError(f"may not hold {ast.unparse(node)!r}: numbers, names, operators and functions only")

    def _check_all(self, nodes: Iterable[ast.expr]) -> None:
        for node in nodes:
            self._check(node)

    def _value(self, node: ast.AST, times: FloatArray, columns: Mapping[str, FloatArray]) -> Any:
        def value(inner: ast.AST) -> Any:
            return self._value(inner, times, columns)

        match node:
            case ast.Constant(value=number):
                return np.float64(number)  # type: ignore[arg-type]  # `_check` sees to it
            case ast.Name() | ast.Attribute() | ast.Subscript():
                name = _name(node)
                return columns.get(name, times)
            case ast.Call(func=ast.Name(id="value"), args=[ast.Constant(value=name)]):
                return columns[str(name)]
            case ast.Call(func=ast.Name(id="total"), args=arguments):
                return sum(columns[name] for name in columns if _matches(name, _texts(arguments)))
            case ast.Call(func=ast.Name(id=function), args=arguments):
                if function in _POINTWISE:
                    return _POINTWISE[function][0](*map(value, arguments))
                return _ALONG[function](times, np.broadcast_to(value(arguments[0]) + 0.0, times.shape))
            case ast.UnaryOp(op=op, operand=operand):
                return _OPERATORS[type(op)](value(operand)) + 0.0
            case ast.BinOp(op=op, left=left, right=right):
                return _OPERATORS[type(op)](value(left), value(right))
            case ast.BoolOp(op=op, values=values):
                result = value(values[0])
                for each in values[1:]:
                    result = _OPERATORS[type(op)](result, value(each))
                return result + 0.0
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                holds: Any = True
                before = value(left)
                for comparison, each in zip(ops, comparators, strict=True):
                    after = value(each)
                    holds, before = holds & _OPERATORS[type(comparison)](before, after), after
                return holds + 0.0
        raise AssertionError(node)


def _texts(nodes: Iterable[ast.expr]) -> list[str]:
    """Return texts; none where not all are."""
    texts = [node.value if isinstance(node, ast.Constant) else None for node in nodes]
    return [text for text in texts if isinstance(text, str)] if all(isinstance(text, str) for text in texts) else []


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _name(node: ast.AST) -> str:
    """Return the name of a variable as the model writes it."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=owner, attr=part):
            return f"{_name(owner)}.{part}"
        case ast.Subscript(value=owner, slice=ast.Constant() | ast.Tuple() as index):
            return f"{_name(owner)}[{ast.unparse(index).strip('()').replace(' ', '')}]"
    raise ValueError(f'has the name {ast.unparse(node)!r}, which is none; write value("...") for an unusual one')
