"""What can be wrong with the goal of a study, found before anything runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from trivium.errors import InvalidValueError
from trivium.extras import is_installed, missing
from trivium.model.variable import Variable
from trivium.study.metrics import is_time
from trivium.study.search.condition import Condition
from trivium.study.search.goals import COLUMNS, Calibrate, Optimize
from trivium.study.spec import Metric, Study
from trivium.suggestions import near_or_all


def check_goals(
    study: Study, parameters: Collection[str], metrics: Mapping[str, Metric], inputs: Iterable[Variable]
) -> None:
    """Check what a study seeks.

    Parameters
    ----------
    study : Study
    parameters : collection of str
        Those with values.
    metrics : Mapping[str, Metric]
        All that there are.
    inputs : iterable of Variable
        Of the experiment.

    Raises
    ------
    InvalidValueError
        Naming the field.
    MissingExtraError
        When what optimizes is not installed.
    """
    if study.optimize is not None:
        if not is_installed("optuna", "cmaes"):
            raise missing("The search of optimize", "optimize")
        _check_optimize(study, study.optimize, parameters, metrics)
    if study.calibrate is not None:
        check_calibrate(study, study.calibrate)
    if study.find is None:
        return
    name, condition = study.find.parameter, study.find.condition
    if name in parameters:
        raise _refused("find.parameter", f"{name} has values in simulation_parameters, and is sought; leave those out")
    if any(variable.name == name and variable.kind != "real" for variable in inputs):
        raise _refused("find.parameter", f"{name} is no real number, and between two values there may be none")
    for taken in (name, *COLUMNS):
        if taken in metrics:
            raise _refused(f"metrics.{taken}", f"a result of find is called {taken}; choose another name")
    _check_condition(condition, metrics, study, "find.so_that")


def _check_optimize(
    study: Study, optimize: Optimize, parameters: Collection[str], metrics: Mapping[str, Metric]
) -> None:
    if not parameters:
        raise _refused("simulation_parameters", "what is to be chosen is missing: parameters and their values")
    for name, great in optimize.objectives.items():
        if name not in metrics:
            field = "optimize.maximize" if great else "optimize.minimize"
            raise _refused(field, f"there is no metric {name}.{near_or_all(name, metrics)}")
    for condition in optimize.conditions:
        _check_condition(condition, metrics, study, "optimize.subject_to")


def check_calibrate(study: Study, calibrate: Calibrate) -> None:
    """Check what belongs to the parameters of a calibration, whose values must be ranges.

    Raises
    ------
    InvalidValueError
        Naming the field.
    """
    for name, values in study.simulation_parameters.items():
        if not isinstance(values, str) or values.strip().partition(":")[0] not in ("range", "logrange"):
            raise _refused(f"simulation_parameters.{name}", "a calibration needs range:a:b or logrange:a:b")
        _, low, high = values.split(":")
        start = calibrate.start.get(name)
        if start is not None and not float(low) <= start <= float(high):
            raise _refused(f"calibrate.start.{name}", f"{start:g} is not between {float(low):g} and {float(high):g}")
    for name in calibrate.start:
        if name not in study.simulation_parameters:
            reason = f"there is no parameter {name}.{near_or_all(name, study.simulation_parameters)}"
            raise _refused(f"calibrate.start.{name}", reason)


def _check_condition(condition: Condition, metrics: Mapping[str, Metric], study: Study, field: str) -> None:
    name = condition.metric
    if name not in metrics:
        raise _refused(field, f"there is no metric {name}.{near_or_all(name, metrics)}")
    simulation = study.simulation
    if simulation is not None and is_time(metrics[name].method) and condition.bound > simulation.stop_time:
        ends = f"the run ends at {simulation.stop_time:g}, and no later {name} is seen"
        raise _refused(field, f"{ends}; let stop_time be beyond {condition.bound:g}")


def _refused(field: str, why: str) -> InvalidValueError:
    return InvalidValueError(f"{field}: {why}", field)
