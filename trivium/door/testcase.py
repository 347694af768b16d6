"""The test case of the reference's interface: ``TestCase()`` opens the default plant."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from trivium.door.model_path import ModelName, model_path, state_dir
from trivium.model.contract import Model
from trivium.model.fmu.registry import open_model
from trivium.session.local import load
from trivium.settings import Settings
from trivium.simulation.assembly import assemble
from trivium.simulation.resources import Resources
from trivium.simulation.testcase import TestCase as CoreTestCase
from trivium.simulation.testcase import new_history


class TestCase(CoreTestCase):
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
        folder = state_dir(state)
        files = load(model_path(resources), engine or Settings().engine)
        model = open_model(files, folder / "fmu")
        try:
            history = new_history(model, folder / "history")
        except BaseException:
            model.close()
            raise
        try:
            super().__init__(files, *assemble(files, model, history))
        except BaseException:
            history.close()
            model.close()
            raise

    @classmethod
    def open(cls, resources: Resources, model: Model, directory: Path) -> CoreTestCase:
        """Put a test case together; see `trivium.simulation.testcase.TestCase.open`."""
        return CoreTestCase.open(resources, model, directory)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"TestCase({self._resources.name} at {self.time:g} s)"
