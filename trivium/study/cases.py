"""The cases of a study in TRICYS' form: each a study of its own in a folder of the results, then what follows them."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from trivium.errors import ComponentError, InvalidValueError
from trivium.extras import require
from trivium.storage import replace_file
from trivium.study.read import SweepResults, open_results
from trivium.study.tricys import Translated
from trivium.study.tricys_form import Processing, Unit

#: Most numbers of a table for a function that wants all trajectories at once.
_MOST = 2**27
_UNITS = "units.json"


def write_cases(translated: Translated, out: Path) -> dict[Path, Path]:
    """Write the studies of all cases.

    Returns
    -------
    dict of Path to Path
        The study of each case and the folder of its results.
    """
    studies = {}
    for name, document in translated.studies.items():
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "study.json", document)
        _write(folder / _UNITS, {name: unit.model_dump() for name, unit in translated.units.items()})
        studies[folder / "study.json"] = folder
    return studies


def units(folder: Path) -> dict[str, Unit]:
    """Return the units that the metrics of some results are shown in; none where no study gave any."""
    path = folder / _UNITS
    if not path.is_file():
        return {}
    return {name: Unit.model_validate(unit) for name, unit in json.loads(path.read_text()).items()}


def functions(processing: list[Processing], folder: Path) -> list[tuple[Callable[..., Any], dict[str, Any]]]:
    """Return what is called with the results; modules beside the study are found.

    Raises
    ------
    InvalidValueError
        Naming the field of a module or function that is not there.
    """
    calls = []
    for place, each in enumerate(processing):
        field = f"post_processing.{place}.module"
        if each.params.get("ai"):
            field = f"post_processing.{place}.params.ai"
            raise InvalidValueError(f"{field}: reports by a language model are out of scope; leave it out", field)
        try:
            with _importing(folder):
                module = importlib.import_module(each.module)
        except ImportError as error:
            raise InvalidValueError(f"{field}: {each.module} cannot be imported: {error}", field) from error
        function = getattr(module, each.function, None)
        if not callable(function):
            field = f"post_processing.{place}.function"
            raise InvalidValueError(f"{field}: {each.module} has no function {each.function}", field)
        params = {key: _whole(key, value, folder) for key, value in each.params.items()}
        calls.append((function, params))
    return calls


def post_process(calls: list[tuple[Callable[..., Any], dict[str, Any]]], folder: Path) -> None:
    """Call functions as TRICYS does: with a table of all trajectories, a folder to write to, and their parameters.

    Raises
    ------
    ComponentError
        When one fails.
    InvalidValueError
        When the table is too large to be made at once.
    """
    if not calls:
        return
    with open_results(folder) as results:
        if not results.variables:  # what is sought has none
            return
        table = trajectory_table(results)
    target = folder / "post_processing"
    target.mkdir(exist_ok=True)
    for function, params in calls:
        try:
            function(results_df=table.copy(), output_dir=str(target), **params)
        except Exception as error:  # the function is anybody's
            raise ComponentError(f"{function.__module__}.{function.__name__} failed: {error!r}") from error


def trajectory_table(results: SweepResults) -> Any:
    """Return the trajectories of all runs that are done, as TRICYS names them.

    Returns
    -------
    pandas.DataFrame
        A column ``time``, and one for each variable and run, such as ``sds.I[1]&tau=5&gain=2``.

    Raises
    ------
    InvalidValueError
        When there are too many.
    """
    selection = results.select()
    if len(selection) * results.time.size * len(results.variables) > _MOST:
        reason = f"post_processing: the trajectories are more than {_MOST} numbers, too many for one table"
        raise InvalidValueError(reason, "post_processing")
    frame = selection.frame()
    varied = [name for name in results.parameters if frame[name].nunique() > 1]
    columns: dict[str, Any] = {"time": results.time}
    suffixes = [""] * len(frame)
    for name in varied:
        suffixes = [f"{suffix}&{name}={value}" for suffix, value in zip(suffixes, frame[name].tolist(), strict=True)]
    for variable in results.variables:
        rows = np.asarray(selection.trajectories(variable))
        columns |= {f"{variable}{suffix}": values for suffix, values in zip(suffixes, rows, strict=True)}
    return require("pandas", "sweep").DataFrame(columns)


@contextmanager
def _importing(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _whole(key: str, value: Any, folder: Path) -> Any:
    return str(folder / value) if key.endswith("_path") and isinstance(value, str) else value


def _write(path: Path, content: Any) -> None:
    replace_file(path, json.dumps(content, indent=4).encode())
