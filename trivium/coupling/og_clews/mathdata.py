"""Data of a GNU MathProg model: what a file says of sets and parameters, and the file with other values in it.

Reading the file here, instead of letting ``glpsol`` print its parameters, saves a second generation of the model, which
is most of the time that a case takes. The forms of MathProg's data (GLPK's *Modeling Language GNU MathProg*, chapter 5)
are read: plain lists, slices, tables, transposed tables, and several parameters in one table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from trivium.coupling.tables import NAMES, WHOLE
from trivium.errors import ComponentError, InvalidValueError

_COMMENT = re.compile(r"/\*.*?\*/|\"[^\"\n]*\"|'[^'\n]*'|#[^\n]*", re.DOTALL)
_TOKEN = re.compile(r"'[^']*'|\"[^\"]*\"|:=|[\[\](),:]|[^\s\[\](),:'\"]+")
_STATEMENT = re.compile(r"\b(set|param)\b((?:'[^'\n]*'|\"[^\"\n]*\"|[^;'\"])*);")
_PLAIN = re.compile(r"[\w.+&-]+")
#: Most rows of a parameter that is written out because its default is not 0.
_MOST = 10**7


def without_comments(name: str) -> str:
    """Return the text of a file in the working directory without its comments.

    Raises
    ------
    ComponentError
        When it cannot be read.
    """
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ComponentError(f"{name} cannot be read: {error}") from error
    return _COMMENT.sub(lambda match: match[0] if match[0][0] in "\"'" else " ", text)


@dataclass(frozen=True)
class Declarations:
    """What a model declares.

    Attributes
    ----------
    parameters : Mapping[str, tuple of str]
        Dimensions of parameters, by our names where they are OSeMOSYS's.
    variables : Mapping[str, tuple of str]
    sets : Mapping[str, str]
        What the model calls the set of a dimension.
    defaults : Mapping[str, float]
        Of parameters that have a number as default; 0 where the default is a formula or there is none.
    settled : frozenset of str
        Parameters with any default, of which data must not have another.
    """

    parameters: Mapping[str, tuple[str, ...]]
    variables: Mapping[str, tuple[str, ...]]
    sets: Mapping[str, str]
    defaults: Mapping[str, float]
    settled: frozenset[str]

    @classmethod
    def read(cls, text: str) -> Declarations:
        """Read a model without comments."""
        found: dict[str, dict[str, tuple[str, ...]]] = {"param": {}, "var": {}}
        sets: dict[str, str] = {}
        defaults, settled = {}, set()
        for kind, name, inside, rest in re.findall(r"\b(param|var)\s+(\w+)\s*(?:\{([^}]*)\})?([^;]*);", text):
            dims = []
            for index in filter(None, (part.split(":")[0].strip() for part in inside.split(","))):
                letter, _, domain = index.rpartition(" in ")
                dim = NAMES.get(letter.strip().lower()) or NAMES.get(domain.strip().lower(), domain.strip())
                if kind == "param":
                    sets.setdefault(dim, domain.strip())
                dims.append(dim)
            found[kind][name] = tuple(dims)
            number = re.search(r"default\s+([-+.\deE]+)\s*(?:,|$)", rest.strip())
            defaults[name] = float(number[1]) if number else 0.0
            settled |= {name} if re.search(r"\bdefault\b", rest) else set()
        return cls(found["param"], found["var"], sets, defaults, frozenset(settled))


@dataclass(frozen=True)
class Parameter:
    """Values of a parameter.

    Attributes
    ----------
    table : DataFrame
        What the file says: a column a dimension, and VALUE.
    default : float
        Everywhere else.
    """

    table: pd.DataFrame
    default: float = 0.0

    def times(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a table times the parameter."""
        dims = [name for name in self.table.columns if name != "VALUE"]
        shared = [name for name in dims if name in frame.columns]
        how = "left" if self.default and len(shared) == len(dims) else "inner"
        both = frame.merge(self.table.rename(columns={"VALUE": "by"}), on=shared, how=how)
        value = both["VALUE"] * both["by"].fillna(self.default)
        return both.assign(VALUE=value)[[*[name for name in both if name not in ("VALUE", "by")], "VALUE"]]

    def everywhere(self, coordinates: Mapping[str, Sequence[object]]) -> pd.DataFrame:
        """Return the table with the default written out where it is not 0."""
        if not self.default:
            return self.table
        dims = [name for name in self.table.columns if name != "VALUE"]
        if np.prod([len(coordinates[name]) for name in dims]) > _MOST:
            raise InvalidValueError(f"a default of {self.default:g} over {', '.join(dims)} is too much", "data")
        places = pd.MultiIndex.from_product([coordinates[name] for name in dims], names=dims).to_frame(index=False)
        return places.merge(self.table, on=dims, how="left").fillna({"VALUE": self.default})


class Data:
    """A data file.

    Parameters
    ----------
    text : str
        Without comments.
    label : str
        What it is, for errors.
    declared : Declarations
        Of the model that it belongs to.
    """

    def __init__(self, text: str, label: str, declared: Declarations) -> None:
        self.text, self._label, self._declared = text, label, declared
        self._places: dict[tuple[str, str], tuple[int, int]] = {}
        for match in _STATEMENT.finditer(text):
            for name in _named(match[2]) if match[1] == "param" else re.findall(r"^\s*(\w+)\s*:?=?", match[2]):
                self._places[match[1], name] = match.span()

    def has(self, name: str) -> bool:
        """Return whether the file says anything of a parameter."""
        return ("param", name) in self._places

    def coordinates(self, dim: str) -> list[str | int]:
        """Return the members of the set of a dimension.

        Raises
        ------
        InvalidValueError
            When the file does not list them.
        """
        name = self._declared.sets.get(dim, dim)
        if ("set", name) not in self._places:
            raise InvalidValueError(f"{self._label} has no set {name}", "data")
        tokens = [token for token in self._tokens("set", name)[2:] if token not in (":=", ",")]
        return [_coordinate(dim, token) for token in tokens]

    def parameter(self, name: str) -> Parameter:
        """Return a parameter; one that the file does not have has the model's default everywhere.

        Raises
        ------
        InvalidValueError
            When the file is no data of MathProg there.
        """
        dims = self._declared.parameters[name]
        if not self.has(name):
            return Parameter(_frame([], dims), self._declared.defaults[name])
        try:
            default, rows = _parameter(self._tokens("param", name), name, len(dims))
            values = _frame(rows, dims)
        except (ValueError, IndexError, StopIteration) as error:
            raise InvalidValueError(f"{self._label}: the data of {name} cannot be read: {error}", "data") from error
        return Parameter(values, self._declared.defaults[name] if default is None else default)

    def replaced(self, name: str, table: pd.DataFrame, default: float = 0.0) -> Data:
        """Return data with other values of a parameter.

        Raises
        ------
        InvalidValueError
            When the parameter shares its statement with others.
        """
        rows = "\n".join(" ".join(map(_token, row)) for row in table.itertuples(index=False))
        otherwise = "" if name in self._declared.settled else f" default {default!r}"
        statement = f"param {name}{otherwise} :=\n{rows}\n;"
        start, end = self._places.get(("param", name), (0, 0))
        if not end:
            statement = f"{statement}\n"
        elif len(_named(self.text[start + len("param") : end - 1])) > 1:
            raise InvalidValueError(f"{self._label} has no parameter {name} in a statement of its own", "data")
        return Data(self.text[:start] + statement + self.text[end:], self._label, self._declared)

    def _tokens(self, kind: str, name: str) -> list[str]:
        start, end = self._places[kind, name]
        return _TOKEN.findall(self.text, start, end - 1)


def _named(statement: str) -> list[str]:
    """Return the parameters that a statement has values of, given what is between ``param`` and ``;``."""
    head, _, _ = statement.partition(":=")
    match = re.match(r"\s*(?:default\s+\S+\s*)?:\s*(?:\w+\s*:)?([^:]*)$", head)
    return match[1].split() if match else re.findall(r"^\s*(\w+)", statement)


def _parameter(tokens: Sequence[str], name: str, n_dims: int) -> tuple[float | None, list[tuple[str, ...]]]:
    """Return the default and the rows, coordinates and value, of a parameter's statement."""
    stream = _Stream(tokens[1:])
    default = None
    columns: list[str] = []
    if stream.peek() == name:
        stream.take()
    if stream.peek() == "default":
        stream.take()
        default = float(stream.take())
    if stream.peek() == ":" and name in stream.until_assign():
        stream.take()
        columns = stream.names()
        if ":" in columns:
            columns = columns[columns.index(":") + 1 :]
        place = columns.index(name)
        rows = []
        while stream:
            key = [stream.take() for _ in range(n_dims)]
            values = [stream.take() for _ in columns]
            rows.append((*key, values[place]))
        return default, [row for row in rows if row[-1] != "."]
    return default, list(_rows(stream, n_dims))


def _rows(stream: _Stream, n_dims: int) -> Iterator[tuple[str, ...]]:
    chosen, transposed = ["*"] * n_dims, False
    columns: list[str] | None = None
    while stream:
        word = stream.take()
        if word == ":=":
            continue
        if word == "[":
            chosen, columns, transposed = stream.slice(), None, False
        elif word == "(":
            transposed = stream.take() == "tr" and stream.take() == ")"
        elif word == ":":
            columns = stream.names()
        else:
            free = [place for place, key in enumerate(chosen) if key == "*"]
            if columns is not None:
                for column in columns:
                    value = stream.take()
                    pair = (column, word) if transposed else (word, column)
                    if value != ".":
                        yield _filled(chosen, free, pair, value)
            elif not free:
                yield (*chosen, word)
            else:
                key = (word, *(stream.take() for _ in free[1:]))
                yield _filled(chosen, free, key, stream.take())


def _filled(chosen: Sequence[str], free: Sequence[int], key: Sequence[str], value: str) -> tuple[str, ...]:
    if len(free) != len(key):
        raise ValueError(f"a table has two dimensions, and {len(free)} are left open")
    places = dict(zip(free, key, strict=True))
    return (*(places.get(place, each) for place, each in enumerate(chosen)), value)


class _Stream:
    """Tokens of a statement; commas mean nothing but between brackets."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens, self._at = [word for word in tokens if word != ","], 0

    def __bool__(self) -> bool:
        return self._at < len(self._tokens)

    def peek(self) -> str:
        return self._tokens[self._at] if self else ""

    def take(self) -> str:
        if not self:
            raise ValueError("it ends within a row")
        self._at += 1
        return self._tokens[self._at - 1]

    def slice(self) -> list[str]:
        end = self._tokens.index("]", self._at)
        keys, self._at = self._tokens[self._at : end], end + 1
        return keys

    def until_assign(self) -> list[str]:
        return self._tokens[self._at : self._tokens.index(":=", self._at)] if ":=" in self._tokens else []

    def names(self) -> list[str]:
        end = self._tokens.index(":=", self._at)
        names, self._at = self._tokens[self._at : end], end + 1
        return names


def _frame(rows: Sequence[tuple[str, ...]], dims: Sequence[str]) -> pd.DataFrame:
    columns = list(zip(*rows, strict=True)) if rows else [()] * (len(dims) + 1)
    frame = pd.DataFrame(
        {dim: [_coordinate(dim, key) for key in keys] for dim, keys in zip(dims, columns[:-1], strict=True)}
    )
    frame["VALUE"] = np.array(columns[-1], dtype=np.float64)
    return frame.astype({dim: int for dim in dims if dim in WHOLE})


def _coordinate(dim: str, token: str) -> str | int:
    text = token.strip("'\"")
    return int(text) if dim in WHOLE else text


def _token(value: object) -> str:
    if isinstance(value, float | np.floating):
        return repr(float(value))
    return f"'{value}'" if isinstance(value, str) else str(value)


def word(name: object) -> str:
    """Return a name as data of MathProg has it, in quotes where it needs them."""
    text = str(name)
    return text if _PLAIN.fullmatch(text) else f"'{text}'"
