"""A plot sheet of a run: power, temperatures, heat and effectiveness over time, as PNG and as an interactive page.

What is drawn follows from what the test case declares for its key performance indicators (`trivium.evaluation.kpi`); of
one that declares nothing the first outputs are drawn. A long run is drawn as means over equal spans of time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trivium.control.palette import COLOURS
from trivium.control.panel import Panel
from trivium.control.sheet_page import page
from trivium.errors import StorageError
from trivium.extras import require
from trivium.model.contract import FloatArray
from trivium.simulation.calendar import Calendar

#: Most points of a line.
POINTS = 2000
_DAY = 86400.0
#: A run up to this length is drawn over seconds [s].
_SHORT = 7200.0


def means(columns: Sequence[str], blocks: Iterable[FloatArray], start: float, end: float) -> dict[str, FloatArray]:
    """Return means over equal spans of time.

    Parameters
    ----------
    columns : sequence of str
        ``time`` first.
    blocks : iterable of FloatArray, shape (k, n_columns)
        Rows in order of time, each standing for the interval that it ends.
    start, end : float
        Of the run [s].

    Returns
    -------
    dict[str, FloatArray]
        Each column, shape (n_bins,); ``time`` is the middle of the span [s]. Spans without a row are left out.
    """
    sums, durations, before = np.zeros((POINTS, len(columns))), np.zeros(POINTS), start
    for block in blocks:
        rows = block[(block[:, 0] > start) & (block[:, 0] <= end)]
        spans = np.ceil((rows[:, 0] - start) / (end - start) * POINTS - 1e-9).astype(np.intp) - 1
        lengths = np.diff(rows[:, 0], prepend=before)
        np.add.at(sums, spans, rows * lengths[:, np.newaxis])
        np.add.at(durations, spans, lengths)
        before = rows[-1, 0] if len(rows) else before
    used = durations > 0
    averages = dict(zip(columns, (sums[used] / durations[used, np.newaxis]).T, strict=True))
    averages["time"] = start + (np.flatnonzero(used) + 0.5) * (end - start) / POINTS
    return averages


def panels(trajectories: Mapping[str, FloatArray], declared: Mapping[str, Any], outputs: Sequence[str]) -> list[Panel]:
    """Choose what is drawn.

    Parameters
    ----------
    trajectories : Mapping[str, FloatArray]
        What `means` returned.
    declared : Mapping
        The table ``kpi`` of ``testcase.toml``.
    outputs : sequence of str
        Of the plant.
    """
    sheet = []
    if "power" in declared:
        groups = {group: _total(trajectories, names) / 1e3 for group, names in declared["power"].items()}
        sheet.append(Panel("Electrical power", "kW", groups, stacked=True))
    temperatures = {}
    comforts = declared.get("comfort", [])
    for comfort in comforts if isinstance(comforts, list) else [comforts]:
        name, point = comfort["temperature"], comfort["set_point"]
        temperatures[name] = trajectories[name] - 273.15
        set_point = trajectories[point] if isinstance(point, str) else np.full_like(trajectories["time"], point)
        temperatures["set point" if len(temperatures) == 1 else f"set point of {name}"] = set_point - 273.15
    for flow in ("heat", "water"):
        for end in ("warm", "cold"):
            if end in declared.get(flow, {}):
                temperatures[declared[flow][end]] = trajectories[declared[flow][end]] - 273.15
    if temperatures:
        sheet.append(Panel("Temperatures", "°C", temperatures))
    if "heat" in declared:
        heat = _heat(trajectories, declared["heat"])
        sheet.append(Panel("Heat removed", "MW", {"heat": heat / 1e6}))
        if "power" in declared:
            names = [name for names in declared["power"].values() for name in names]
            meter = declared.get("meter")
            power = _total(trajectories, names) if meter is None else _metered(trajectories, meter)
            pue = np.divide(power, heat, out=np.full_like(heat, np.nan), where=heat > 0) + 1
            sheet.append(Panel("Power usage effectiveness, mechanical part", "", {"PUE": pue}))
    if "switches" in declared:
        running = {group: _total(trajectories, names) for group, names in declared["switches"].items()}
        sheet.append(Panel("Units in service", "", running, counted=True))
    if not sheet:
        sheet = [Panel(name, "", {name: trajectories[name]}) for name in outputs[:6]]
    return sheet


def _heat(trajectories: Mapping[str, FloatArray], removed: Mapping[str, Any]) -> FloatArray:
    """Return the heat removed [W]."""
    if "power" in removed:
        return trajectories[removed["power"]]
    if "mass_flow" not in removed:
        return _metered(trajectories, removed)
    difference = trajectories[removed["warm"]] - trajectories[removed["cold"]]
    return np.asarray(trajectories[removed["mass_flow"]] * removed.get("specific_heat", 4186.0) * difference)


def _metered(trajectories: Mapping[str, FloatArray], meter: Mapping[str, Any]) -> FloatArray:
    """Return the power by meters of energy [W]."""
    time = trajectories["time"]
    if time.size < 2:
        return np.full_like(time, np.nan)
    energy = [sign * trajectories[name] for key, sign in (("plus", 1), ("minus", -1)) for name in meter.get(key, [])]
    return np.asarray(np.gradient(np.sum(energy, axis=0), time))


def _total(trajectories: Mapping[str, FloatArray], names: Sequence[str]) -> FloatArray:
    return np.asarray(np.sum([trajectories[name] for name in names], axis=0))


def draw_png(
    times: FloatArray, sheet: Sequence[Panel], title: str, path: Path, calendar: Calendar | None = None
) -> None:
    """Draw a sheet as an image.

    Parameters
    ----------
    times : FloatArray, shape (n_bins,)
        [s]
    sheet : sequence of Panel
    title : str
    path : Path
    calendar : Calendar, optional
        Gives dates to the time axis; without it the axis has days, or seconds of a short run.

    Raises
    ------
    MissingExtraError
        When matplotlib is not installed.
    StorageError
        When the file cannot be written.
    """
    require("matplotlib", "results")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    label, at = _axis(times, calendar)
    figure = Figure(figsize=(11, 2.3 * len(sheet) + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    all_axes = np.atleast_1d(figure.subplots(len(sheet), 1, sharex=True))
    for axes, panel in zip(all_axes, sheet, strict=True):
        if panel.stacked:
            axes.stackplot(at, *panel.lines.values(), labels=panel.lines, linewidth=0, colors=COLOURS)
        else:
            for place, (name, line) in enumerate(panel.lines.items()):
                drawn = {"drawstyle": "steps-pre"} if panel.counted else {}
                axes.plot(at, line, label=name, linewidth=0.9, color=COLOURS[place % len(COLOURS)], **drawn)
        axes.set_title(panel.title, loc="left", fontsize="medium")
        axes.set_ylabel(panel.unit)
        axes.grid(alpha=0.3)
        axes.margins(x=0)
        if panel.counted:
            axes.yaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_ylim(0, max(1.0, *(float(np.nanmax(line)) for line in panel.lines.values())) + 0.5)
        if len(panel.lines) > 1:
            axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize="small", frameon=False)
    if calendar is not None:
        marks = calendar.marks(float(times[0]), float(times[-1]), 8)
        all_axes[-1].set_xticks(list(marks), list(marks.values()))
    all_axes[-1].set_xlabel(label)
    try:
        figure.savefig(path, dpi=110)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error


def draw_html(
    times: FloatArray, sheet: Sequence[Panel], title: str, path: Path, calendar: Calendar | None = None
) -> None:
    """Draw a sheet as a page that holds all it needs and works without a network; see `draw_png`.

    Raises
    ------
    MissingExtraError
        When plotly is not installed.
    StorageError
        When the file cannot be written.
    """
    require("plotly", "results")

    label, at = _axis(times, calendar)
    across = at.tolist() if calendar is None else [f"{calendar.date(each):%Y-%m-%d %H:%M:%S}" for each in at.tolist()]
    try:
        path.write_text(page(across, sheet, title, label), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error


def _axis(times: FloatArray, calendar: Calendar | None) -> tuple[str, FloatArray]:
    """Return label and values of the time axis: seconds for a calendar and of a short run, else days."""
    if calendar is not None:
        return calendar.zone_name, times
    return ("time [d]", times / _DAY) if times[-1] - times[0] > _SHORT else ("time [s]", times)
