"""Small trends, one beside another: least and greatest value of each stretch of time, so that no peak is lost."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trivium.dashboard.formatting import Scale

#: Size of a trend [px], and its margin.
_WIDTH, _HEIGHT, _EDGE = 300, 56, 3


def draw(times: NDArray[Any], values: NDArray[Any], shown: Scale, label: str) -> str:
    """Return a trend as SVG, with a sentence for people who do not see it.

    Parameters
    ----------
    times : array of shape (k,)
        [s]
    values : array of shape (k,)
    shown : Scale
        How the values are shown.
    label : str
        What they are.
    """
    real = np.isfinite(values)
    times, values = times[real], values[real]
    if not len(values):
        return ""
    low, high = float(values.min()), float(values.max())
    words = f"{label}: {shown.text(low)} to {shown.text(high)}, now {shown.text(float(values[-1]))}"
    span = high - low
    start, length = float(times[0]), float(times[-1] - times[0]) or 1.0
    column = np.minimum((_WIDTH * (times - start) / length).astype(int), _WIDTH - 1)
    first = np.flatnonzero(np.diff(column, prepend=-1))
    points: list[str] = []
    for low_y, high_y, x in zip(
        np.minimum.reduceat(values, first), np.maximum.reduceat(values, first), column[first], strict=True
    ):
        ends = (high_y, low_y) if len(points) % 4 else (low_y, high_y)
        points += [f"{x},{_place(y, low, span):.1f}" for y in ends]
    if len(first) == 1:
        points.append(f"{_WIDTH},{points[-1].partition(',')[2]}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" class="strip" role="img" '
        f'preserveAspectRatio="none" aria-label="{_escaped(words)}"><polyline points="{" ".join(points)}"/></svg>'
    )


def _place(value: float, low: float, span: float) -> float:
    return _HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * ((value - low) / span if span else 0.5)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
