"""The test case of a folder or of an FMU alone, opened in this process."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from trivium.evaluation.testcase import TestCase
from trivium.model.fmu.fmu_model import FmuModel
from trivium.session.signature import Signature, signature
from trivium.simulation import state
from trivium.simulation.models import open_model
from trivium.simulation.resources import Resources


class Prepared(NamedTuple):
    """A test case at its beginning.

    Attributes
    ----------
    case : TestCase
    origin : str
        Hash of all that its states depend on.
    signature : Signature or None
        Which files it was made of.
    """

    case: TestCase
    origin: str
    signature: Signature | None

    @property
    def decided(self) -> bool:
        """Whether it is known what the FMU does with its state; see `Qualification`."""
        model = self.case.stepper.model
        return not isinstance(model, FmuModel) or model.qualification.decided


def open_testcase(resources: Path, state_dir: Path, engine: str = "auto", recorded: Sequence[str] = ()) -> TestCase:
    """Open the test case of a folder or of an FMU alone.

    Parameters
    ----------
    resources : Path
        Folder of the test case, or its FMU.
    state_dir : Path
        Folder for unpacked FMUs and the history.
    engine : {"auto", "fmpy", "pyfmi"}
        What runs the FMU where the test case does not choose.
    recorded : sequence of str
        Variables that are recorded besides those that the test case chooses.

    Raises
    ------
    ResourcesError, ModelError, StorageError
        When a file is wrong, the FMU cannot be loaded, the folder cannot be written.
    """
    files = load(resources, engine)
    if recorded:
        chosen = [] if files.recorded is None else [f"(?:{files.recorded})"]
        files = replace(files, recorded="|".join([*chosen, *map(re.escape, recorded)]))
    return _open(files, state_dir)


def load(resources: Path, engine: str) -> Resources:
    """Find the files of a test case; the engine is that of the test case where it chooses itself.

    Raises
    ------
    ResourcesError
        Naming the file that is missing or the key that is wrong.
    """
    files = Resources.load(resources)
    return replace(files, engine=engine) if files.engine == "auto" else files


def prepare(resources: Path, state_dir: Path, engine: str, cache: Path | None = None) -> Prepared:
    """Open a test case; see `open_testcase`.

    Parameters
    ----------
    resources, state_dir, engine
    cache : Path, optional
        Where the FMU is unpacked; by default where all are.
    """
    resources, state_dir = resources.absolute(), state_dir.absolute()
    fingerprint = signature(resources, engine)
    files = load(resources, engine)
    case = _open(files, state_dir, cache)
    return Prepared(case, state.origin(files, case.stepper.model), fingerprint)


def _open(files: Resources, state_dir: Path, cache: Path | None = None) -> TestCase:
    return TestCase.open(files, open_model(files, cache or state_dir / "fmu"), state_dir / "history")
