"""The curves of a session over time, with the set points and the limits of what is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from trivium.dashboard.ahead import Fan
from trivium.dashboard.context import Context
from trivium.dashboard.readings import About
from trivium.dashboard.timeline import Limit, Line, Scene

Columns = Mapping[str, NDArray[Any]]
_NO_FAN = Fan()


def with_set_points(variables: About, names: Sequence[str]) -> list[str]:
    """Return points, and those that are needed to draw their set points and limits."""
    needed = [variables.set_point_of(name) for name in names]
    needed += [each["set_point"] for each in variables.comforts if each["temperature"] in names]
    return list(
        dict.fromkeys([*names, *(name for name in needed if isinstance(name, str) and name in variables.units)])
    )


def scene_of(
    context: Context,
    testid: str,
    columns: Columns,
    names: Sequence[str],
    ends: tuple[float, float],
    width: int,
    fan: Fan = _NO_FAN,
    now: float | None = None,
) -> Scene:
    """Return what a chart of a session shows besides its curves.

    Parameters
    ----------
    context : Context
    testid : str
    columns : Mapping[str, NDArray]
        Of `with_set_points`.
    names : sequence of str
        The points of the chart.
    ends : tuple of float
        The window [s].
    width : int
        Of the drawing [px].
    fan : Fan
        What is forecast.
    now : float, optional
        Where the session stands, where something is forecast [s].
    """
    variables = context.readings.about(testid)
    return Scene(
        *ends,
        width,
        plant=variables.plant is not None,
        calendar=variables.calendar,
        events=context.sessions.events(testid),
        limits=limits_of(variables, columns, names),
        bands=fan.bands,
        now=now if fan.lines else None,
    )


def lines_of(
    variables: About, columns: Columns, names: Sequence[str], run: str = "", colour: int | None = None
) -> list[Line]:
    """Return the curves of points.

    Parameters
    ----------
    variables : About
    columns : Mapping[str, array]
        ``time`` [s] and the points.
    names : sequence of str
    run : str
        Put before the names, where several runs are shown.
    colour : int, optional
        Of all curves; by default each has one.
    """
    time = columns["time"]
    return [
        Line(
            f"{run}: {name}" if run else name,
            variables.units[name],
            time,
            columns[name],
            steps=name in variables.inputs,
            colour=colour,
            dash=None if colour is None else place,
        )
        for place, name in enumerate(names)
        if name in columns
    ]


def set_points_of(variables: About, columns: Columns, names: Sequence[str]) -> list[Line]:
    """Return the set points of points, drawn thin; those that are shown anyhow are left out."""
    lines = []
    for name in names:
        point = variables.set_point_of(name)
        if point is not None and point in columns and point not in names:
            lines.append(
                Line(
                    f"{point} (set point)",
                    variables.units[name],
                    columns["time"],
                    columns[point],
                    steps=True,
                    set_point=True,
                )
            )
    return lines


def limits_of(variables: About, columns: Columns, names: Sequence[str]) -> list[Limit]:
    """Return the limits of points, as the indicators count them."""
    limits = []
    for comfort in variables.comforts:
        if comfort["temperature"] not in names:
            continue
        target = comfort["set_point"]
        middle = columns.get(target) if isinstance(target, str) else float(target)
        if middle is None:
            continue
        cold = comfort.get("cold_band")
        band = float(comfort.get("band", 0.0))
        limits.append(Limit(comfort["temperature"], None if cold is None else middle - float(cold), middle + band))
    return limits
