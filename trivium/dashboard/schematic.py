"""The drawing of a plant: an SVG file whose elements are coloured and labelled by a reading.

An element with an id gets the text, and as a class the state, that the plant's `View` has for that id. The pointer of a
bar goes to where the value is, and units that can be chosen become buttons. An alarm makes its units coloured and puts
a sign, which has a shape for each priority, before their first text; a unit with an input that is set by hand gets a
sign of that. What an editor adds for itself and the colours for its own display are left out: the pages have their own,
light and dark.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from trivium.dashboard.formatting import scale
from trivium.protocol import Alarm
from trivium.simulation.plant import STATES, Deviation, Schematic, Unit, View

_SVG = "http://www.w3.org/2000/svg"
_TEXTS = {f"{{{_SVG}}}{name}" for name in ("text", "tspan")}
#: Elements that the pages do not show: styles for editors, and what no drawing needs.
_LEFT_OUT = {f"{{{_SVG}}}{name}" for name in ("style", "script", "metadata", "foreignObject")}


#: Signs of alarms by priority: each has a shape of its own.
SIGNS: Mapping[str, str] = {"high": "▲", "medium": "◆", "low": "●"}
#: Sign of a unit with an input that is set by hand.
_HAND = "✎"


def draw(
    file: Path,
    name: str,
    view: View,
    units: Mapping[str, Unit] | None = None,
    marks: Mapping[str, Alarm] | None = None,
    by_hand: Collection[str] = (),
) -> str:
    """Return a drawing as SVG.

    Parameters
    ----------
    file : Path
        The SVG file.
    name : str
        Goes before all ids, so that several drawings may be on a page.
    view : View
        The reading.
    units : Mapping[str, Unit], optional
        What can be chosen, by id.
    marks : Mapping[str, Alarm], optional
        The most urgent alarm of units, by id.
    by_hand : collection of str
        Inputs that are set by hand.
    """
    drawing = copy.deepcopy(_read(file))
    by_id = {key: element for element in drawing.iter() if (key := element.get("id")) is not None}
    for key, element in by_id.items():
        if key in view.figures:
            _write(element, figure(view.figures[key]))
        if key in view.states:
            kinds = [kind for kind in element.get("class", "").split() if kind not in STATES]
            element.set("class", " ".join([*kinds, view.states[key]]))
        if key in view.deviations:
            _point(element, view.deviations[key])
    for key, unit in (units or {}).items():
        if key in by_id:
            hand = not {*unit.inputs}.isdisjoint(by_hand)
            _offer(by_id[key], key, unit, (marks or {}).get(key), hand)
    for key, element in by_id.items():
        element.set("id", f"{name}-{key}")
    for element in drawing.iter():
        for attribute, value in element.attrib.items():
            if value.startswith("url(#"):
                element.set(attribute, value.replace("url(#", f"url(#{name}-"))
    drawing.set("role", "group" if units else "img")
    drawing.set("aria-label", view.sentence)
    return ElementTree.tostring(drawing, encoding="unicode")


def marks(drawing: Schematic, alarms: Sequence[Alarm]) -> dict[str, Alarm]:
    """Return the most urgent active alarm of each unit, of alarms in the order of their urgency."""
    found: dict[str, Alarm] = {}
    for alarm in alarms:
        for key in drawing.marked(alarm.points) if alarm.active else ():
            found.setdefault(key, alarm)
    return found


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


def _point(group: Element, deviation: Deviation) -> None:
    """Move the pointer of a bar, an element of class ``pointer`` in its middle, along its ``scale``."""
    scale_of = next((each for each in group if "scale" in each.get("class", "").split()), None)
    pointer = next((each for each in group if "pointer" in each.get("class", "").split()), None)
    if scale_of is None or pointer is None:
        return
    off = (deviation.value - deviation.set_point) / (2.0 * deviation.band)
    half = float(scale_of.get("width", "0")) / 2.0
    pointer.set("transform", f"translate({half * min(max(off, -1.0), 1.0):.1f} 0)")
    kinds = [kind for kind in group.get("class", "").split() if kind != "beyond"]
    group.set("class", " ".join([*kinds, "beyond"] if abs(off) > 0.5 else kinds))


def _offer(group: Element, key: str, unit: Unit, alarm: Alarm | None, hand: bool) -> None:
    """Make a unit a button, and mark it where it has an alarm or an input that is set by hand."""
    parts = [part for part in group.iter() if part.tag in _TEXTS and (part.text or "").strip()]
    words = [unit.title, *(str(part.text).strip() for part in parts)]
    kinds, signs = [*group.get("class", "").split(), "pick"], ""
    if alarm is not None:
        kinds += ["alarm", alarm.priority] if alarm.acknowledged else ["alarm", "new", alarm.priority]
        words.append(f"{alarm.priority} alarm: {alarm.text}")
        signs += f"{SIGNS[alarm.priority]} "
    if hand:
        words.append("set by hand")
        signs += f"{_HAND} "
    if signs and parts:
        parts[0].text = signs + str(parts[0].text)
    group.set("class", " ".join(kinds))
    group.set("data-unit", key)
    group.set("role", "button")
    group.set("tabindex", "0")
    group.set("aria-label", ", ".join(words))
