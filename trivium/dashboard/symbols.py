"""The parts of the schematic, as SVG: each at a place, with its figures beside it.

What is on is filled and has figures; what is off is hollow and says so: nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from trivium.dashboard.formatting import scale
from trivium.dashboard.plant import Pump, Tower, Train

_CELSIUS, _KILOWATT, _TURNS = (scale(unit, plant=True) for unit in ("K", "W", "rpm"))


def text(x: float, y: float, content: str, kind: str = "", anchor: str = "middle") -> str:
    """Return a line of text."""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" class="{kind}">{content}</text>'


def pipe(points: Sequence[tuple[float, float]], kind: str, *, flows: bool = True, arrow: bool = False) -> str:
    """Return a pipe through some points; ``kind`` is ``cw`` or ``chw``, and ``warm`` for the returning water."""
    path = "M" + " L".join(f"{x:g} {y:g}" for x, y in points)
    end = f' marker-end="url(#to-{kind[:3].strip()})"' if arrow and flows else ""
    return f'<path d="{path}" class="pipe {kind} {"flows" if flows else "still"}"{end}/>'


def badge(x: float, y: float, lines: Sequence[str], width: float = 104) -> str:
    """Return figures of a pipe on a plate, centred at a place."""
    height = 17 * len(lines) + 7
    top = y - height / 2
    said = "".join(text(x, top + 17 + 17 * i, line, "figure" if i else "figure strong") for i, line in enumerate(lines))
    return f'<rect x="{x - width / 2:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="6" class="badge"/>{said}'


def tower(x: float, y: float, w: float, h: float, number: int, of: Tower) -> str:
    """Return a cooling tower in the box of this upper left corner, width and height."""
    on = "on" if of.on else "off"
    inset = w * 0.12
    shell = (
        f"M{x:g} {y + h:g} V{y + 40:g} L{x + inset:g} {y + 18:g} H{x + w - inset:g} L{x + w:g} {y + 40:g} V{y + h:g} Z"
    )
    parts = [f'<path d="{shell}" class="unit {on}"/>']
    for side, speed in zip((-1, 1), of.fans, strict=True):
        turns = of.on and speed > 0
        parts.append(_fan(x + w / 2 + side * w * 0.19, y + 11, turns=turns))
    parts.append(text(x + w / 2, y + 37, f"Tower {number}", "name"))
    if of.on:
        fast = " · ".join(f"{100 * speed:.0f}" for speed in of.fans)
        parts.append(text(x + w / 2, y + 56, f"fans {fast} %", "figure"))
        parts.append(text(x + w / 2, y + 74, _CELSIUS.text(sum(of.leaving) / 2), "figure strong"))
    else:
        parts.append(text(x + w / 2, y + 62, "off", "figure muted"))
    return "".join(parts)


def _fan(x: float, y: float, *, turns: bool) -> str:
    kind = "fan turns" if turns else "fan"
    blades = "M0 0 Q4 -7 10 -3 Q6 1 0 0 Q-4 7 -10 3 Q-6 -1 0 0"
    return f'<g transform="translate({x:g} {y:g})"><path d="{blades}" class="{kind}"/></g>'


def pump(x: float, y: float, r: float, number: int, of: Pump, kind: str) -> str:
    """Return a pump, centred at a place; its figures stand below it."""
    on = "on" if of.on else "off"
    wing = f"M{x - 0.45 * r:g} {y - 0.62 * r:g} L{x + 0.75 * r:g} {y:g} L{x - 0.45 * r:g} {y + 0.62 * r:g} Z"
    below = _TURNS.text(of.speed).removesuffix(" rpm") if of.on else "off"
    return (
        f'<circle cx="{x:g}" cy="{y:g}" r="{r:g}" class="unit {on}"/><path d="{wing}" class="wing {kind} {on}"/>'
        + text(x, y - r - 5, str(number), "small halo")
        + text(x, y + r + 15, below, "figure halo" if of.on else "figure muted halo")
    )


def chiller(x: float, y: float, w: float, h: float, of: Train) -> str:
    """Return a chiller."""
    on = "on" if of.chiller else "off"
    said = [f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="7" class="unit {on}"/>']
    middle = x + w / 2
    said.append(text(middle, y + 18, "Chiller", "small"))
    if of.chiller:
        power = _KILOWATT._replace(decimals=0).text(of.power)
        said.append(text(middle, y + h / 2 + 8, power, "figure strong"))
        said.append(text(middle, y + h / 2 + 27, _CELSIUS.text(of.chilled), "figure"))
    else:
        said.append(text(middle, y + h / 2 + 12, "off", "figure muted"))
    return "".join(said)


def exchanger(x: float, y: float, w: float, h: float, of: Train) -> str:
    """Return a plate heat exchanger."""
    on = "on" if of.exchanger else "off"
    plates = "".join(f"M{x + w * k / 8:g} {y + h - 22:g} v14" for k in range(2, 7))
    said = [
        f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="2" class="unit {on}"/>',
        f'<path d="{plates}" class="plates {on}"/>',
        text(x + w / 2, y + 18, "Exchanger" if w > 60 else "Plates", "small"),
    ]
    if of.exchanger:
        said.append(text(x + w / 2, y + h / 2 + 2, _CELSIUS.text(of.exchanged), "figure strong"))
    else:
        said.append(text(x + w / 2, y + h / 2 + 2, "off", "figure muted"))
    return "".join(said)


def hall(x: float, y: float, w: float, h: float, heat: float) -> str:
    """Return the data hall with the heat that is taken from it [W]; where it is low its racks stand to the right."""
    low = h < 120
    left, share = (x + 0.45 * w, 0.55 * w) if low else (x, w)
    rack = f'y="{y + h - 62:g}" width="{share * 0.13:g}" height="50" rx="2" class="rack"'
    racks = "".join(f'<rect x="{left + share * (0.14 + 0.19 * k):g}" {rack}/>' for k in range(4))
    middle, top = (x + 0.26 * w, y + h / 2 - 24) if low else (x + w / 2, y)
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="8" class="unit on"/>{racks}'
        + text(middle, top + 22, "Data hall", "name")
        + text(middle, top + 42, _KILOWATT._replace(decimals=0).text(heat), "figure strong")
    )
