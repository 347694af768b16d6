"""The drawing of a plant: an SVG file whose elements are coloured and labelled by a reading.

An element with an id gets the text, and as a class the state, that the plant's `View` has for that id. What an editor
adds for itself and the colours for its own display are left out: the pages have their own, light and dark.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from trivium.dashboard.formatting import scale
from trivium.simulation.plant import STATES, View

_SVG = "http://www.w3.org/2000/svg"
#: Elements that the pages do not show: styles for editors, and what no drawing needs.
_LEFT_OUT = {f"{{{_SVG}}}{name}" for name in ("style", "script", "metadata", "foreignObject")}


def draw(file: Path, name: str, view: View) -> str:
    """Return a drawing as SVG.

    Parameters
    ----------
    file : Path
        The SVG file.
    name : str
        Goes before all ids, so that several drawings may be on a page.
    view : View
        The reading.
    """
    drawing = copy.deepcopy(_read(file))
    for element in drawing.iter():
        key = element.get("id")
        if key is None:
            continue
        if key in view.figures:
            _write(element, figure(view.figures[key]))
        if key in view.states:
            kinds = [kind for kind in element.get("class", "").split() if kind not in STATES]
            element.set("class", " ".join([*kinds, view.states[key]]))
        element.set("id", f"{name}-{key}")
    for element in drawing.iter():
        for attribute, value in element.attrib.items():
            if value.startswith("url(#"):
                element.set(attribute, value.replace("url(#", f"url(#{name}-"))
    drawing.set("role", "img")
    drawing.set("aria-label", view.sentence)
    return ElementTree.tostring(drawing, encoding="unicode")


def figure(value: str | tuple[float, str]) -> str:
    """Return words as they are, a value with its unit as people read it."""
    return value if isinstance(value, str) else scale(value[1], plant=True).text(value[0])


@functools.cache
def _read(file: Path) -> Element:
    ElementTree.register_namespace("", _SVG)
    drawing = ElementTree.parse(file).getroot()  # noqa: S314  # a file of an installed package  # nosec B314
    for parent in list(drawing.iter()):
        for child in list(parent):
            if child.tag in _LEFT_OUT or not child.tag.startswith(f"{{{_SVG}}}"):
                parent.remove(child)
        for attribute in list(_of_editors(parent)):
            del parent.attrib[attribute]
    return drawing


def _of_editors(element: Element) -> Iterator[str]:
    """Yield attributes of other namespaces and those that would run code."""
    for attribute in element.attrib:
        if attribute.startswith(("{", "on")):
            yield attribute


def _write(element: Element, content: str) -> None:
    """Replace the text of an element; where an editor put it into a span, that of the span."""
    spans = list(element)
    for span in spans[1:]:
        element.remove(span)
    target = spans[0] if spans else element
    target.text = content
