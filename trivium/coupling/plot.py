"""The convergence plot: how far each unknown is from its tolerance, over the iterations."""

from __future__ import annotations

import html
import math
from pathlib import Path

from trivium.control.chart_page import chart_page
from trivium.control.palette import COLOURS, DASHES
from trivium.coupling.loop import Result
from trivium.coupling.problem import Problem
from trivium.coupling.residual import excesses
from trivium.errors import StorageError
from trivium.extras import require

#: Most variables with a line of their own; the worst come first.
_LINES = 8
#: Least that is drawn: a logarithmic axis has no zero.
_FLOOR = 1e-12


def draw(problem: Problem, result: Result, stem: Path) -> list[Path]:
    """Draw ``<stem>.png`` and ``<stem>.html``, which needs no network; return the paths.

    Raises
    ------
    MissingExtraError
        When matplotlib or plotly is not installed.
    StorageError
        When a file cannot be written.
    """
    good = [iteration for iteration in result.iterations if not iteration.problem]
    numbers = [iteration.number for iteration in good]
    table = [excesses(problem.parts, iteration.x, iteration.g) for iteration in good]
    last = table[-1] if table else {}
    names = sorted(last, key=lambda name: (-last[name], name))[:_LINES]
    lines = {name: [_shown(row[name]) for row in table] for name in names}
    worst = [iteration.figures.get("error") for iteration in good]
    lines["estimated error, the worst"] = [
        math.nan if error is None else _shown(float(error) / problem.case.tolerance) for error in worst
    ]
    method = problem.method
    title = f"{result.ending} after {len(result.iterations)} iterations ({method.name}, alpha {method.alpha:g})"
    paths = [stem.with_name(f"{stem.name}{ending}") for ending in (".png", ".html")]
    try:
        _draw_png(numbers, lines, title, paths[0])
        _draw_html(numbers, lines, title, paths[1])
    except OSError as error:
        raise StorageError(f"{stem} cannot be written: {error.strerror or error}") from error
    return paths


def _shown(excess: float) -> float:
    return max(excess, _FLOOR) if math.isfinite(excess) else math.nan


def _draw_png(numbers: list[int], lines: dict[str, list[float]], title: str, path: Path) -> None:
    require("matplotlib", "coupling")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for place, (name, line) in enumerate(lines.items()):
        colour = COLOURS[place % len(COLOURS)]
        axes.semilogy(numbers, line, marker="o", markersize=3, linewidth=1, label=name, color=colour)
    axes.axhline(1.0, color="black", linewidth=0.8, linestyle="--")
    axes.set(title=title, xlabel="iteration", ylabel="residual or error over tolerance")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    if lines:
        axes.legend(fontsize="small", frameon=False)
    figure.savefig(path, dpi=110)


def _draw_html(numbers: list[int], lines: dict[str, list[float]], title: str, path: Path) -> None:
    require("plotly", "coupling")
    data = [
        {
            "type": "scatter", "mode": "lines+markers", "name": html.escape(name), "x": numbers,
            "y": [None if math.isnan(value) else value for value in line],
            "line": {"color": COLOURS[place % len(COLOURS)], "dash": DASHES[place % len(DASHES)]},
        }
        for place, (name, line) in enumerate(lines.items())
    ]  # fmt: skip
    tolerance = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 1, "y1": 1}
    above = 40 + 18 * len(lines)  # one entry of the legend a row on a phone
    layout = {
        "height": 380 + above,
        "margin": {"l": 60, "r": 12, "t": above, "b": 60},
        "xaxis": {"title": {"text": "iteration"}, "gridcolor": "#ccc", "zeroline": False, "tickformat": "d"},
        "yaxis": {
            "title": {"text": "residual or error over tolerance"}, "type": "log", "exponentformat": "power",
            "gridcolor": "#ccc", "dtick": 1, "automargin": True,
        },
        "shapes": [{**tolerance, "line": {"dash": "dash", "width": 1.2, "color": "#8a8f98"}}],
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"},
    }  # fmt: skip
    path.write_text(chart_page(data, layout, title), encoding="utf-8")
