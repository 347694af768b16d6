"""The convergence plot: how far each unknown is from its tolerance, over the iterations."""

from __future__ import annotations

import math
from pathlib import Path

from trivium.control.palette import LEFT_OUT
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
    for name, line in lines.items():
        axes.semilogy(numbers, line, marker="o", markersize=3, linewidth=1, label=name)
    axes.axhline(1.0, color="black", linewidth=0.8, linestyle="--")
    axes.set(title=title, xlabel="iteration", ylabel="residual or error over tolerance")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    if lines:
        axes.legend(fontsize="small", frameon=False)
    figure.savefig(path, dpi=110)


def _draw_html(numbers: list[int], lines: dict[str, list[float]], title: str, path: Path) -> None:
    require("plotly", "coupling")
    import plotly.graph_objects as go

    figure = go.Figure()
    for name, line in lines.items():
        figure.add_trace(go.Scatter(x=numbers, y=line, name=name, mode="lines+markers"))
    figure.add_hline(1.0, line_dash="dash")
    figure.update_yaxes(type="log", title_text="residual or error over tolerance", exponentformat="power")
    figure.update_xaxes(title_text="iteration")
    figure.update_layout(title=title, hovermode="x unified")
    figure.write_html(path, include_plotlyjs=True, full_html=True, config={"modeBarButtonsToRemove": [*LEFT_OUT]})
