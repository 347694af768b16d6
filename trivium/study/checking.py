"""A study checked in a process of its own: ``python -m trivium.study.checking``.

A server that accepts studies loads no FMU itself. The request is a line of JSON on stdin, the error one on stdout.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trivium.environment import ROOT, child_environment
from trivium.errors import InvalidValueError, MissingExtraError, ResourcesError
from trivium.study.prepare import prepare
from trivium.study.process import error_of
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
    command = [sys.executable, "-P", "-m", "trivium.study.checking"]
    try:
        child = subprocess.run(  # noqa: S603, our own module
            command,
            input=json.dumps(request),
            stdout=subprocess.PIPE,
            env=child_environment(PYTHONPATH=str(ROOT)),
            encoding="utf-8",
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return
    if child.returncode == 0 and child.stdout:
        raise error_of(**json.loads(child.stdout))


def main() -> None:
    """Check the study of the request on stdin."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever an FMU prints is no answer
    request = json.loads(sys.stdin.readline())
    try:
        study = Study.model_validate(request["study"])
        plan, _ = prepare(study, Path(request["folder"]), Path(request["unpacked"]))
        if plan.count > request["most_runs"]:
            place = "simulation_parameters" if study.sampling.runs is None else "sampling.runs"
            raise InvalidValueError(f"{place}: {plan.count} runs; a job may have {request['most_runs']}", place)
    except (InvalidValueError, MissingExtraError, ResourcesError) as error:
        field = getattr(error, "field", None)
        json.dump({"kind": type(error).__name__, "message": str(error), "field": field}, answer)
        answer.flush()


if __name__ == "__main__":
    main()
