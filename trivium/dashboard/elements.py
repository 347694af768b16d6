"""Elements of the pages: four that Dash lacks, and small compositions of its own.

``Select`` and ``Choices`` are the browser's own lists to choose one or several from, and ``Between`` its own sliders,
which keyboards, screen readers and phones know; ``Still`` is redrawn only where it differs. Their browser's side is
``assets/dashboard.js``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import dash
from dash import dcc, html
from dash.development.base_component import Component

from trivium.server.guard import lacks
from trivium.server.tokens import Scope

Id = str | dict[str, str]
_NAMESPACE = "trivium_dashboard"


class Select(Component):  # type: ignore[misc]
    """A list to choose one from.

    Parameters
    ----------
    id : str or dict
    options : sequence of dict
        ``value`` and ``label``, both texts.
    value : str, optional
    """

    _namespace, _type = _NAMESPACE, "Select"
    _children_props: Sequence[str] = []
    _base_nodes: Sequence[str] = ["children"]

    def __init__(self, id: Id, options: Sequence[Mapping[str, str]] = (), value: str | None = None) -> None:  # noqa: A002
        self._prop_names = ["id", "options", "value"]
        self._valid_wildcard_attributes: list[str] = []
        self.available_properties = self._prop_names
        self.available_wildcard_properties: list[str] = []
        super().__init__(id=id, options=list(options), value=value)


class Choices(Component):  # type: ignore[misc]
    """A list to choose several from: those that are chosen, and a field that proposes others while one writes.

    Parameters
    ----------
    id : str
    noun : str
        What is chosen; choices and what is chosen of them come by callbacks, in the form of a `Select`.
    labelled : bool
        Whether people choose by the labels, which are unique.
    """

    _namespace, _type = _NAMESPACE, "Choices"
    _children_props: Sequence[str] = []
    _base_nodes: Sequence[str] = ["children"]

    def __init__(self, id: str, noun: str, labelled: bool = False) -> None:  # noqa: A002
        self._prop_names = ["id", "noun", "options", "value", "labelled"]
        self._valid_wildcard_attributes: list[str] = []
        self.available_properties = self._prop_names
        self.available_wildcard_properties: list[str] = []
        super().__init__(id=id, noun=noun, options=[], value=[], labelled=labelled)


class Ticks(Component):  # type: ignore[misc]
    """Boxes to tick.

    Parameters
    ----------
    id : str
    label : str
        Of all of them; choices and those that are ticked come by callbacks, in the form of a `Select`.
    """

    _namespace, _type = _NAMESPACE, "Ticks"
    _children_props: Sequence[str] = []
    _base_nodes: Sequence[str] = ["children"]

    def __init__(self, id: str, label: str) -> None:  # noqa: A002
        self._prop_names = ["id", "label", "options", "value"]
        self._valid_wildcard_attributes: list[str] = []
        self.available_properties = self._prop_names
        self.available_wildcard_properties: list[str] = []
        super().__init__(id=id, label=label, options=[], value=[])


class Between(Component):  # type: ignore[misc]
    """A range of a number: a slider for its least value and one for its greatest.

    Parameters
    ----------
    id : dict
    label : str
        Of what the range is.
    low, high : float
        The ends of the sliders.
    value : list of float or None
        The range; None where a slider is at its end, so that nothing is left out there.
    """

    _namespace, _type = _NAMESPACE, "Between"
    _children_props: Sequence[str] = []
    _base_nodes: Sequence[str] = ["children"]

    def __init__(self, id: Id, label: str, low: float, high: float, value: Sequence[float | None]) -> None:  # noqa: A002
        self._prop_names = ["id", "label", "low", "high", "value"]
        self._valid_wildcard_attributes: list[str] = []
        self.available_properties = self._prop_names
        self.available_wildcard_properties: list[str] = []
        super().__init__(id=id, label=label, low=low, high=high, value=list(value))


class Still(Component):  # type: ignore[misc]
    """A place whose content is drawn anew only where it differs: focus and a button that is held down stay.

    Parameters
    ----------
    id : str
        A button in it whose own id is ``{"do", "of"}`` sets the property that its ``do`` names to ``{"of", "n"}``.
    className : str
    """

    _namespace, _type = _NAMESPACE, "Still"
    _children_props: Sequence[str] = []
    _base_nodes: Sequence[str] = ["children"]

    def __init__(self, id: str, className: str = "") -> None:  # noqa: A002, N803
        self._prop_names = ["id", "content", "className"]
        self._valid_wildcard_attributes: list[str] = []
        self.available_properties = self._prop_names
        self.available_wildcard_properties: list[str] = []
        super().__init__(id=id, content=None, className=className)


#: Attributes of a component that are no properties of it.
_INTERNAL = ("_", "available_")


def drawn(content: Any) -> Any:
    """Return elements of HTML as the content of a `Still`."""
    if isinstance(content, (list, tuple)):
        return [drawn(part) for part in content]
    if not isinstance(content, Component):
        return content
    # what `to_plotly_json` finds by asking for each of the hundred properties that an element may have
    attributes = {name: value for name, value in vars(content).items() if not name.startswith(_INTERNAL)}
    node: dict[str, Any] = {"tag": content._type.lower(), "children": drawn(attributes.pop("children", None))}
    for name in ("n_clicks", "id"):
        value = attributes.pop(name, None)
        if isinstance(value, dict):
            node["press"] = value
        elif name == "id" and value is not None:
            attributes["id"] = value
    if (key := attributes.pop("key", None)) is not None:
        node["key"] = key
    return {**node, "props": attributes}


def filled(content: Sequence[Any], fields: Mapping[str, Any]) -> Sequence[Any]:
    """Fill the fields of a page with what was in them when the reader left it."""
    for part in content:
        for element in (part, *part._traverse()):
            name = getattr(element, "id", None)
            if isinstance(name, str) and name in fields and hasattr(element, "value"):
                element.value = fields[name]
    return content


def linked(content: Sequence[Any], search: str | None, parameters: Mapping[str, tuple[str, str]]) -> Sequence[Any]:
    """Fill the fields of a page with what its address has.

    Parameters
    ----------
    content : sequence of Component
    search : str, optional
        Of the address, from ``?`` on.
    parameters : Mapping[str, (str, str)]
        Names in the address, and the component and property of each, as `trivium.dashboard.trend.register` takes them.
    """
    query = parse_qs((search or "").lstrip("?"))
    values = {component: (name, query[key][-1]) for key, (component, name) in parameters.items() if key in query}
    for part in content:
        for element in (part, *part._traverse()):
            component = getattr(element, "id", None)
            if not isinstance(component, str) or component not in values:
                continue
            name, text = values[component]
            before = getattr(element, name, None)
            if isinstance(before, list):
                setattr(element, name, text.split(","))
            elif isinstance(before, int):
                setattr(element, name, int(text) if text.isdecimal() else before)
            elif name == "value":
                setattr(element, name, text)
    return content


def options(values: Iterable[str], labels: Mapping[str, str] | None = None) -> list[dict[str, str]]:
    """Return choices of a `Select`."""
    return [{"value": value, "label": (labels or {}).get(value, value)} for value in values]


def retained(value: Any, choices: Collection[Any], otherwise: Any) -> Any:
    """Return what a list's value becomes with new choices: no update where it is one of them.

    To return it would undo what the reader chooses while the reply is on its way.
    """
    return dash.no_update if value in choices else otherwise


def field(label: str, control: Any, hint: str = "", wide: bool = False) -> html.Div:
    """Return a control with its label, and what there is to know about it."""
    kind = "field wide" if wide else "field"
    hints = [html.Small(hint, className="hint")] if hint else []
    return html.Div([html.Label(label, htmlFor=control.id), control, *hints], className=kind)


def line(id: str, value: str = "", **attributes: Any) -> dcc.Input:  # noqa: A002
    """Return a field for a line of text."""
    return dcc.Input(id=id, value=value, type="text", autoComplete="off", debounce=False, **attributes)


def button(
    label: str,
    id: Id,  # noqa: A002
    kind: str = "",
    needs: Scope = "read",
    confirm: str = "",
    name: str = "",
    title: str = "",
) -> html.Button:
    """Return a button.

    Parameters
    ----------
    label : str
    id : str or dict
    kind : str
        ``main`` for the chief one of a form, ``quiet`` for one in a table.
    needs : {"read", "control", "jobs", "admin"}
        What the token of the reader must allow; otherwise the button cannot be used and says why.
    confirm : str
        What the reader is asked first.
    name : str
        What it is called, where the label is that of other buttons too.
    title : str
        What more there is to say.
    """
    attributes = {"aria-label": name} if name else {}
    if title:
        attributes["title"] = title
    if why := lacks(needs):
        attributes |= {"aria-disabled": "true", "data-why": why, "title": why}
    if confirm:
        attributes["data-confirm"] = confirm
    return html.Button(label, id=id, className=f"button {kind}".strip(), type="button", n_clicks=0, **attributes)


def card(title: str, *content: Any, **attributes: Any) -> html.Section:
    """Return a part of a page under a heading."""
    return html.Section([html.H2(title), *content], className="card", **attributes)


def table(
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[Any]],
    numbers: Sequence[int] = (),
    *,
    shown: bool = False,
    cards: bool = False,
    keys: Sequence[str] = (),
    current: str = "",
    empty: str = "Nothing yet.",
) -> Any:
    """Return a table.

    Parameters
    ----------
    caption : str
    head : sequence of str
    rows : iterable of sequences
        The first cell of each is its heading.
    numbers : sequence of int
        Columns that are numbers.
    shown : bool
        Whether the caption is for those who see, too; a heading may say the same.
    cards : bool
        Whether each row is a card on a phone, its cells with their headings.
    keys : sequence of str
        What distinguishes the rows when they are drawn anew.
    current : str
        Key of the row that is marked as the one that is looked at.
    empty : str
        What is there without rows.
    """

    def cell(place: int, content: Any) -> Any:
        kind = "number" if place in numbers else None
        if place == 0:
            return html.Th(content, scope="row", className=kind)
        return html.Td(content, className=kind, **({"data-label": head[place]} if cards else {}))

    body = [html.Tr([cell(i, content) for i, content in enumerate(row)]) for row in rows]
    for line, key in zip(body, keys, strict=False):
        line.key = key
        if key == current:
            setattr(line, "aria-current", "true")
    if not body:
        return html.P(empty, className="muted")
    titles = [html.Th(title, scope="col", className="number" if i in numbers else None) for i, title in enumerate(head)]
    made = html.Table(
        [html.Caption(caption, className=None if shown else "hidden"), html.Thead(html.Tr(titles)), html.Tbody(body)]
    )
    kind = "table cards" if cards else "table"
    return html.Div(made, className=kind, tabIndex="0", role="region", **{"aria-label": caption})


def folded(content: Sequence[Any], *facts: str) -> html.Div:
    """Return the first cell of a row: what the row is about, and below it in small print what needs no column."""
    return html.Div([*content, html.Small(" · ".join(filter(None, facts)), className="folded muted")])


def facts(pairs: Iterable[tuple[str, Any]]) -> html.Dl:
    """Return names and what belongs to them."""
    return html.Dl([html.Div([html.Dt(name), html.Dd(value)]) for name, value in pairs], className="facts")


def tiles(pairs: Iterable[tuple[str, str, str]]) -> html.Dl:
    """Return figures to be read at a glance: name, figure, what more there is to say."""
    made = [
        html.Div([html.Dt(name), html.Dd([value, html.Small(note)] if note else value)], className="tile")
        for name, value, note in pairs
    ]
    return html.Dl(made, className="tiles")


def say(text: str, kind: str = "done", undo: str = "") -> None:
    """Show the user of the present callback a message.

    Parameters
    ----------
    text : str
    kind : {"done", "refused"}
    undo : str
        What is taken back by a button beside it; see `trivium.dashboard.undo`.
    """
    word = {"done": "", "refused": "Not done: "}[kind]
    if undo:
        children: Any = [html.Span(text), button("Undo", {"do": "undo", "of": undo}, "quiet")]
        dash.set_props("said", {"children": children, "className": f"said {kind} undo"})
    else:
        dash.set_props("said", {"children": word + text, "className": f"said {kind}"})


def refresh(stamp: float) -> None:
    """Let the pages of the present user look again."""
    dash.set_props("changed", {"data": stamp})
