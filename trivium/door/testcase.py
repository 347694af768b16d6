"""The test case of the reference's interface: ``TestCase()`` opens the default plant."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Self

from trivium.door.model_path import ModelName, model_path, state_dir
from trivium.server import wording
from trivium.server.wording import Reply
from trivium.session.local import open_testcase
from trivium.settings import Settings
from trivium.simulation.times import check_span, check_step


class TestCase:
    """A test case in this process, whose methods answer what the routes of the REST API answer.

    `trivium.open` gives the same with plain values. All calls must come from one thread.

    Parameters
    ----------
    resources : str or path, optional
        Folder of a test case, or an FMU; default: that of the settings, the cooling plant.
    state : str or path, optional
        Folder for unpacked FMUs and the history; default: that of the settings.
    engine : {"auto", "fmpy", "pyfmi"}, optional
        What runs the FMU where the test case does not choose; default: that of the settings.

    Raises
    ------
    ResourcesError, ModelError, StorageError
        When a file is wrong, the FMU cannot be loaded, the folder cannot be written.

    Examples
    --------
    >>> import trivium
    >>> case = trivium.TestCase()
    >>> case.initialize(0).message
    'Simulation initialized successfully to 0s.'
    >>> case.advance({}).message
    'Advanced simulation successfully from 0.0s to 300.0s.'
    >>> case.close()
    """

    __test__ = False  # the name makes pytest think that this is a test

    def __init__(
        self, resources: ModelName = None, state: str | os.PathLike[str] | None = None, engine: str | None = None
    ) -> None:
        #: The simulation whose values are worded.
        self.simulation = open_testcase(model_path(resources), state_dir(state), engine or Settings().engine)

    @property
    def time(self) -> float:
        """Clock [s]."""
        return self.simulation.time

    def get_version(self) -> Reply:
        """Answer ``GET /version``."""
        return wording.version(self.simulation.version)

    def get_name(self) -> Reply:
        """Answer ``GET /name``."""
        return wording.name(self.simulation.name)

    def get_inputs(self) -> Reply:
        """Answer ``GET /inputs``: the control inputs and their metadata."""
        return wording.inputs(self.simulation.inputs)

    def get_measurements(self) -> Reply:
        """Answer ``GET /measurements``: the outputs and their metadata."""
        return wording.measurements(self.simulation.measurements)

    def get_parameters(self) -> Reply:
        """Answer ``GET /parameters``: what may be set at `initialize`, metadata and start values."""
        return wording.parameters(self.simulation.parameters)

    def get_step(self) -> Reply:
        """Answer ``GET /step``: the control step [s]."""
        return wording.step(self.simulation.step)

    def set_step(self, step: float) -> Reply:
        """Answer ``PUT /step``; the control step in s."""
        check_step(step, self.simulation.interval)
        return wording.step_set(self.simulation.set_step(step))

    def initialize(
        self,
        start_time: float,
        end_time: float | None = None,
        warmup_period: float | None = None,
        start_values: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Answer ``PUT /initialize``; times in s. With a warm-up the answer is that of BOPTEST's route."""
        if warmup_period is None:
            check_span(start_time, end_time, self.simulation.interval)
        with wording.worded():
            observation = self.simulation.initialize(start_time, end_time, warmup_period or 0.0, start_values)
        return wording.initialized(observation, boptest=warmup_period is not None)

    def advance(self, u: Mapping[str, Any]) -> Reply:
        """Answer ``POST /advance``: simulate one control step; what is left out of the inputs keeps its value."""
        with wording.worded():
            return wording.advanced(self.simulation.advance(u), boptest=False)

    def get_results(self, point_names: Sequence[str], start_time: float, final_time: float) -> Reply:
        """Answer ``PUT /results``: trajectories over a window [s], both ends included."""
        with wording.worded():
            return wording.results(point_names, self.simulation.results(point_names, start_time, final_time))

    def get_forecast_points(self) -> Reply:
        """Answer ``GET /forecast_points``: what can be asked ahead, and its metadata."""
        return wording.forecast_points(self.simulation.forecast_points)

    def get_forecast(self, point_names: Sequence[str], horizon: float, interval: float) -> Reply:
        """Answer ``PUT /forecast``: boundary data and prices ahead; times in s."""
        columns = self.simulation.forecast(point_names, horizon, interval)
        return wording.forecast(columns, float(horizon), float(interval))

    def get_kpi_points(self) -> Reply:
        """Answer ``GET /kpi_points``: the key performance indicators, unit and description."""
        return wording.kpi_points(self.simulation.kpi_points)

    def get_kpis(
        self, names: Sequence[str] | None = None, start_time: float | None = None, final_time: float | None = None
    ) -> Reply:
        """Answer ``GET /kpi``: key performance indicators, None where there is none."""
        with wording.worded():
            return wording.kpis(self.simulation.kpis(names, start_time, final_time))

    def get_scenario(self) -> Reply:
        """Answer ``GET /scenario``."""
        return wording.scenario(self.simulation.scenario)

    def set_scenario(self, parts: Mapping[str, Any]) -> Reply:
        """Answer ``PUT /scenario``; with a time period, also what `initialize` to its start answers."""
        return wording.scenario_set(self.simulation.set_scenario(**parts))

    def close(self) -> None:
        """Free the model; safe to call again."""
        self.simulation.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"TestCase({self.simulation.name} at {self.time:g} s)"
