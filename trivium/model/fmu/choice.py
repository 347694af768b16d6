"""What the engine ``auto`` stands for: PyFMI where it really steps an FMU, else FMPy.

Versions alone are not enough: a PyFMI may be left over from another environment, or fail with this FMU only. So where
the versions fit, the qualification of the FMU with PyFMI decides.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from trivium.model.fmu.description import FmuDescription
from trivium.model.fmu.fmu_model import Setup
from trivium.model.fmu.registry import unusable
from trivium.model.fmu.verdict import Qualification

_log = logging.getLogger(__name__)


def choose_engine(description: FmuDescription, setup: Setup, qualified: Callable[[Setup], Qualification]) -> str:
    """Return the engine that ``auto`` stands for.

    Parameters
    ----------
    description : FmuDescription
    setup : Setup
        How the FMU is run, with any engine.
    qualified : Callable
        Returns what the FMU does with an engine.
    """
    if unusable(description):
        return "fmpy"
    found = qualified(replace(setup, engine="pyfmi"))
    # An FMU that no engine can step at its start values is no reason against a PyFMI that can be imported
    if not found.error or (found.decided and qualified(replace(setup, engine="fmpy")).error):
        return "pyfmi"
    _log.warning("PyFMI cannot step %s, so FMPy is used: %s", description.path.name, found.error)
    return "fmpy"
