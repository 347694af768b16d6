"""The profile ``pr24``: what the proposal EAPD-DRB/MUIOGO #24 takes where a case does not say otherwise."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from trivium.coupling.og_clews.schemas import ALPHA, CARBON_TAX, ELASTICITY, ITERATIONS, TOLERANCE

#: Settings of the iteration.
PR24: Mapping[str, float | int] = {"alpha": ALPHA, "tolerance": TOLERANCE, "max_iterations": ITERATIONS}
#: The emissions that are taxed.
TAXED = "CO2*"
#: Callables that are energy models, beside the kind ``muio``.
_ENERGY = ("trivium.coupling.og_clews.energy:solve", "trivium.coupling.og_clews.mathprog:solve")


def completed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a case's document with the proposal's defaults in it; what is malformed is left for the validator.

    Energy models that are coupled get the carbon tax: those that are not are the base, which has none.
    """
    whole = copy.deepcopy(dict(content))
    for name, value in PR24.items():
        if whole.get(name) is None:
            whole[name] = value
    components = whole.get("components")
    for component in components.values() if isinstance(components, dict) else ():
        options = component.get("options") if isinstance(component, dict) else None
        if isinstance(options, dict) and _is_coupled(component, options):
            options.setdefault("carbon_tax", {TAXED: CARBON_TAX})
    for connection in whole.get("connections") or ():
        steps = connection.get("transform") if isinstance(connection, dict) else None
        for step in steps if isinstance(steps, list) else ():
            if isinstance(step, dict) and step.get("kind") == "elasticity":
                step.setdefault("of", ELASTICITY)
    return whole


def _is_coupled(component: Mapping[str, Any], options: Mapping[str, Any]) -> bool:
    known = component.get("kind") == "muio" or component.get("callable") in _ENERGY
    inputs = options.get("coupled")
    return known and isinstance(inputs, list) and bool(inputs) and "carbon_tax" not in inputs
