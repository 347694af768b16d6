"""Tables that models exchange: a column a dimension, and the column VALUE.

Pure, vectorised functions on pandas frames: none changes its arguments, none knows of units. A coordinate is there once
or not at all; what a function cannot answer it refuses, naming the column and the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from trivium.errors import InvalidValueError
from trivium.model.variable import Coordinate

VALUE = "VALUE"
How = Literal["sum", "mean", "min", "max"]


def dims(frame: pd.DataFrame) -> list[str]:
    """Return the dimensions: all columns but VALUE."""
    return [column for column in frame.columns if column != VALUE]


def refuse(frame: pd.DataFrame, column: str, wrong: Any, why: str) -> None:
    """Refuse a frame of which rows are wrong.

    Parameters
    ----------
    frame : DataFrame
    column : str
        Where to look.
    wrong : array of bool, shape (n_rows,)
        Which rows are wrong.
    why : str

    Raises
    ------
    InvalidValueError
        Naming the column, the first such row (counted from 0) with its coordinates, and how many there are.
    """
    rows = np.flatnonzero(np.asarray(wrong))
    if rows.size:
        first = int(rows[0])
        coordinates = ", ".join(f"{name} {frame[name].iloc[first]}" for name in frame.columns if name != column)
        rest = f", and {rows.size - 1} more" if rows.size > 1 else ""
        raise InvalidValueError(
            f"column {column}, row {first}{rest}: {frame[column].iloc[first]} {why}"
            + (f" ({coordinates})" if coordinates else ""),
            column,
        )


def need(frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse a frame that misses dimensions.

    Raises
    ------
    InvalidValueError
        Naming those that are missing, and those that are there.
    """
    missing = [name for name in names if name not in frame.columns or name == VALUE]
    if missing:
        raise InvalidValueError(
            f"there is no dimension {', '.join(missing)}; there is: {', '.join(dims(frame)) or 'none'}", missing[0]
        )


def select(frame: pd.DataFrame, keep: Mapping[str, Sequence[Coordinate]]) -> pd.DataFrame:
    """Return the rows whose coordinates are listed; each must be there."""
    need(frame, list(keep))
    mask = np.ones(len(frame), dtype=bool)
    for name, members in keep.items():
        absent = set(members) - set(frame[name])
        if absent:
            raise InvalidValueError(f"column {name} has no {', '.join(map(str, sorted(absent, key=str)))}", name)
        mask &= frame[name].isin(list(members)).to_numpy()
    return frame[mask].reset_index(drop=True)


def aggregate(frame: pd.DataFrame, over: Sequence[str], how: How = "sum") -> pd.DataFrame:
    """Return the frame without some dimensions: their values summed, averaged, or the least or greatest of them."""
    need(frame, over)
    remaining = [name for name in dims(frame) if name not in over]
    if not remaining:
        return pd.DataFrame({VALUE: [float(getattr(frame[VALUE], how)())]})
    return frame.groupby(remaining, sort=False, as_index=False, observed=True)[VALUE].agg(how)


def group(
    frame: pd.DataFrame, dim: str, to: str, groups: Mapping[str, Sequence[Coordinate]], how: How = "sum"
) -> pd.DataFrame:
    """Return the frame with coordinates put together under new names, in a dimension of a new name.

    Raises
    ------
    InvalidValueError
        When a coordinate belongs to no group, or to two.
    """
    need(frame, [dim])
    names: dict[Coordinate, str] = {}
    for name, members in groups.items():
        for member in members:
            if member in names:
                raise InvalidValueError(f"{member} belongs to two groups, {names[member]} and {name}", dim)
            names[member] = name
    groups_of_rows = frame[dim].map(names)
    refuse(frame, dim, groups_of_rows.isna(), "belongs to no group")
    renamed = frame.assign(**{dim: groups_of_rows}).rename(columns={dim: to})
    return renamed.groupby(dims(renamed), sort=False, as_index=False, observed=True)[VALUE].agg(how)


def spread(frame: pd.DataFrame, dim: str, to: str, members: Mapping[str, Sequence[Coordinate]]) -> pd.DataFrame:
    """Return the frame with each coordinate's value given to all its members, in a dimension of a new name.

    The reverse of `group`; rows of coordinates without members are refused.
    """
    need(frame, [dim])
    refuse(frame, dim, ~frame[dim].isin(list(members)), "has no members")
    listed = [(name, member) for name, coordinates in members.items() for member in coordinates]
    pairs = pd.DataFrame(listed, columns=[dim, "_MEMBER"])
    repeated = frame.merge(pairs, on=dim, how="left").drop(columns=dim).rename(columns={"_MEMBER": to})
    return repeated[[to if name == dim else name for name in frame.columns]]


def expand(frame: pd.DataFrame, dim: str, coordinates: Sequence[Coordinate]) -> pd.DataFrame:
    """Return the frame with one dimension more, along which it is constant."""
    if dim in frame.columns:
        raise InvalidValueError(f"there is a dimension {dim} already", dim)
    repeated = frame.merge(pd.DataFrame({dim: list(coordinates)}), how="cross")
    return repeated[[*dims(frame), dim, VALUE]]


def combine(frame: pd.DataFrame, second: pd.DataFrame, how: Literal["multiply", "divide"]) -> pd.DataFrame:
    """Return the frame times, or divided by, another one whose dimensions it has, or that has its dimensions.

    Raises
    ------
    InvalidValueError
        When a coordinate has no partner, or a divisor is zero.
    """
    shared = [name for name in dims(frame) if name in second.columns]
    if len(shared) < min(len(dims(frame)), len(dims(second))):
        raise InvalidValueError(
            f"dimensions do not fit: {', '.join(dims(frame)) or 'none'} and {', '.join(dims(second)) or 'none'}",
            "dimensions",
        )
    if how == "divide":
        refuse(second, VALUE, second[VALUE] == 0, "cannot be divided by")
    partner = second.rename(columns={VALUE: "_OTHER"})
    if not shared:
        both = frame.merge(partner, how="cross")
    else:
        both = frame.merge(partner, on=shared, how="left")
        refuse(both, shared[-1], both["_OTHER"].isna(), "has no partner")
    result = both[VALUE] * both["_OTHER"] if how == "multiply" else both[VALUE] / both["_OTHER"]
    return both.assign(**{VALUE: result}).drop(columns="_OTHER")[[*_union(frame, second), VALUE]]


def add(frame: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Return the sum of two frames of the same dimensions; what is in one only counts as zero in the other."""
    if set(dims(frame)) != set(dims(second)):
        raise InvalidValueError(
            f"only equal dimensions add up: {', '.join(dims(frame)) or 'none'} and {', '.join(dims(second)) or 'none'}",
            "dimensions",
        )
    both = pd.concat([frame, second[list(frame.columns)]], ignore_index=True)
    if not dims(frame):
        return pd.DataFrame({VALUE: [float(both[VALUE].sum())]})
    return both.groupby(dims(frame), sort=False, as_index=False, observed=True)[VALUE].sum()


def index(frame: pd.DataFrame, base: int, dim: str = "year") -> pd.DataFrame:
    """Return the frame divided by its own values at a base year."""
    need(frame, [dim])
    at_base = frame[frame[dim] == base]
    if at_base.empty:
        raise InvalidValueError(f"column {dim} has no {base}", dim)
    return combine(frame, at_base.drop(columns=dim), "divide")


def elasticity(frame: pd.DataFrame, exponent_of: float | Mapping[str, float], dim: str | None = None) -> pd.DataFrame:
    """Return ratios to the power of an elasticity: one for all, or one for every coordinate of a dimension."""
    refuse(frame, VALUE, ~(frame[VALUE] > 0), "must be positive: a ratio has an elasticity only where it is")
    if dim is None:
        return frame.assign(**{VALUE: frame[VALUE] ** exponent_of})
    need(frame, [dim])
    exponent = frame[dim].map(exponent_of)
    refuse(frame, dim, exponent.isna(), "has no elasticity")
    return frame.assign(**{VALUE: frame[VALUE] ** exponent.astype(float)})


def interpolate(frame: pd.DataFrame, at: Sequence[int], dim: str = "year", hold: bool = False) -> pd.DataFrame:
    """Return values at other years, on straight lines between those that are there.

    Parameters
    ----------
    frame : DataFrame
    at : sequence of int
        Years wanted.
    dim : str
    hold : bool
        Beyond the first and the last year, whether their values hold; else such a year is refused.
    """
    need(frame, [dim])
    wide = _wide(frame, dim)
    years = wide.columns.to_numpy()
    beyond = [year for year in at if not years[0] <= year <= years[-1]]
    if beyond and not hold:
        raise InvalidValueError(f"column {dim} covers {years[0]} to {years[-1]}, not {beyond[0]}", dim)
    gaps = wide.isna().to_numpy()
    if gaps.any():
        row, place = np.argwhere(gaps)[0]
        raise InvalidValueError(
            f"column {dim} misses {years[place]} where other rows have it (row {row} of the others' table)", dim
        )
    clipped = np.clip(np.asarray(list(at), dtype=np.float64), years[0], years[-1])
    right = np.clip(np.searchsorted(years, clipped, side="right"), 1, max(1, years.size - 1))
    left, right = right - 1, np.minimum(right, years.size - 1)
    span = np.where(right > left, years[right] - years[left], 1)
    share = (clipped - years[left]) / span
    values = wide.to_numpy()
    return _long(wide, values[:, left] * (1 - share) + values[:, right] * share, list(at), dim)[list(frame.columns)]


def discount(frame: pd.DataFrame, rate: float, base: int, dim: str = "year") -> pd.DataFrame:
    """Return present values: VALUE / (1 + rate)^(year - base)."""
    need(frame, [dim])
    return frame.assign(**{VALUE: frame[VALUE] / (1 + rate) ** (frame[dim] - base)})


def annualise(
    frame: pd.DataFrame,
    rate: float,
    life: Mapping[str, float] | float,
    dim: str = "technology",
    year: str = "year",
    until: int | None = None,
) -> pd.DataFrame:
    """Return investments as equal yearly payments over each technology's life.

    An investment I is paid at the ends of its year and the n - 1 years after it, each time I r / (1 - (1 + r)^-n):
    their present value at its beginning is I. Payments beyond a last year are left out.

    Parameters
    ----------
    frame : DataFrame
        Investments by technology and year.
    rate : float
        Interest rate r; zero gives I / n.
    life : mapping of str to float, or float
        n [years] by technology, or of all.
    dim, year : str
    until : int, optional
        The last year; by default that of the frame.
    """
    need(frame, [dim, year])
    lives = frame[dim].map(life) if isinstance(life, Mapping) else pd.Series(float(life), index=frame.index)
    refuse(frame, dim, ~(lives >= 1), "has no life of at least a year")
    span = np.floor(lives.to_numpy(dtype=np.float64)).astype(int)
    payment = frame[VALUE].to_numpy() * (rate / -np.expm1(-span * np.log1p(rate)) if rate else 1 / span)
    rows = np.repeat(np.arange(len(frame)), span)
    offset = np.arange(rows.size) - np.repeat(np.cumsum(span) - span, span)
    spread = frame.iloc[rows].assign(**{year: frame[year].to_numpy()[rows] + offset, VALUE: payment[rows]})
    within = spread[spread[year] <= (frame[year].max() if until is None else until)]
    return within.groupby(dims(frame), sort=False, as_index=False, observed=True)[VALUE].sum()


def _union(frame: pd.DataFrame, second: pd.DataFrame) -> list[str]:
    return [*dims(frame), *(name for name in dims(second) if name not in frame.columns)]


def _wide(frame: pd.DataFrame, dim: str) -> pd.DataFrame:
    index = [name for name in dims(frame) if name != dim]
    if not index:
        return pd.DataFrame([frame[VALUE].to_numpy()], columns=frame[dim].to_numpy()).sort_index(axis=1)
    return frame.pivot(index=index, columns=dim, values=VALUE).sort_index(axis=1)


def _long(wide: pd.DataFrame, values: Any, at: Sequence[int], dim: str) -> pd.DataFrame:
    index = wide.index.to_frame(index=False) if any(wide.index.names) else pd.DataFrame(index=range(len(wide)))
    long = index.loc[index.index.repeat(len(at))].reset_index(drop=True)
    return long.assign(**{dim: np.tile(np.asarray(list(at)), len(wide)), VALUE: np.asarray(values).ravel()})
