"""Many runs in one picture: parallel coordinates, and one column against another with the front of the best.

Plotly's own parallel coordinates and its drawing by WebGL compile scripts in the browser, which the pages' policy
forbids; so runs are drawn as lines and points of SVG, and of many runs a sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trivium.dashboard import zoom
from trivium.dashboard.charts import axis, blank, frame, plain
from trivium.dashboard.formatting import figure
from trivium.dashboard.studies import Study
from trivium.model.contract import FloatArray

#: Most runs that are drawn as lines, and as points.
LINES, POINTS = 300, 2000
#: Of runs, from low values to high ones: seen on white and on black, and by those who see no red or no green.
_RAMP = ("#2f62b0", "#6b79b0", "#98908f", "#bd9a4c", "#d9a400")


def parallel(study: Study, names: Sequence[str], chosen: NDArray[np.intp], colour: str | None) -> dict[str, Any]:
    """Return runs as lines over columns, each from its least value of the whole study to its greatest.

    Parameters
    ----------
    study : Study
    names : sequence of str
        Columns, from left to right.
    chosen : array of int
        Places of the runs; of more than `LINES` a sample.
    colour : str, optional
        The column that colours them.
    """
    if not names:
        return blank("Choose columns.")
    if not chosen.size:
        return blank("No run passes the filters.")
    drawn = sample(chosen, LINES)
    ends = [study.ends(name) for name in names]
    heights = np.column_stack(
        [_height(study.columns[name][drawn], *end) for name, end in zip(names, ends, strict=True)]
    )
    groups = _groups(study.columns[colour][drawn]) if colour else np.zeros(drawn.size, dtype=np.intp)
    data = []
    for group in np.unique(groups):
        mine = np.flatnonzero(groups == group)
        stride = len(names) + 1
        x = np.tile(np.append(np.arange(len(names), dtype=float), np.nan), mine.size)
        y = np.full((mine.size, stride), np.nan)
        y[:, :-1] = heights[mine]
        data.append(
            {
                "type": "scatter", "mode": "lines", "x": plain(x), "y": plain(y.ravel()), "showlegend": False,
                "customdata": np.repeat(study.runs[drawn[mine]], stride).tolist(),
                "line": {"color": _RAMP[group] if colour else _RAMP[1], "width": 1}, "opacity": 0.7,
                "hovertemplate": "run %{customdata}<extra></extra>",
            }
        )  # fmt: skip
    layout = frame(340)
    layout["margin"] = {**layout["margin"], "l": 40, "r": 40, "t": 36, "b": 70}
    layout["xaxis"] = {
        "tickvals": list(range(len(names))),
        "ticktext": [_broken(name, study.units.get(name, "")) for name in names],
        "range": [-0.15, len(names) - 0.85],
        "gridcolor": "#888",
        "zeroline": False,
        "automargin": True,
        "ticklabelstandoff": 18,  # under the least values
    }
    layout["yaxis"] = {"visible": False, "range": [-0.02, 1.02]}
    layout["annotations"] = [
        {
            "x": place, "y": height, "text": _end(study, name, ends[place][height]), "showarrow": False,
            "yanchor": "bottom" if height else "top", "yshift": 2 if height else -2,
        }
        for place, name in enumerate(names)
        for height in (0, 1)
    ]  # fmt: skip
    return {"data": data, "layout": layout}


def scatter(
    study: Study,
    chosen: NDArray[np.intp],
    axes: tuple[str, str],
    colour: str | None,
    front: NDArray[np.intp],
    compared: Sequence[int],
    zoomed: Sequence[Any] = (),
) -> dict[str, Any]:
    """Return one column against another.

    Parameters
    ----------
    study : Study
    chosen : array of int
        Places of the runs; of more than `POINTS` a sample, to which those of the front are added.
    axes : tuple of str
        The columns across and up.
    colour : str, optional
        The column that colours the points.
    front : array of int
        Places of the runs of the Pareto front, in its order; drawn as a line.
    compared : sequence of int
        Numbers of runs that are marked.
    zoomed : sequence
        The window; see `trivium.dashboard.zoom`. The sample is of the runs in it.
    """
    if not chosen.size:
        return blank("No run passes the filters.")
    across, up = (study.columns[name] for name in axes)
    chosen = chosen[np.isfinite(across[chosen]) & np.isfinite(up[chosen])]
    if not chosen.size:
        return blank("No run that passes has values of both.")
    inside = zoom.window(zoomed, axes)
    seen = chosen if inside is None else chosen[_within(across[chosen], up[chosen], inside)]
    drawn = np.union1d(sample(seen, POINTS), front).astype(np.intp)
    marker: dict[str, Any] = {"size": 6, "color": "#3b7fc4", "opacity": 0.8}
    if colour:
        values = study.columns[colour][drawn]
        bar = {"title": {"text": study.title(colour), "side": "right"}, "thickness": 14, "outlinewidth": 0}
        marker |= {"color": plain(values), "colorscale": _scale(), "showscale": True, "colorbar": bar}
    places = zip("xy", axes, strict=True)
    parts = (f"<br>{name} %{{{place}:.5g}} {study.units.get(name, '')}" for place, name in places)
    hover = f"run %{{customdata}}{''.join(parts)}<extra></extra>"
    data = [_points(study, drawn, axes, name="runs", mode="markers", marker=marker, hovertemplate=hover)]
    if front.size:
        line, dots = {"color": "#c8641e", "width": 2}, {"size": 9, "symbol": "diamond-open", "color": "#c8641e"}
        data.append(
            _points(study, front, axes, name="Pareto front", mode="lines+markers", line=line, marker=dots)
            | {"hovertemplate": hover}
        )
    marked = chosen[np.isin(study.runs[chosen], compared)]
    if marked.size:
        ring = {"size": 14, "symbol": "circle-open", "color": "#a4509a", "line": {"width": 3}}
        data.append(
            _points(study, marked, axes, name="compared", mode="markers", marker=ring) | {"hovertemplate": hover}
        )
    layout = frame(400)
    layout["xaxis"], layout["yaxis"] = (_labelled(study, name) for name in axes)
    layout["showlegend"] = len(data) > 1
    return zoom.zoomed({"data": data, "layout": layout}, axes, inside)


def _within(across: FloatArray, up: FloatArray, inside: zoom.Window) -> NDArray[np.bool_]:
    (left, right), (low, high) = inside
    within: NDArray[np.bool_] = (across >= left) & (across <= right) & (up >= low) & (up <= high)
    return within


def sample(places: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """Return at most so many of some places, the same ones each time."""
    # at random: every n-th run of a grid would have the same few values of a parameter
    if places.size <= most:
        return places
    drawn = np.random.default_rng(0).choice(places, most, replace=False)
    drawn.sort()
    return drawn


def _points(study: Study, places: NDArray[np.intp], axes: tuple[str, str], **style: Any) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": plain(study.columns[axes[0]][places]),
        "y": plain(study.columns[axes[1]][places]),
        "customdata": study.runs[places].tolist(),
        **style,
    }


def _scale() -> list[list[Any]]:
    return [[place / (len(_RAMP) - 1), colour] for place, colour in enumerate(_RAMP)]


def _height(values: FloatArray, low: float, high: float) -> FloatArray:
    """Return where values are between two ends, 0 to 1; in the middle where the ends are the same."""
    if not high > low:
        return np.where(np.isfinite(values), 0.5, np.nan)
    return (values - low) / (high - low)


def _groups(values: FloatArray) -> NDArray[np.intp]:
    """Return a colour's place for each value, by rank: a few far values leave the others distinct. Of nan the first."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return np.zeros(values.size, dtype=np.intp)
    edges = np.unique(np.quantile(finite, np.arange(1, len(_RAMP)) / len(_RAMP)))
    return np.where(np.isfinite(values), np.searchsorted(edges, values, side="left"), 0)


def _end(study: Study, name: str, value: float) -> str:
    if name in study.texts:
        return study.texts[name][int(value)] if np.isfinite(value) else "–"
    return figure(value if np.isfinite(value) else None, 4)


def _labelled(study: Study, name: str) -> dict[str, Any]:
    made = axis(study.title(name))
    if name in study.texts:
        made |= {"tickvals": list(range(len(study.texts[name]))), "ticktext": list(study.texts[name])}
    return made


def _broken(name: str, unit: str) -> str:
    """Return a name and its unit in lines that fit under an axis."""
    parts = name.split(".")
    lines = [".".join(parts[:-1]), f".{parts[-1]}"] if len(name) > 14 and len(parts) > 1 else [name]
    return "<br>".join([*lines, *([f"[{unit}]"] if unit else [])])
