"""The test case of a folder, opened in this process."""

from __future__ import annotations

from pathlib import Path

from adcc.core.resources import Resources
from adcc.core.testcase import TestCase
from adcc.fmu.registry import open_model


def open_testcase(resources: Path, state_dir: Path) -> TestCase:
    """Open the test case of a folder.

    Parameters
    ----------
    resources : Path
        Folder of the test case.
    state_dir : Path
        Folder for unpacked FMUs and the history.

    Raises
    ------
    ResourcesError, ModelError, StorageError
        When a file is wrong, the FMU cannot be loaded, the folder cannot be written.
    """
    case = Resources.load(resources)
    model = open_model(case, state_dir / "fmu")
    return TestCase.open(case, model, state_dir / "history")
