"""What is known of the FMU of a simulation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from trivium.model.contract import Model
from trivium.model.fmu.fmu_model import FmuModel
from trivium.model.fmu.info import read_info, validate


def about_fmu(model: Model) -> dict[str, Any]:
    """Return what an FMU declares, what was found about it, and how it is run, as JSON holds it.

    Parameters
    ----------
    model : Model
        Empty for one that is no FMU.

    Raises
    ------
    ResourcesError
        When the FMU's file is gone.
    """
    if not isinstance(model, FmuModel):
        return {}
    description = model.description
    stored = description.directory.with_name(f"{description.directory.name}-findings.json")
    declared = replace(read_info(description.path), findings=validate(description.path, stored))
    found = model.qualification
    qualification = {
        "verdict": found.verdict,
        "isolated": model.isolated,
        "restores": model.can_snapshot,
        "reason": found.reason,
        "jumps": list(found.jumps),
        "decided": found.decided,
    }
    run = {
        "engine": model.engine,
        "interface": description.interface,
        "tolerance": model.told_tolerance,
        "inputs": len(model.inputs),
        "measured": model.n_measured,
        "recorded": len(model.outputs),
        "structural": dict(description.structural),
    }
    return {**declared.to_dict(), "file": description.path.name, "run": run, "qualification": qualification}
