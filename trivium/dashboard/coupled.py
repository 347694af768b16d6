"""Coupled runs that pages look at: their iterates by channel, their graph, the logs of their components."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from trivium.coupling.outline import Outline, read_outline
from trivium.coupling.residual import excesses, split
from trivium.dashboard import charts
from trivium.dashboard.charts import Curve
from trivium.model.contract import FloatArray

#: Channels that are drawn: those that are furthest from their tolerance; elements of a channel.
CHANNELS, ELEMENTS = 12, 6
#: Size of a cell of the graph, and length of a name in it [px].
_WIDTH, _HEIGHT = 132, 46
_LETTERS = 16


@dataclass(frozen=True)
class Coupled:
    """A coupled run as it stands.

    Attributes
    ----------
    outline : Outline
    numbers : FloatArray, shape (n_iterations,)
    xs, gs : sequence of FloatArray
        Iterates, and the map's values there.
    """

    outline: Outline
    numbers: FloatArray
    xs: Sequence[FloatArray]
    gs: Sequence[FloatArray]

    @property
    def channels(self) -> list[str]:
        """Names of the unknowns."""
        return [part.name for part in self.outline.parts]

    def residuals(self) -> dict[str, FloatArray]:
        """Return for each channel how many times its tolerance the residual is, by iteration."""
        rows = [excesses(self.outline.parts, x, g) for x, g in zip(self.xs, self.gs, strict=True)]
        return {name: np.array([row[name] for row in rows]) for name in self.channels}

    def values(self, channel: str) -> tuple[FloatArray, FloatArray]:
        """Return iterates and the map's values of a channel, each of shape (n_iterations, n_elements)."""
        place = self.channels.index(channel)
        x, g = (np.array([split(self.outline.parts, each)[place] for each in rows]) for rows in (self.xs, self.gs))
        return x, g

    def unit(self, channel: str) -> str:
        """Return the unit of a channel."""
        unit = self.outline.units[self.channels.index(channel)]
        return "" if unit == "1" else unit


def open_coupled(folder: Path) -> Coupled | None:
    """Return a coupled run, also while it runs; None where it has no iteration yet.

    Parameters
    ----------
    folder : Path
        Of its results.
    """
    outline = read_outline(folder)
    if outline is None:
        return None
    path = folder / "iterations.sqlite"
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=1)) as database:
            rows = database.execute("SELECT number, x, g FROM iterations ORDER BY number").fetchall()
    except sqlite3.Error:  # nothing there yet
        rows = []
    size = sum(part.size for part in outline.parts)
    whole = [(number, np.frombuffer(x), np.frombuffer(g)) for number, x, g in rows if len(x) == len(g) == 8 * size]
    return Coupled(
        outline, np.array([float(row[0]) for row in whole]), [row[1] for row in whole], [row[2] for row in whole]
    )


def settling(run: Coupled) -> dict[str, Any]:
    """Return the residual of each channel over its tolerance, over the iterations."""
    if not run.numbers.size or not run.channels:
        return charts.blank("No iteration yet.")
    residuals = run.residuals()
    furthest = sorted(residuals, key=lambda name: -_last(residuals[name]))[:CHANNELS]
    drawn = []
    for name in run.channels:
        if name in furthest:
            values = np.where(np.isfinite(residuals[name]) & (residuals[name] > 0), residuals[name], np.nan)
            drawn.append(Curve(name, "", run.numbers, values))
    drawn.append(Curve("tolerance", "", run.numbers[[0, -1]], np.ones(2)))
    return _whole(charts.lines(drawn, "iteration", "residual over tolerance", log=True))


def course(run: Coupled, channel: str) -> dict[str, Any]:
    """Return the values of a channel over the iterations: the iterate, and what the map makes of it."""
    if not run.numbers.size or channel not in run.channels:
        return charts.blank("No iteration yet.")
    x, g = run.values(channel)
    drawn = []
    for element in _furthest(x, g):
        label = f"[{element}]" if x.shape[1] > 1 else ""
        drawn.append(Curve(f"iterate{label}", "", run.numbers, x[:, element]))
        drawn.append(Curve(f"map{label}", "", run.numbers, g[:, element]))
    unit = run.unit(channel)
    return _whole(charts.lines(drawn, "iteration", f"{channel} [{unit}]" if unit else channel))


def _furthest(x: FloatArray, g: FloatArray) -> list[int]:
    """Return the elements of a channel that are drawn: those whose residual is the largest at the end."""
    order = np.argsort(-np.nan_to_num(np.abs(g[-1] - x[-1]), nan=np.inf), kind="stable")
    return sorted(order[: max(1, ELEMENTS // 2)].tolist())


def _last(values: FloatArray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if finite.size else np.inf


def _whole(figure: dict[str, Any]) -> dict[str, Any]:
    """Have whole numbers on the axis of the iterations."""
    last = max(1.0, *(max(curve["x"]) for curve in figure["data"]))
    figure["layout"]["xaxis"] |= {"tickformat": "d", "dtick": max(1, round(last / 10))}
    return figure


def graph(outline: Outline) -> str:
    """Return the graph of the experiments as SVG: an N2 chart.

    The experiments are on the diagonal, in the order in which they are evaluated. A cell in the row of one and the
    column of another is what the one gives the other; below the diagonal are values that are iterated.
    """
    names = outline.components
    cells: dict[tuple[int, int], list[tuple[str, bool]]] = {}
    for sources, target, torn in outline.connections:
        column = names.index(target.partition(".")[0])
        for row in dict.fromkeys(names.index(source.partition(".")[0]) for source in sources):
            cells.setdefault((row, column), []).append((f"{', '.join(sources)} → {target}", torn))
    parts = [_line(row, column) for row, column in cells if row != column]
    for (row, column), links in sorted(cells.items()):
        torn = any(each for _, each in links)
        titles = escape("\n".join(text + (" (iterated)" if each else "") for text, each in links))
        label = links[0][0].rpartition(".")[2] if len(links) == 1 else f"{len(links)} values"
        parts.append(_box(row, column, label, titles, "link torn" if torn else "link"))
    parts += [_box(place, place, name, escape(name), "experiment") for place, name in enumerate(names)]
    width, height = len(names) * _WIDTH, len(names) * _HEIGHT
    pairs = (f"{', '.join(s)} to {t}{', iterated' if torn else ''}" for s, t, torn in outline.connections)
    sentence = escape(f"Experiments in their order: {', '.join(names)}. {'; '.join(pairs)}", {'"': "&quot;"})
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{sentence}">{"".join(parts)}</svg>'
    )


def _line(row: int, column: int) -> str:
    """Return the way of a value: out of the side of its source, into its target from above or from below."""
    x, y = column * _WIDTH + _WIDTH / 2, row * _HEIGHT + _HEIGHT / 2
    return f'<path class="way" d="M{row * _WIDTH + _WIDTH / 2} {y}H{x}V{column * _HEIGHT + _HEIGHT / 2}"/>'


def _box(row: int, column: int, label: str, title: str, kind: str) -> str:
    x, y = column * _WIDTH + 5, row * _HEIGHT + 5
    short = label if len(label) <= _LETTERS else f"{label[: _LETTERS - 1]}…"
    return (
        f'<g class="{kind}"><title>{title}</title><rect x="{x}" y="{y}" width="{_WIDTH - 10}" height="{_HEIGHT - 10}" '
        f'rx="{4 if kind == "experiment" else 15}"/><text x="{x + _WIDTH / 2 - 5}" y="{y + _HEIGHT / 2}" '
        f'text-anchor="middle">{escape(short)}</text></g>'
    )


def logs(folder: Path) -> Mapping[str, Path]:
    """Return what the components of a run wrote, by name; the newest last."""
    files = [file for file in (folder / "work").rglob("*.log") if file.is_file() and file.stat().st_size]
    files.sort(key=lambda file: file.stat().st_mtime)
    return {str(file.relative_to(folder / "work")): file for file in files}


def ending(folder: Path) -> Mapping[str, Any]:
    """Return how a run ended, as its result says; empty while it runs."""
    try:
        result: Mapping[str, Any] = json.loads((folder / "result.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return result
