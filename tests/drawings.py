"""Drawings as a browser shows them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from xml.etree import ElementTree

from trivium.dashboard import schematic
from trivium.protocol import Alarm
from trivium.simulation.plant import Unit, View


def applied(
    file: Path,
    name: str,
    view: View,
    units: Mapping[str, Unit] | None = None,
    marks: Mapping[str, Alarm] | None = None,
    by_hand: Collection[str] = (),
) -> ElementTree.Element:
    """Return a drawing with what a reading changes in it."""
    drawing = ElementTree.fromstring(schematic.draw(file, name, units))
    by_id = {element.get("id"): element for element in drawing.iter()} | {f"{name}-": drawing}
    for key, part in schematic.parts(file, view, units, marks, by_hand).items():
        element, attributes = by_id[f"{name}-{key}"], dict(part)
        element.text = attributes.pop("text", element.text)
        element.attrib.update(attributes)
    return drawing
