"""What an agent that learns to control the data centre observes, and between which bounds."""

from __future__ import annotations

from collections.abc import Mapping

Bounds = Mapping[str, tuple[float, float]]

#: Temperatures [K], shares [1], pressures [Pa] and times [s] of every size.
_FIXED: Bounds = {
    **{f"TInl{hall}": (283.15, 318.15) for hall in (1, 2)},
    "TLiqSup": (288.15, 338.15),
    "TChiWatSup": (277.15, 303.15),
    "TChiWatRet": (277.15, 313.15),
    "TConWatSup": (274.15, 313.15),
    "TConWatRet": (274.15, 323.15),
    "dpChiWat": (0.0, 3e5),
    **{f"yVal{hall}": (0.0, 1.0) for hall in (1, 2)},
    **{f"yChi{unit}": (0.0, 1.0) for unit in (1, 2, 3, 4)},
    **{f"tLocChi{unit}": (0.0, 900.0) for unit in (1, 2, 3, 4)},
    "TDryBul": (243.15, 323.15),
    "TWetBul": (243.15, 308.15),
}
#: Powers [W/W] and flows [kg/(s W)] over the IT load that the plant is built for.
_SCALED: Bounds = {
    **{f"PChi{unit}": (0.0, 0.07) for unit in (1, 2, 3, 4)},
    "PPumChiWat": (0.0, 0.02),
    "PPumConWat": (0.0, 0.035),
    "PFanTow": (0.0, 0.035),
    "PFanCra": (0.0, 0.04),
    "mChiWat_flow": (0.0, 7e-5),
    "mConWat_flow": (0.0, 1.5e-4),
    **{f"PItDem{hall}": (0.0, 0.6) for hall in (1, 2)},
}
#: What members with storage have besides.
_STORED: Bounds = {"TTan1": (277.15, 303.15), "TTan6": (277.15, 303.15), "socBat": (0.0, 1.0)}
#: Postponed work [J/W].
_BACKLOG = (0.0, 2000.0)
#: Prices of electricity [currency/kWh].
PRICE_BOUNDS = (0.0, 0.5)


def observed(nominal: float, *, storage: bool) -> dict[str, tuple[float, float]]:
    """Return what an agent observes, each with its bounds.

    Parameters
    ----------
    nominal : float
        IT load that the plant is built for [W].
    storage : bool
        Whether it has a tank, a battery and flexible work.
    """
    scaled = {**_SCALED, **({"EBac": _BACKLOG} if storage else {})}
    bounds = {name: (low * nominal, high * nominal) for name, (low, high) in scaled.items()}
    return {**_FIXED, **(_STORED if storage else {}), **bounds}
