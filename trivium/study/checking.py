"""A study checked before it is accepted, in a process of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trivium.errors import InvalidValueError
from trivium.forks import LostError
from trivium.study.asking import ask
from trivium.study.prepare import prepare
from trivium.study.spec import Study

#: How long a check may take [s]: compiling a Modelica model takes longer, and its study is checked when it runs.
_PATIENCE = 60.0


def check_apart(study: Mapping[str, Any], folder: Path, unpacked: Path, most_runs: int) -> None:
    """Check a study as its run would at the start; nothing is found wrong where that takes too long.

    Parameters
    ----------
    study : Mapping
        With whole file names.
    folder : Path
        What the files of its experiment are relative to.
    unpacked : Path
        Folder for unpacked FMUs.
    most_runs : int
        How many runs it may have.

    Raises
    ------
    InvalidValueError, ResourcesError
        When the study is wrong.
    MissingExtraError
        When a package that it needs is not installed.
    """
    request = {
        "study": study,
        "folder": str(folder.absolute()),
        "unpacked": str(unpacked.absolute()),
        "most_runs": most_runs,
    }
    with contextlib.suppress(TimeoutError, LostError):  # the job finds out
        ask("trivium.study.checking:check", request, _PATIENCE)


def check(request: Mapping[str, Any]) -> None:
    """Check the study of a request of `check_apart`, in this process."""
    study = Study.model_validate(request["study"])
    plan, _ = prepare(study, Path(request["folder"]), Path(request["unpacked"]))
    if plan.count > request["most_runs"]:
        place = "simulation_parameters" if study.sampling.runs is None else "sampling.runs"
        raise InvalidValueError(f"{place}: {plan.count} runs; a job may have {request['most_runs']}", place)
