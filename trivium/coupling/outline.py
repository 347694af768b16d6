"""The outline of a coupled run as a file: what readers need who do not open the components, also while it runs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trivium.coupling.residual import Part
from trivium.storage import replace_file

if TYPE_CHECKING:  # readers need no experiments
    from trivium.coupling.problem import Problem

FILE = "outline.json"


@dataclass(frozen=True)
class Outline:
    """What a coupled run is made of.

    Attributes
    ----------
    components : tuple of str
        In the order in which they are evaluated.
    connections : tuple of (tuple of str, str, bool)
        Outputs, the input that is made of them, and whether its value is iterated.
    parts : tuple of Part
        The unknowns, in the order of the iterates.
    units : tuple of str
        Of the parts.
    """

    components: tuple[str, ...]
    connections: tuple[tuple[tuple[str, ...], str, bool], ...]
    parts: tuple[Part, ...]
    units: tuple[str, ...]


def write_outline(problem: Problem, folder: Path) -> None:
    """Write the outline of a run into its folder."""
    links = [
        (link.spec.sources, link.spec.target, place in problem.order.torn) for place, link in enumerate(problem.links)
    ]
    content = {
        "components": [name for level in problem.order.levels for name in level],
        "connections": links,
        "parts": [asdict(part) for part in problem.parts],
        "units": [variable.unit for variable in problem.targets],
    }
    replace_file(folder / FILE, json.dumps(content).encode())


def read_outline(folder: Path) -> Outline | None:
    """Read the outline of a run; None where there is none."""
    try:
        content = json.loads((folder / FILE).read_bytes())
        return Outline(
            tuple(content["components"]),
            tuple((tuple(sources), target, torn) for sources, target, torn in content["connections"]),
            tuple(Part(**part) for part in content["parts"]),
            tuple(content["units"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
