"""The test case of a folder or of an FMU alone, opened in this process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from adcc.core.resources import Resources
from adcc.core.testcase import TestCase
from adcc.fmu.registry import open_model


def load_resources(path: Path, engine: str = "auto") -> Resources:
    """Find the files of a test case, run by an engine where it does not choose one itself.

    Raises
    ------
    ResourcesError
        Naming the file that is missing or the key that is wrong.
    """
    case = Resources.load(path)
    return replace(case, engine=engine) if case.engine == "auto" else case


def open_testcase(resources: Path, state_dir: Path, engine: str = "auto") -> TestCase:
    """Open the test case of a folder or of an FMU alone.

    Parameters
    ----------
    resources : Path
        Folder of the test case, or its FMU.
    state_dir : Path
        Folder for unpacked FMUs and the history.
    engine : {"auto", "fmpy", "pyfmi"}
        What runs the FMU where the test case does not choose.

    Raises
    ------
    ResourcesError, ModelError, StorageError
        When a file is wrong, the FMU cannot be loaded, the folder cannot be written.
    """
    case = load_resources(resources, engine)
    return TestCase.open(case, open_model(case, state_dir / "fmu"), state_dir / "history")
