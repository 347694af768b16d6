"""The data-centre cooling plant: laws, surrogates and controllers that belong to it alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trivium.plants.symbolic import SymbolicPlant


def casadi(parameters: Mapping[str, float] | None = None, resources: Path | None = None) -> SymbolicPlant:
    """Return the plant's equations as CasADi functions: those that its FMU is built of, and the map over a step.

    Parameters
    ----------
    parameters : Mapping[str, float], optional
        Values of parameters other than the start values of the FMU [their units].
    resources : Path, optional
        Folder with the surrogates of the required head and of the chillers' power; default: the shipped one.

    Raises
    ------
    MissingExtraError
        When CasADi is not installed: the extra ``mpc``.
    ResourcesError
        When a surrogate is an exported program, or a file cannot be read.
    InvalidValueError
        Naming a parameter that does not exist or is out of its bounds.
    """
    from trivium.plants.cooling.symbolic import equations

    return equations(parameters, resources)
