"""What comes of a calibration, on disk: ``calibration.json``, ``fit.csv`` and a page with plots."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trivium.control.palette import LEFT_OUT
from trivium.extras import require
from trivium.model.contract import FloatArray
from trivium.storage import replace_file
from trivium.study.search.data import Data

#: Most outputs that the page draws.
_MOST = 12


@dataclass(frozen=True)
class Estimate:
    """A parameter that was calibrated.

    Attributes
    ----------
    name : str
    value, start : float
        As it was found, and as it was at the start.
    low, high : float
        Its confidence interval within its range; the whole range where it is not identified.
    identified : bool
    reason : str
        Why it is not.
    """

    name: str
    value: float
    start: float
    low: float
    high: float
    identified: bool
    reason: str


@dataclass(frozen=True)
class Calibration:
    """What comes of a calibration.

    Attributes
    ----------
    estimates : list of Estimate
    together : list of list of str
        Parameters of which only a combination is identified.
    singular_values : list of float
        Of the Jacobian at the end, its columns scaled to length 1.
    measured : list of str
    data : Data
    before, after : FloatArray, shape (n_times, n_measured)
        What the model gives at the start and at the end.
    errors_before, errors_after, errors_held_out : dict of str to float
        Root of the mean square error of each output, in its unit.
    rounds : int
    converged : bool
    message : str
        How the method ended.
    """

    estimates: list[Estimate]
    together: list[list[str]]
    singular_values: list[float]
    measured: list[str]
    data: Data
    before: FloatArray
    after: FloatArray
    errors_before: dict[str, float]
    errors_after: dict[str, float]
    errors_held_out: dict[str, float]
    rounds: int
    converged: bool
    message: str

    @property
    def summary(self) -> dict[str, Any]:
        """All but what belongs to single times, as JSON holds it."""
        errors = {
            name: {
                "start": _finite(self.errors_before[name]),
                "fit": _finite(self.errors_after[name]),
                "held_out": _finite(self.errors_held_out[name]),
            }
            for name in self.measured
        }
        return {
            "parameters": [asdict(estimate) for estimate in self.estimates],
            "together": self.together,
            "singular_values": self.singular_values,
            "errors": errors,
            "rounds": self.rounds,
            "converged": self.converged,
            "message": self.message,
        }


def write(calibration: Calibration, folder: Path) -> None:
    """Write what came of a calibration into a folder."""
    replace_file(folder / "calibration.json", json.dumps(calibration.summary, indent=4).encode())
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(["segment", "time", "output", "measured", "start", "fit", "held_out"])
    writer.writerows(_rows(calibration))
    replace_file(folder / "fit.csv", table.getvalue().encode())
    replace_file(folder / "report.html", _page(calibration).encode())


def _rows(calibration: Calibration) -> Iterator[list[Any]]:
    first = 0
    for segment in calibration.data.segments:
        for row, time in enumerate(segment.times.tolist()):
            for place, name in enumerate(calibration.measured):
                measured = segment.values[row, place]
                if np.isfinite(measured):
                    before, after = calibration.before[first + row, place], calibration.after[first + row, place]
                    yield [segment.name, time, name, measured, before, after, int(segment.held_out[row])]
        first += segment.times.size


def _page(calibration: Calibration) -> str:
    """Return a page with the fit and the residuals of each output, over all rows of the data."""
    subplots, graphs = require("plotly.subplots", "sweep"), require("plotly.graph_objects", "sweep")
    names = calibration.measured[:_MOST]
    measured = np.concatenate([segment.values for segment in calibration.data.segments])
    held_out = np.concatenate([segment.held_out for segment in calibration.data.segments])
    titles = [title for name in names for title in (name, f"{name}: measured less fit")]
    figure = subplots.make_subplots(rows=len(names), cols=2, subplot_titles=titles)
    rows = np.arange(len(measured))
    for place, name in enumerate(names, 1):
        shown = place == 1
        series = (
            ("measured", measured[:, place - 1], {"mode": "markers", "marker": {"size": 4, "color": "#888"}}),
            ("start", calibration.before[:, place - 1], {"line": {"color": "#bbb", "dash": "dot"}}),
            ("fit", calibration.after[:, place - 1], {"line": {"color": "#0072b2"}}),
        )
        for label, values, style in series:
            line = graphs.Scatter(x=rows, y=values, name=label, legendgroup=label, showlegend=shown, **style)
            figure.add_trace(line, row=place, col=1)
        residual = measured[:, place - 1] - calibration.after[:, place - 1]
        for label, mask, colour in (("seen", ~held_out, "#0072b2"), ("held out", held_out, "#d55e00")):
            marks = {"mode": "markers", "marker": {"size": 4, "color": colour}}
            dots = graphs.Scatter(
                x=rows[mask], y=residual[mask], name=label, legendgroup=label, showlegend=shown, **marks
            )
            figure.add_trace(dots, row=place, col=2)
        figure.update_xaxes(title_text=f"row of the data ({name})" if place == len(names) else "", row=place)
    figure.update_layout(height=340 * len(names), template="plotly_white", title=_title(calibration))
    page: str = figure.to_html(include_plotlyjs=True, full_html=True, config={"modeBarButtonsToRemove": [*LEFT_OUT]})
    return page


def _title(calibration: Calibration) -> str:
    lost = [each.name for each in calibration.estimates if not each.identified]
    return f"Calibration: {len(calibration.estimates)} parameters" + (
        f"; not identified: {', '.join(lost)}" if lost else ""
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
