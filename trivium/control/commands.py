"""The commands ``trivium step`` and ``trivium compare``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trivium.control.drive import controller, drive
from trivium.control.sheet import draw, means, panels
from trivium.core.export import check_path, require, write_table
from trivium.core.model import FloatArray
from trivium.core.resources import Resources
from trivium.core.testcase import TestCase
from trivium.errors import InvalidValueError, SettingsError

#: Rows that are read at a time.
BLOCK = 4096
#: What a comparison shows: indicator, heading, decimals.
SHOWN = (
    ("ener_tot", "energy [kWh]", 0), ("pue", "PUE", 4), ("tdis_tot", "set-point violation [K h]", 3),
    ("cost_tot", "cost", 0), ("emis_tot", "CO2 [kg]", 0), ("pele_tot", "peak [kW]", 0), ("water_tot", "water [l]", 0),
    ("starts_chillers", "chiller starts", 0),
)  # fmt: skip

Say = Callable[[str], None]


@contextmanager
def bar(total: float, name: str) -> Iterator[Callable[[float], object]]:
    """Show progress on stderr; what is yielded takes the simulated time that was done [s]."""
    tqdm = require("tqdm", "results").tqdm
    with tqdm(total=total, desc=name, mininterval=0.3, bar_format=_BAR) as shown:
        yield shown.update


_BAR = "{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s [{elapsed}<{remaining}]"


def step(
    case: TestCase, resources: Resources, name: str, start: float, end: float, out: Path | None, say: Say
) -> Mapping[str, float | None]:
    """Drive a test from a time to a time, write its trajectories and a plot sheet, and return its indicators.

    Parameters
    ----------
    case : TestCase
    resources : Resources
    name : str
        Of the controller; see `trivium.control.drive.CONTROLLERS`.
    start, end : float
        [s]
    out : Path or None
        Where the trajectories go; beside it the sheet, as .png and .html. None for neither.
    say : Callable
        Takes a line for the user.

    Raises
    ------
    TriviumError
        When something is wrong; before anything is simulated where that is known then.
    """
    if out is not None:
        check_path(out)
        require("matplotlib", "results")
        require("plotly", "results")
    by = controller(name, case)
    observation = case.initialize(start, end).payload
    with bar(end - start, name) as progress:
        drive(case, by, observation, end, progress)
    if out is not None:
        columns = case.stepper.history.columns
        write_table(out, columns, blocks(case))
        of = means(columns, blocks(case), start, case.time)
        title = f"{resources.name}, controller {name}"
        outputs = [variable.name for variable in case.stepper.model.outputs]
        paths = draw(of, panels(of, resources.kpi, outputs), title, out.with_suffix(""))
        say(f"written: {', '.join(map(str, (out, *paths)))}")
    return dict(case.get_kpis().payload)


def blocks(case: TestCase) -> Iterator[FloatArray]:
    """Return the history of a test case a block at a time."""
    for first in range(0, len(case.stepper.history), BLOCK):
        yield case.stepper.history.rows(first)[:BLOCK]


def compare(
    case: TestCase, names: Sequence[str], scenarios: Sequence[str], days: float | None, given: Mapping[str, Any]
) -> dict[str, dict[str, dict[str, float | None]]]:
    """Drive controllers over time periods.

    Parameters
    ----------
    case : TestCase
    names : sequence of str
        Of controllers.
    scenarios : sequence of str
        Time periods; none for all.
    days : float, optional
        How much of each period [d]; default: all of it.
    given : Mapping
        Other parts of the scenario.

    Returns
    -------
    dict
        Indicators by time period, controller and name.

    Raises
    ------
    TriviumError
        When a name is unknown, or a step fails.
    """
    controllers = {name: controller(name, case) for name in names}
    found: dict[str, dict[str, dict[str, float | None]]] = {}
    known = case.evaluation.periods
    if not known:
        raise SettingsError("this test case defines no time periods to compare controllers over")
    for period in scenarios or known:
        if period not in known:
            raise InvalidValueError(f"there is no time period {period}; there are: {', '.join(known)}", "scenarios")
        for name, by in controllers.items():
            begin = case.set_scenario({"time_period": period, **given}).payload["time_period"]
            end = known[period].end if days is None else min(known[period].end, known[period].start + 86400 * days)
            with bar(end - known[period].start, f"{period}, {name}") as progress:
                drive(case, by, begin, end, progress)
            found.setdefault(period, {})[name] = dict(case.get_kpis().payload)
    return found


def table(found: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> str:
    """Return a comparison as a Markdown table; savings are over the first controller."""
    headings = [heading for _, heading, _ in SHOWN]
    lines = [
        "| period | controller | " + " | ".join(headings) + " | energy saved |",
        "|---|---|" + "--:|" * (len(headings) + 1),
    ]
    for period, of in found.items():
        first = next(iter(of.values()))["ener_tot"]
        for name, values in of.items():
            shown = [_number(values.get(key), digits) for key, _, digits in SHOWN]
            energy = values["ener_tot"]
            saved = f"{100 * (1 - energy / first):.1f} %" if first and energy is not None else ""
            lines.append(f"| {period} | {name} | {' | '.join(shown)} | {saved} |")
    return "\n".join(lines)


def as_json(found: Any) -> str:
    """Return indicators as JSON."""
    return json.dumps(found, indent=2)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
