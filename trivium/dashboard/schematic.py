"""The live schematic of the cooling plant: one drawing for wide screens, one for narrow ones."""

from __future__ import annotations

from collections.abc import Iterable

from trivium.dashboard import symbols
from trivium.dashboard.formatting import scale
from trivium.dashboard.plant import Plant, Pump, Train
from trivium.dashboard.symbols import badge, pipe, text

_SHORT = {"free cooling": "free", "partial cooling": "partial"}
_CELSIUS, _FLOW, _MASS = (scale(unit, plant=True) for unit in ("K", "m3/s", "kg/s"))
_ARROWS = "".join(
    f'<marker id="to-{kind}" viewBox="0 0 10 10" refX="7" refY="5" markerWidth="3.4" markerHeight="3.4" orient="auto">'
    f'<path d="M0 0L10 5L0 10z" class="tip {kind}"/></marker>'
    for kind in ("cw", "chw")
)


def wide(now: Plant) -> str:
    """Return the drawing for wide screens."""
    condenser, chilled = _any(now.condenser_pumps), _any(now.chilled_pumps)
    parts = [
        pipe([(180, 262), (180, 352), (20, 352), (20, 400)], "cw", flows=condenser),
        pipe([(20, 400), (336, 400)], "cw", flows=condenser),
        pipe([(20, 500), (400, 500), (400, 424), (834, 424)], "cw", flows=condenser),
        pipe([(834, 62), (400, 62), (400, 24), (180, 24), (180, 40)], "cw warm", flows=condenser, arrow=True),
        pipe([(486, 34), (1090, 34), (1090, 128)], "chw", flows=chilled, arrow=True),
        pipe([(1090, 292), (1090, 352), (1218, 352), (1218, 400), (938, 400)], "chw warm", flows=chilled),
        pipe([(1218, 500), (486, 500), (486, 452), (876, 452)], "chw warm", flows=chilled),
    ]
    for k, tower in enumerate(now.towers):
        parts.append(symbols.tower(20 + 110 * (k % 3), 44 + 116 * (k // 3), 100, 98, k + 1, tower))
    parts += _pumps(now.condenser_pumps, [(46 + 56 * k, 450) for k in range(6)], "cw", (400, 500))
    parts += _pumps(now.chilled_pumps, [(938 + 54 * k, 450) for k in range(6)], "chw", (400, 500))
    for k, train in enumerate(now.trains):
        parts.append(_column(430 + 78 * k, train, k + 1))
    parts += [
        symbols.hall(1010, 132, 190, 160, now.heat),
        text(186, 530, "Condenser water pumps, rpm", "small"),
        text(1073, 530, "Chilled water pumps, rpm", "small"),
        badge(100, 352, [_CELSIUS.text(now.condenser_supply), _FLOW.text(now.condenser_flow)]),
        badge(312, 24, [_CELSIUS.text(now.condenser_return)], 84),
        badge(1000, 34, [_CELSIUS.text(now.chilled_supply)], 84),
        badge(1154, 352, [_CELSIUS.text(now.chilled_return), _MASS.text(now.chilled_flow)]),
    ]
    return _drawing(1240, 546, parts, now, "wide")


def _column(x: float, train: Train, number: int) -> str:
    """Return a train of the wide drawing; water comes from below."""
    flows = train.mode != "off"
    left, right = x + 14, x + 56
    return "".join(
        [
            pipe([(left, 424), (left, 62)], "cw", flows=flows),
            pipe([(right, 452), (right, 34)], "chw", flows=flows),
            text(x + 35, 92, str(number), "name"),
            text(x + 35, 110, _SHORT.get(train.mode, train.mode), "small halo" if flows else "small muted halo"),
            symbols.chiller(x, 122, 70, 108, train),
            symbols.exchanger(x, 270, 70, 108, train),
        ]
    )


def tall(now: Plant) -> str:
    """Return the drawing for narrow screens: the same from top to bottom."""
    condenser, chilled = _any(now.condenser_pumps), _any(now.chilled_pumps)
    parts = [
        pipe([(200, 250), (200, 276), (34, 276), (366, 276)], "cw", flows=condenser),
        pipe([(34, 372), (366, 372), (366, 398), (36, 398)], "cw", flows=condenser),
        pipe([(350, 680), (8, 680), (8, 20), (196, 20), (196, 36)], "cw warm", flows=condenser, arrow=True),
        pipe([(60, 706), (366, 706), (366, 740)], "chw", flows=chilled, arrow=True),
        pipe([(366, 812), (366, 846), (34, 846)], "chw warm", flows=chilled),
        pipe([(34, 942), (392, 942), (392, 424), (60, 424)], "chw warm", flows=chilled),
    ]
    for k, tower in enumerate(now.towers):
        parts.append(symbols.tower(22 + 120 * (k % 3), 40 + 108 * (k // 3), 112, 96, k + 1, tower))
    parts += _pumps(now.condenser_pumps, [(34 + 66.4 * k, 322) for k in range(6)], "cw", (276, 372))
    parts += _pumps(now.chilled_pumps, [(34 + 66.4 * k, 892) for k in range(6)], "chw", (846, 942))
    for k, train in enumerate(now.trains):
        parts.append(_row(18 + 59 * k, train, k + 1))
    parts += [
        symbols.hall(20, 730, 250, 84, now.heat),
        badge(110, 276, [_CELSIUS.text(now.condenser_supply) + " · " + _FLOW.text(now.condenser_flow)], 150),
        badge(60, 680, [_CELSIUS.text(now.condenser_return)], 74),
        badge(330, 718, [_CELSIUS.text(now.chilled_supply)], 74),
        badge(250, 846, [_CELSIUS.text(now.chilled_return) + " · " + _MASS.text(now.chilled_flow)], 150),
        text(200, 966, "Pumps: rpm", "small"),
    ]
    return _drawing(400, 976, parts, now, "tall")


def _row(x: float, train: Train, number: int) -> str:
    """Return a train of the narrow drawing; water comes from above."""
    flows = train.mode != "off"
    left, right = x + 10, x + 44
    return "".join(
        [
            pipe([(left, 398), (left, 680)], "cw", flows=flows),
            pipe([(right, 424), (right, 706)], "chw", flows=flows),
            symbols.exchanger(x, 468, 54, 92, train),
            symbols.chiller(x, 576, 54, 92, train),
            text(x + 27, 444, str(number), "name"),
            text(x + 27, 460, _SHORT.get(train.mode, train.mode), "small halo" if flows else "small muted halo"),
        ]
    )


def _pumps(
    pumps: Iterable[Pump], places: Iterable[tuple[float, float]], kind: str, ends: tuple[float, float]
) -> list[str]:
    parts = []
    for number, (pump, (x, y)) in enumerate(zip(pumps, places, strict=True), 1):
        parts.append(pipe([(x, ends[0]), (x, ends[1])], kind, flows=pump.on))
        parts.append(symbols.pump(x, y, 17, number, pump, kind))
    return parts


def _any(pumps: Iterable[Pump]) -> bool:
    return any(pump.on for pump in pumps)


def told(now: Plant) -> str:
    """Return the plant in a sentence, for those who do not see it."""
    towers, condenser, chilled = (
        sum(unit.on for unit in units) for units in (now.towers, now.condenser_pumps, now.chilled_pumps)
    )
    trains = sum(train.mode != "off" for train in now.trains)
    return (
        f"The cooling plant: {trains} of 6 trains in service ({now.mode}), {towers} of 6 towers, "
        f"{condenser} of 6 condenser water pumps, {chilled} of 6 chilled water pumps. Chilled water is supplied at "
        f"{_CELSIUS.text(now.chilled_supply)} and returns at {_CELSIUS.text(now.chilled_return)}."
    )


def _drawing(width: int, height: int, parts: Iterable[str], now: Plant, name: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{told(now)}">'
        f"<defs>{_ARROWS.replace('to-', f'{name}-to-')}</defs>"
        + "".join(parts).replace("url(#to-", f"url(#{name}-to-")
        + "</svg>"
    )
