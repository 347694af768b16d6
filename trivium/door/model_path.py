"""Which file or folder a model's name means, and where state goes: decided once, when something is opened."""

from __future__ import annotations

import os
from pathlib import Path

from trivium import locations
from trivium.errors import InvalidValueError, ResourcesError
from trivium.settings import Settings
from trivium.simulation.resources import Resources
from trivium.suggestions import did_you_mean

#: What names a model: the path of an FMU or of a test case's folder, the name of a shipped test case, or None for it.
ModelName = str | os.PathLike[str] | None


def model_path(model: ModelName) -> Path:
    """Return the absolute path of a model.

    Parameters
    ----------
    model : str or path, optional
        An FMU, the folder of a test case, or ``"cooling"``; None for the default test case of the settings.

    Raises
    ------
    InvalidValueError
        When it is neither a text nor a path.
    ResourcesError
        When there is no such file or folder.
    """
    if model is None:
        return Settings().resources.absolute()
    if not isinstance(model, str | os.PathLike):
        raise InvalidValueError(
            "model must be the path of an FMU, the folder of a test case or "
            f'"{locations.COOLING}", not {model!r:.100}.',
            "model",
        )
    path = locations.resolve_testcase(os.fspath(model))
    if not path.exists():
        folder = path.parent
        near = [*locations.TESTCASES, *(sorted(p.name for p in folder.iterdir()) if folder.is_dir() else ())]
        raise ResourcesError(f"There is no model {os.fspath(model)!r} in {folder}.{did_you_mean(path.name, near)}")
    return path


def fmu_path(model: ModelName) -> Path:
    """Return the absolute path of a model's FMU: the file itself, or that of a test case."""
    return Resources.load(model_path(model)).fmu.absolute()


def state_dir(folder: str | os.PathLike[str] | None = None) -> Path:
    """Return the absolute path of the state directory; by default that of the settings."""
    return Settings().state_dir.absolute() if folder is None else Path(folder).expanduser().absolute()
