"""The closed data centre: what is known of it beyond its FMU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trivium.plants.symbolic import SymbolicPlant


def casadi(parameters: Mapping[str, float] | None = None) -> SymbolicPlant:
    """Return the plant's equations as CasADi functions: those that its FMU is built of, and the map over a step.

    Parameters
    ----------
    parameters : Mapping[str, float], optional
        Values of parameters other than the start values of the FMU [their units], as those that a member of the family
        declares in ``[start_values]`` of its testcase.toml.

    Raises
    ------
    MissingExtraError
        When CasADi is not installed: the extra ``mpc``.
    InvalidValueError
        Naming a parameter that does not exist or is out of its bounds.
    """
    from trivium.plants.data_center.plant import COMMANDS
    from trivium.plants.symbolic import SymbolicPlant

    return SymbolicPlant(Path(__file__).with_name("equations.json.gz"), COMMANDS, parameters=parameters)
