"""Whole tests under a controller, with trajectories and plots; controllers compared: the work of ``trivium step``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from trivium.control.drive import controller, drive
from trivium.control.panel import Panel
from trivium.control.sheet import draw_html, draw_png, means, panels
from trivium.errors import InvalidValueError, MissingExtraError, SettingsError
from trivium.evaluation.testcase import TestCase
from trivium.model.contract import FloatArray
from trivium.simulation.calendar import Calendar
from trivium.simulation.export import check_path, write_table
from trivium.simulation.resources import Resources
from trivium.simulation.times import check_span
from trivium.suggestions import near_or_all

#: Rows that are read at a time.
BLOCK = 4096
#: Controllers that are compared where none are named.
COMPARED = ("rules", "look-ahead")
#: What stands in tables in place of a saving where a run does not serve.
DOES_NOT_SERVE = "does not serve"
#: What a comparison shows: indicator, heading, decimals.
SHOWN = (
    ("ener_tot", "energy [kWh]", 0), ("pue", "PUE", 4), ("unserved_tot", "unserved heat [kWh]", 0),
    ("tdis_tot", "set-point violation [K h]", 3),
    ("cost_tot", "cost", 0), ("emis_tot", "CO2 [kg]", 0), ("pele_tot", "peak [kW]", 0), ("water_tot", "water [l]", 0),
    ("starts_chillers", "chiller starts", 0),
)  # fmt: skip

Say = Callable[[str], None]
#: Shows progress: takes the number of steps and a label, and yields what is called after each step with its length [s].
Bar = Callable[[int, str], AbstractContextManager[Callable[[float], object]]]


def no_bar(_steps: int, _label: str) -> AbstractContextManager[Callable[[float], object]]:
    """Show no progress."""
    return nullcontext(lambda _: None)


def step(
    case: TestCase,
    resources: Resources,
    name: str,
    span: tuple[float, float],
    scenario: Mapping[str, Any],
    out: Path | None,
    say: Say,
    bar: Bar = no_bar,
) -> Mapping[str, float | None]:
    """Drive a test in a scenario, write its trajectories and plots, and return its indicators.

    Parameters
    ----------
    case : TestCase
    resources : Resources
    name : str
        Of the controller; see `trivium.control.controller.CONTROLLERS`.
    span : tuple of float
        From when to when [s]; see `span_of`.
    scenario : Mapping
        See `begin`.
    out : Path or None
        Where the trajectories go; beside it the plots, as .png and .html. None for neither.
    say : Callable
        Takes a line for the user.
    bar : Callable
        Shows progress.

    Raises
    ------
    TriviumError
        When something is wrong; before anything is simulated where that is known then.
    """
    if out is not None:
        check_path(out)
    by = controller(name, case)
    start, end = span
    observation = begin(case, scenario, start, end)
    with bar(_steps(case, end), name) as progress:
        drive(case, by, observation, end, progress)
    if out is not None:
        columns = case.stepper.history.columns
        write_table(out, columns, blocks(case))
        trajectories = means(columns, blocks(case), start, case.time)
        title = f"{resources.name}, controller {name}"
        if case.kpis().get("serves") == 0:
            title += f" ({DOES_NOT_SERVE})"
        outputs = [variable.name for variable in case.measurements.values()]
        paths = draw(trajectories, panels(trajectories, resources.kpi, outputs), title, out, say, resources.calendar)
        say(f"written: {', '.join(map(str, (out, *paths)))}")
    return case.kpis()


def begin(case: TestCase, scenario: Mapping[str, Any], start: float, end: float) -> dict[str, float]:
    """Initialize a test in a scenario, and return the observation.

    Parameters
    ----------
    case : TestCase
    scenario : Mapping
        Parts of `trivium.evaluation.scenario.Scenario`. With a ``time_period`` the test begins with that, after its
        warm-up.
    start, end : float
        [s]

    Raises
    ------
    TriviumError
        When something is wrong with the scenario or the times.
    """
    if scenario.get("time_period") is not None:
        observation: dict[str, float] = case.set_scenario(**scenario)["time_period"]
        return observation
    check_span(start, end, case.interval)
    if any(value is not None for value in scenario.values()):
        case.set_scenario(**scenario)
    return case.initialize(start, end)


def draw(
    trajectories: Mapping[str, FloatArray],
    sheet: Sequence[Panel],
    title: str,
    table: Path,
    say: Say,
    calendar: Calendar | None = None,
) -> list[Path]:
    """Draw a sheet beside a table, as .png and .html; return the files.

    Where a package is missing, the file is left out, and the user gets the command that installs the package.

    Raises
    ------
    StorageError
        When a file cannot be written.
    """
    paths = []
    for write, suffix in ((draw_png, ".png"), (draw_html, ".html")):
        path = table.with_suffix(suffix)
        try:
            write(trajectories["time"], sheet, title, path, calendar)
        except MissingExtraError as error:
            say(f"{path} is left out: {error}")
        else:
            paths.append(path)
    return paths


def blocks(case: TestCase) -> Iterator[FloatArray]:
    """Return the history of a test case a block at a time."""
    for first in range(0, len(case.stepper.history), BLOCK):
        yield case.stepper.history.rows(first)[:BLOCK]


def compare(
    case: TestCase,
    names: Sequence[str],
    scenarios: Sequence[str],
    days: float | None,
    scenario: Mapping[str, Any],
    bar: Bar = no_bar,
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
    scenario : Mapping
        Other parts of the scenario.
    bar : Callable
        Shows progress.

    Returns
    -------
    dict
        Indicators by time period, controller and name. Where the first controller serves, ``serves`` of the others is
        about whether they serve as it does.

    Raises
    ------
    TriviumError
        When a name is unknown, or a step fails.
    """
    periods = case.evaluation.periods
    if not periods:
        raise SettingsError(
            "this model defines no time periods to compare controllers over; testcase.toml of a test case does "
            "(docs/testcases.md)"
        )
    controllers = {name: controller(name, case) for name in names}
    compared: dict[str, dict[str, dict[str, float | None]]] = {}
    for period in scenarios:
        span_of(case, period, days)
    for period in scenarios or periods:
        _, end = span_of(case, period, days)
        for name, by in controllers.items():
            begin = case.set_scenario(time_period=period, **scenario)["time_period"]
            with bar(_steps(case, end), f"{period}, {name}") as progress:
                drive(case, by, begin, end, progress)
            compared.setdefault(period, {})[name] = case.kpis()
        _judge(case, [*compared[period].values()])
    return compared


def span_of(case: TestCase, period: str, days: float | None) -> tuple[float, float]:
    """Return the times between which a period is simulated [s], given how much of it [d].

    Raises
    ------
    InvalidValueError
        When there is no such period.
    """
    if period not in case.evaluation.periods:
        near = near_or_all(period, case.evaluation.periods)
        raise InvalidValueError(f"There is no time period {period}.{near}", "time_period")
    start, end, _ = case.evaluation.periods[period]
    return start, end if days is None else min(end, start + 86400 * days)


def _judge(case: TestCase, indicators: Sequence[dict[str, float | None]]) -> None:
    """Judge the service of runs over the same time by the first of them, where that serves."""
    limits, (first, *others) = case.evaluation.limits, indicators
    if limits is not None and first["serves"]:
        for values in others:
            values["serves"] = float(limits.met(values, first))


def table(compared: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> str:
    """Return a comparison as a Markdown table; those that serve as the first controller does have savings over it."""
    headings = [heading for _, heading, _ in SHOWN]
    lines = [
        "| period | controller | " + " | ".join(headings) + " | energy saved |",
        "|---|---|" + "--:|" * (len(headings) + 1),
    ]
    for period, indicators in compared.items():
        first = next(iter(indicators.values()))
        base = None if first.get("serves") == 0 else first["ener_tot"]
        for name, values in indicators.items():
            shown = [_number(values.get(key), digits) for key, _, digits in SHOWN]
            energy = values["ener_tot"]
            saved = f"{100 * (1 - energy / base):.1f} %" if base and energy is not None else ""
            saved = DOES_NOT_SERVE if values.get("serves") == 0 else saved
            lines.append(f"| {period} | {name} | {' | '.join(shown)} | {saved} |")
    return "\n".join(lines)


def _steps(case: TestCase, end: float) -> int:
    return int((end - case.time) / case.step)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
