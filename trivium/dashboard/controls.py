"""Elements of the plant's pages that Dash lacks; their browser's side is ``assets/plant.js``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash.development.base_component import Component

from trivium.dashboard.elements import Id


class _Element(Component):  # type: ignore[misc]
    """An element whose properties are the arguments of its class."""

    _namespace = "trivium_dashboard"
    _children_props: Sequence[str] = []
    _base_nodes: Sequence[str] = ["children"]

    def __init__(self, properties: Sequence[str], **values: Any) -> None:
        self._prop_names = list(properties)
        self._valid_wildcard_attributes: list[str] = []
        self.available_properties = self._prop_names
        self.available_wildcard_properties: list[str] = []
        super().__init__(**values)


class Svg(_Element):
    """A small drawing.

    Parameters
    ----------
    id : str
    markup : str
        SVG that this package made.
    className : str
    """

    _type = "Svg"

    def __init__(self, id: str, markup: str = "", className: str = "") -> None:  # noqa: A002, N803
        super().__init__(["id", "markup", "className"], id=id, markup=markup, className=className)


class Drawing(_Element):
    """A drawing for wide and one for narrow screens, which follow readings.

    Parameters
    ----------
    id : str
        The drawings come by callbacks as ``wide`` and ``tall``, SVG that this package made, each with its name before
        its ids, and what of each changes as ``parts``; see `trivium.dashboard.schematic`. A unit that is chosen is the
        property ``picked``.
    """

    _type = "Drawing"

    def __init__(self, id: str) -> None:  # noqa: A002
        super().__init__(["id", "wide", "tall", "parts", "picked"], id=id, wide="", tall="", parts={})


class Unfolded(_Element):
    """A table of texts that is folded until the reader opens it.

    Parameters
    ----------
    id : str
        Whether it is open is the property ``open``; the ``caption`` and the ``rows`` come by callbacks.
    title : str
    head : sequence of str
    numbers : sequence of int
        Columns that are numbers.
    """

    _type = "Unfolded"

    def __init__(self, id: str, title: str, head: Sequence[str], numbers: Sequence[int] = ()) -> None:  # noqa: A002
        super().__init__(
            ["id", "title", "head", "numbers", "open", "caption", "rows"],
            id=id, title=title, head=list(head), numbers=list(numbers), open=False, caption="", rows=[],
        )  # fmt: skip


class Alarms(_Element):
    """A banner with the alarms of a session, which opens to their list.

    Parameters
    ----------
    id : str
        Its rows, summary and kind come by callbacks; an alarm to be acknowledged is the property ``acknowledge``.
    """

    _type = "Alarms"

    def __init__(self, id: str) -> None:  # noqa: A002
        super().__init__(
            ["id", "rows", "summary", "kind", "may", "acknowledge"], id=id, rows=[], summary="", kind="", may=False
        )


class Hand(_Element):
    """Inputs, each with a slider between its bounds, and whether it is set by hand.

    Parameters
    ----------
    id : str or dict
        A change is the property ``change``: a name, and a value as it is shown, None for a release.
    rows : sequence of dict
        See `trivium.dashboard.hands.rows`.
    may : bool
        Whether the reader may change them.
    """

    _type = "Hand"

    def __init__(self, id: Id, rows: Sequence[Any] = (), may: bool = False) -> None:  # noqa: A002
        super().__init__(["id", "rows", "may", "change"], id=id, rows=list(rows), may=may)


class Upload(_Element):
    """A form that sends an FMU to the server.

    Parameters
    ----------
    id : str
        What was registered is the property ``registered``.
    why : str
        Why the reader may not; empty where that is allowed.
    limit : int
        How large a file may be [bytes].
    """

    _type = "Upload"

    def __init__(self, id: str, why: str, limit: int) -> None:  # noqa: A002
        super().__init__(["id", "why", "limit", "registered"], id=id, why=why, limit=limit)
