"""A table of variables: a mapping to use, text and HTML to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import pandas as pd

Row = TypeVar("Row")
#: Rows that are printed before the rest is counted, and characters of a cell.
_ROWS, _CELL = 40, 48


class Table(Mapping[str, Row], Generic[Row]):
    """Records by name, each with the same attributes.

    Parameters
    ----------
    rows : Mapping[str, Row]
    fields : sequence of str
        Names of the attributes, in the order of the columns.
    """

    def __init__(self, rows: Mapping[str, Row], fields: Sequence[str]) -> None:
        self._rows = dict(rows)
        #: Names of the attributes.
        self.fields = tuple(fields)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return dict(self._rows), self.fields

    def __getitem__(self, name: str) -> Row:
        return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def frame(self) -> pd.DataFrame:
        """Return a pandas.DataFrame with a row a variable, indexed by name."""
        import pandas as pd

        index = pd.Index(list(self._rows), name="name")
        return pd.DataFrame(list(map(self._cells, self._rows.values())), columns=list(self.fields), index=index)

    def text(self, rows: int | None = None) -> str:
        """Return the table as text.

        Parameters
        ----------
        rows : int, optional
            Most rows; default: all.
        """
        return aligned(*self._printed(rows))

    def _printed(self, rows: int | None) -> tuple[list[list[str]], str]:
        names = list(self)[:rows]
        lines = [["name", *self.fields], *([name, *map(_cell, self._cells(self._rows[name]))] for name in names)]
        filled = [i for i in range(len(lines[0])) if i == 0 or any(line[i] for line in lines[1:])]
        hidden = len(self) - len(names)
        return [[line[i] for i in filled] for line in lines], f"... and {hidden} more" if hidden else ""

    def _cells(self, row: Row) -> list[Any]:
        return [getattr(row, field) for field in self.fields]

    def __repr__(self) -> str:
        return self.text(_ROWS)

    def _repr_html_(self) -> str:
        return as_html(*self._printed(_ROWS))


def aligned(lines: Sequence[Sequence[str]], footer: str = "") -> str:
    """Return lines of cells as text, in columns."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
    return "\n".join((*rows, footer) if footer else rows)


def as_html(lines: Sequence[Sequence[str]], footer: str = "") -> str:
    """Return lines of cells as a table of HTML; the first line is the heading."""
    head, *body = ("".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in line) for tag, line in _tagged(lines))
    rows = "".join(f"<tr>{line}</tr>" for line in body)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{escape(footer)}"


def _tagged(lines: Sequence[Sequence[str]]) -> Iterator[tuple[str, Sequence[str]]]:
    for place, line in enumerate(lines):
        yield "td" if place else "th", line


def _cell(value: Any) -> str:
    if value is None or value == "":
        return ""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _CELL else f"{text[: _CELL - 3]}..."
