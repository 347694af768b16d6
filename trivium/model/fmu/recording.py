"""Which variables of an FMU are measurements, and which are recorded beside them.

Measurements are what a step returns: the outputs, and what a pattern names; of an FMU without outputs its local
variables. All other variables that change by themselves can be recorded, so that their past can be asked for.
"""

from __future__ import annotations

import re
from dataclasses import replace

from trivium.errors import ResourcesError
from trivium.model.fmu.description import FmuDescription, Recording
from trivium.model.fmu.scalars import FmuVariable
from trivium.suggestions import did_you_mean

#: Most variables that are measured or recorded beside the outputs where no pattern chooses: a row of results then needs
#: up to 8 kB.
MOST = 1000


def select(description: FmuDescription, recording: Recording) -> FmuDescription:
    """Return the description of an FMU whose outputs are all that is read at a step.

    Raises
    ------
    ResourcesError
        Naming the pattern that matches nothing.
    """
    outputs = description.outputs
    known = {v.variable.name for v in (*outputs, *description.inputs)}
    numbers = [
        v
        for v in description.numbers
        if v.variable.name not in known and v.causality != "independent" and v.variable.name != "time"
    ]
    changing = [v for v in numbers if not v.is_steady]
    measured: list[FmuVariable] = []
    if recording.measured is not None:
        measured = _matching(recording.measured, numbers, "measurements.variables", description)
    elif not outputs:
        measured = changing[:MOST]
    names = {v.variable.name for v in measured}
    numbers, changing = ([v for v in group if v.variable.name not in names] for group in (numbers, changing))
    recorded: list[FmuVariable] = []
    if recording.recorded is not None:
        recorded = _matching(recording.recorded, numbers, "results.variables", description)
    elif recording.all and len(measured) + len(changing) <= MOST:
        recorded = changing
    return replace(
        description,
        recording=recording,
        outputs=(*outputs, *measured, *recorded),
        n_strict=len(outputs),
        n_measured=len(outputs) + len(measured),
    )


def _matching(pattern: str, variables: list[FmuVariable], key: str, description: FmuDescription) -> list[FmuVariable]:
    """Return the variables that a pattern matches; it may also match outputs, which are there in any case."""
    matches = [v for v in variables if re.fullmatch(pattern, v.variable.name)]
    if not matches and not any(re.fullmatch(pattern, v.variable.name) for v in description.outputs):
        near = did_you_mean(pattern, [v.variable.name for v in variables])
        raise ResourcesError(
            f"testcase.toml: {key} = {pattern!r} matches no variable of {description.path.name}.{near}"
        )
    return matches
