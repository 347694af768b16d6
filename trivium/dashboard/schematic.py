"""The drawing of a plant: an SVG file whose elements are coloured and labelled by a reading.

The page has the drawing once, and of each reading what it changes. An element with an id gets the text, and as a class
the state, that the plant's `View` has for that id. The pointer of a bar goes to where the value is, and units that can
be chosen become buttons. An alarm makes its units coloured and puts a sign, which has a shape for each priority, before
their first text; a unit with an input that is set by hand gets a sign of that. What an editor adds for itself and the
colours for its own display are left out: the pages have their own, light and dark.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from trivium.dashboard.formatting import scale
from trivium.protocol import Alarm
from trivium.simulation.plant import STATES, Schematic, Unit, View

_SVG = "http://www.w3.org/2000/svg"
_TEXTS = {f"{{{_SVG}}}{name}" for name in ("text", "tspan")}
#: Elements that the pages do not show: styles for editors, and what no drawing needs.
_LEFT_OUT = {f"{{{_SVG}}}{name}" for name in ("style", "script", "metadata", "foreignObject")}


#: Signs of alarms by priority: each has a shape of its own.
SIGNS: Mapping[str, str] = {"high": "▲", "medium": "◆", "low": "●"}
#: Sign of a unit with an input that is set by hand.
_HAND = "✎"


def draw(file: Path, name: str, units: Mapping[str, Unit] | None = None) -> str:
    """Return a drawing as SVG, as it is before any reading; `parts` has what a reading changes.

    Parameters
    ----------
    file : Path
        The SVG file.
    name : str
        Goes before all ids, so that several drawings may be on a page.
    units : Mapping[str, Unit], optional
        What can be chosen, by id.
    """
    drawing = copy.deepcopy(_read(file).root)
    for element in drawing.iter():
        key = element.get("id")
        if key in (units or {}):
            for attribute, value in (("data-unit", str(key)), ("role", "button"), ("tabindex", "0")):
                element.set(attribute, value)
        if key is not None:
            element.set("id", f"{name}-{key}")
        for attribute, value in element.attrib.items():
            if value.startswith("url(#"):
                element.set(attribute, value.replace("url(#", f"url(#{name}-"))
    drawing.set("role", "group" if units else "img")
    return ElementTree.tostring(drawing, encoding="unicode")


def parts(
    file: Path,
    view: View,
    units: Mapping[str, Unit] | None = None,
    marks: Mapping[str, Alarm] | None = None,
    by_hand: Collection[str] = (),
) -> dict[str, dict[str, str]]:
    """Return what a reading changes in a drawing: by id the new ``text`` and attributes, of the whole by the id "".

    Parameters
    ----------
    file : Path
        The SVG file.
    view : View
        The reading.
    units : Mapping[str, Unit], optional
        What can be chosen, by id.
    marks : Mapping[str, Alarm], optional
        The most urgent alarm of units, by id.
    by_hand : collection of str
        Inputs that are set by hand.
    """
    drawing = _read(file)
    changes: dict[str, dict[str, str]] = {"": {"aria-label": view.sentence}}
    for key in view.figures.keys() & drawing.written.keys():
        first, *rest = drawing.written[key]
        changes[first] = {"text": figure(view.figures[key])}
        changes |= {blank: {"text": ""} for blank in rest}
    kinds = dict(drawing.kinds)
    for key in view.states.keys() & kinds.keys():
        kinds[key] = [*(kind for kind in kinds[key] if kind not in STATES), view.states[key]]
    for key, deviation in view.deviations.items():
        bar = drawing.bars.get(key)
        if bar is not None:
            off = (deviation.value - deviation.set_point) / (2.0 * deviation.band)
            changes[bar.pointer] = {"transform": f"translate({bar.half * min(max(off, -1.0), 1.0):.1f} 0)"}
            kinds[key] = [*kinds[key], "beyond"] if abs(off) > 0.5 else kinds[key]
    for key, unit in (units or {}).items():
        if key in kinds:
            hand = not {*unit.inputs}.isdisjoint(by_hand)
            kinds[key] = [*kinds[key], "pick", *_offered(drawing, changes, key, unit, (marks or {}).get(key), hand)]
    for key in {*view.states, *view.deviations, *(units or {})} & kinds.keys():
        changes.setdefault(key, {})["class"] = " ".join(kinds[key])
    return changes


def marks(drawing: Schematic, alarms: Sequence[Alarm]) -> dict[str, Alarm]:
    """Return the most urgent active alarm of each unit, of alarms in the order of their urgency."""
    urgent: dict[str, Alarm] = {}
    for alarm in alarms:
        for key in drawing.marked(alarm.points) if alarm.active else ():
            urgent.setdefault(key, alarm)
    return urgent


def figure(value: str | tuple[float, str]) -> str:
    """Return words as they are, a value with its unit as people read it."""
    return value if isinstance(value, str) else scale(value[1], plant=True).text(value[0])


class _Bar(NamedTuple):
    """A bar of a deviation: the id of its pointer, and half the width of its scale."""

    pointer: str
    half: float


class _Drawing(NamedTuple):
    """A file, with what is looked up in it for each reading.

    Attributes
    ----------
    root : Element
        All texts and pointers have ids.
    kinds : Mapping[str, sequence of str]
        Classes of elements by id.
    texts : Mapping[str, str]
        Texts by id, as the file has them.
    within : Mapping[str, sequence of str]
        Ids of the texts in an element, by its id.
    written : Mapping[str, sequence of str]
        Ids of the texts of a text element, by its id: an editor puts a text into spans, of which the first is written.
    bars : Mapping[str, _Bar]
        By the id of the bar.
    """

    root: Element
    kinds: Mapping[str, Sequence[str]]
    texts: Mapping[str, str]
    within: Mapping[str, Sequence[str]]
    written: Mapping[str, Sequence[str]]
    bars: Mapping[str, _Bar]


@functools.cache
def _read(file: Path) -> _Drawing:
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.parse(file).getroot()  # noqa: S314  # a file of an installed package  # nosec B314
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in _LEFT_OUT or not child.tag.startswith(f"{{{_SVG}}}"):
                parent.remove(child)
        for attribute in list(_of_editors(parent)):
            del parent.attrib[attribute]
    for number, element in enumerate(root.iter()):
        if element.tag in _TEXTS or "pointer" in element.get("class", "").split():
            element.attrib.setdefault("id", f"part-{number}")
    by_id = {key: element for element in root.iter() if (key := element.get("id")) is not None}
    within = {
        key: [part.attrib["id"] for part in element.iter() if part.tag in _TEXTS and not len(part)]
        for key, element in by_id.items()
    }
    return _Drawing(
        root,
        {key: element.get("class", "").split() for key, element in by_id.items()},
        {key: element.text or "" for key, element in by_id.items()},
        within,
        {key: within[key] for key, element in by_id.items() if element.tag in _TEXTS},
        {key: bar for key, element in by_id.items() if (bar := _bar(element)) is not None},
    )


def _bar(group: Element) -> _Bar | None:
    """Return what of a group is a bar: an element of class ``pointer`` in the middle of one of class ``scale``."""
    by_class = {kind: each for each in group for kind in each.get("class", "").split()}
    if "scale" not in by_class or "pointer" not in by_class:
        return None
    return _Bar(by_class["pointer"].attrib["id"], float(by_class["scale"].get("width", "0")) / 2.0)


def _of_editors(element: Element) -> Iterator[str]:
    """Yield attributes of other namespaces and those that would run code."""
    for attribute in element.attrib:
        if attribute.startswith(("{", "on")):
            yield attribute


def _offered(
    drawing: _Drawing, changes: dict[str, dict[str, str]], key: str, unit: Unit, alarm: Alarm | None, hand: bool
) -> list[str]:
    """Name a unit, mark it where it has an alarm or an input that is set by hand, and return its further classes."""
    texts = {text: changes.get(text, {}).get("text", drawing.texts[text]) for text in drawing.within[key]}
    words_by_id = {text: words.strip() for text, words in texts.items() if words.strip()}
    words, kinds, signs = [unit.title, *words_by_id.values()], [], ""
    if alarm is not None:
        kinds = ["alarm", alarm.priority] if alarm.acknowledged else ["alarm", "new", alarm.priority]
        words.append(f"{alarm.priority} alarm: {alarm.text}")
        signs += f"{SIGNS[alarm.priority]} "
    if hand:
        words.append("set by hand")
        signs += f"{_HAND} "
    changes[key] = {**changes.get(key, {}), "aria-label": ", ".join(words)}
    if words_by_id:
        first = next(iter(words_by_id))
        changes.setdefault(first, {})["text"] = signs + texts[first]
    return kinds
