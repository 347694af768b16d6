"""Key performance indicators: what a controller is judged by.

They are a function of the history since the start of the test: each row stands for the interval that it ends, so an
integral is the sum of value times duration. Sums are kept and only rows that came since are added, so that a step costs
the same however long the test is, and nothing for an indicator that nobody asks for.

A test case declares in ``testcase.toml`` which signals feed them; every table is optional, and indicators whose table
is missing are None::

    [kpi.power]                     # electrical power [W] by group: ener_tot and ener_<group>, pele_tot
    chillers = ["P_chillers"]
    [kpi.meter]                     # meters of energy [J] in place of the sum of these powers: plus those, minus these
    plus = ["E_grid"]
    minus = ["E_computers"]
    [kpi.stores]                    # what is missing in them at the end is added to the energy: ener_missing
    battery = { signal = "E_battery" }              # electrical energy [J]
    cold = { signal = "E_warmth", worth = -0.25 }   # electrical energy for each joule of the signal; a debt is negative
    [kpi.heat]                      # heat removed: heat_tot, pue, cer; or power = "Q" [W] in place of flow, warm, cold;
                                    # or plus = ["E"], minus = [] [J], meters of it
    mass_flow = "m_flowing"         # what really flows [kg/s]
    warm = "T_return"               # [K]
    cold = "T_supply"               # [K]
    specific_heat = 4186            # [J/(kg K)]
    shares = ["share_condenser"]    # parts of the heat that count [1], multiplied
    [kpi.heat.demand]               # heat to be removed: demand_tot, unserved_tot; heat_tot is then what was served
    mass_flow = "m_chilled"
    warm = "T_return"
    cold = 287.15                   # a signal or a number [K]
    [kpi.heat.instead]              # for a model without the signals above: the prescribed flow
    mass_flow = "m_chilled"
    warm = "T_return"
    cold = "T_supply"
    running = ["H_pump_1"]          # counts while one of these
    least = 10                      # is above this
    [kpi.water]                     # cooling towers: water_tot, wue; or make_up = "m" [kg] that counts it
    volume_flow = "V_condenser"     # [m3/s]
    warm = "T_from_condensers"      # [K]
    cold = "T_from_towers"          # [K]
    cycles = 4                      # cycles of concentration [1]
    drift = 1e-4                    # share of the flow [1]
    density = 997                   # [kg/m3]
    specific_heat = 4180            # [J/(kg K)]
    latent_heat = 2.4417e6          # of evaporation [J/kg]
    [kpi.comfort]                   # set-point violation: tdis_tot
    temperature = "T_supply"        # [K]
    set_point = 287.15              # a number [K] or a signal
    band = 0.5                      # [K]
    cold_band = 0.5                 # how much colder it may be [K]; default: any
    standing = 313.15               # of the part of the demanded flow that the hall does not get [K]
    [kpi.service]                   # serves
    unserved = 0.005                # of the heat demanded [1]
    violation = 0.1                 # K h a day
    [kpi.switches]                  # starts_<group>, stops_<group>
    chillers = ["on_1", "on_2"]
    [kpi.building]                  # BOPTEST's core indicators of a building: see `trivium.evaluation.building`

Sources: power usage effectiveness ISO/IEC 30134-2 and the mechanical load component of ASHRAE 90.4; cooling efficiency
ratio ISO/IEC 30134-7; water usage effectiveness ISO/IEC 30134-9; names with ``_tot`` and the 15-minute peak from
BOPTEST (Blum et al. 2021). There is no power of IT equipment in a cooling plant; the heat removed stands in for it:
where heat is demanded, as much of that as was removed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from trivium.arguments import listed, unknown_name
from trivium.errors import ResourcesError
from trivium.evaluation.building import Building, Series
from trivium.evaluation.energy import Energy, Stores
from trivium.evaluation.kpi_sums import WATER, About, Columns, Meter, Peak, Rows, Sum, Switches, Total, Water
from trivium.evaluation.service import COMFORT, HEAT, JUDGED, SERVICE, Comfort, Elapsed, Heat, Limits, Removed
from trivium.model.contract import FloatArray
from trivium.protocol import Indicators

#: Core indicators of BOPTEST; those that a cooling plant has no meaning for stay None.
CORE = (
    "cost_tot", "emis_tot", "ener_tot", "idis_tot", "pdih_tot", "pele_tot", "pgas_tot", "tdis_tot", "time_rat",
)  # fmt: skip
#: The indicator that every test case has, measured while a controller steps it.
TIME_RATIO: Mapping[str, About] = {
    "time_rat": About("s/s", "Computing time of the controller over simulated time"),
}


class Derived(NamedTuple):
    """An indicator that is made of others.

    Attributes
    ----------
    about : About
    parts : tuple of str
        The others.
    formula : callable
        Takes their values and returns its own; None where it has none.
    """

    about: About
    parts: tuple[str, ...]
    formula: Callable[..., float | None]


def _over(formula: Callable[[float, float], float]) -> Callable[[float | None, float | None], float | None]:
    """Make a formula of a dividend and a divisor, which has a value where the divisor is positive."""

    def value(dividend: float | None, divisor: float | None) -> float | None:
        return None if dividend is None or divisor is None or divisor <= 0 else formula(dividend, divisor)

    return value


def _serves(limits: Limits) -> Derived:
    def value(*parts: float | None) -> float | None:
        return float(limits.met(dict(zip(JUDGED, parts, strict=True)))) if parts[-1] else None

    text = "Whether the demanded heat was removed and the set point held: 1 or 0"
    return Derived(About("1", text), JUDGED, value)


_RATIOS: Mapping[str, Derived] = {
    "pue": Derived(About("1", "Power usage effectiveness, mechanical part: 1 + ener_tot / heat_tot"),
                   ("ener_tot", "heat_tot"), _over(lambda energy, heat: 1 + energy / heat)),
    "cer": Derived(About("1", "Cooling efficiency ratio: heat_tot / ener_tot"),
                   ("heat_tot", "ener_tot"), _over(lambda heat, energy: heat / energy)),
    "wue": Derived(About("l/kWh", "Water usage effectiveness: water_tot / heat_tot"),
                   ("water_tot", "heat_tot"), _over(lambda water, heat: water / heat)),
}  # fmt: skip


class Data(NamedTuple):
    """What indicators need besides the history.

    Attributes
    ----------
    price : Callable
        Takes times [s], shape (k,), and returns the price [currency/kWh] and the emissions [kg/kWh] then, shape (2, k),
        or None where the test case has none.
    series : Series
        The columns of the test case's data.
    tariff : str
        Ending of the name of the electricity price in it.
    """

    price: Callable[[FloatArray], FloatArray | None] = lambda _: None
    series: Series = lambda _name, _times: None
    tariff: str = "Constant"


class Declaration:
    """What a test case declares, checked against its signals.

    Parameters
    ----------
    columns : sequence of str
        Of the history.
    given : Mapping
        The table ``kpi`` of ``testcase.toml``.
    owner : str
        Name of the test case, for messages.

    Raises
    ------
    ResourcesError
        Naming the key that is wrong.
    """

    def __init__(self, columns: Sequence[str], declaration: Mapping[str, Any], owner: str = "the test case") -> None:
        self.owner = owner
        self._columns, self._given = tuple(columns), declaration
        kinds = {"power", "heat", "water", "comfort", "service", "stores", "meter", "switches", "building"}
        for key in declaration:
            if key not in kinds:
                raise ResourcesError(f"testcase.toml: unknown key kpi.{key}")
        self._building = Building(columns, declaration["building"]) if "building" in declaration else None
        #: All indicators that this test case has.
        self.about: Mapping[str, About] = {}
        #: Columns of meters and stores, which change during a row.
        self.metered: tuple[int, ...] = ()
        for item in self.sums(Data()):
            if twice := sorted(self.about.keys() & item.about.keys()):
                raise ResourcesError(f"testcase.toml: two tables of kpi define {twice[0]}")
            self.about = {**self.about, **item.about}
            self.metered = (*self.metered, *item.metered)
        #: How much a run may miss and still serve; None where the test case does not say.
        self.limits: Limits | None = None
        #: Indicators that are made of others.
        self.derived = {name: each for name, each in _RATIOS.items() if {*each.parts} <= self.about.keys()}
        if "service" in declaration:
            self.limits = Limits.read(Columns(columns, "service", declaration["service"], SERVICE))
            self.derived["serves"] = _serves(self.limits)
        self.about = {**self.about, **{name: each.about for name, each in self.derived.items()}}
        #: Names that can be asked for: all indicators, and BOPTEST's core.
        self.names = dict.fromkeys((*CORE, *self.about))

    def sums(self, data: Data) -> list[Sum]:
        """Return sums over nothing yet."""
        declaration, columns, sums = self._given, self._columns, list[Sum]()
        if "power" in declaration:
            groups, table = Columns(columns, "power", declaration["power"]), declaration.get("stores")
            stores = None if table is None else Stores(Columns(columns, "stores", table))
            total: Total | Meter = Total(groups)
            if "meter" in declaration:
                total = Meter(Columns(columns, "meter", declaration["meter"], ("plus", "minus")))
            sums += [Energy(groups, total, data.price, stores), Peak(total)]
        removed = None
        if "heat" in declaration:
            removed = Removed(Columns(columns, "heat", declaration["heat"], HEAT))
            sums.append(Heat(removed, demanded="demand" in declaration["heat"]))
        if "water" in declaration:
            keys = ("warm", "cold", "volume_flow", "cycles", "drift", "make_up", *WATER)
            sums.append(Water(Columns(columns, "water", declaration["water"], keys)))
        if "comfort" in declaration:
            sums.append(Comfort(_comforts(columns, declaration["comfort"]), removed))
        if "service" in declaration:
            sums.append(Elapsed())
        if "switches" in declaration:
            sums.append(Switches(Columns(columns, "switches", declaration["switches"])))
        if self._building is not None:
            sums += self._building.sums(data.series, data.tariff)
        return sums


def _comforts(columns: Sequence[str], declared: Any) -> list[Columns]:
    """Return the table ``kpi.comfort``, or each of several, ``[[kpi.comfort]]``."""
    if not isinstance(declared, list):
        return [Columns(columns, "comfort", declared, COMFORT)]
    return [Columns(columns, f"comfort[{place}]", table, COMFORT) for place, table in enumerate(declared)]


class Kpis:
    """The indicators of a test.

    Parameters
    ----------
    declaration : Declaration
    data : Data
    """

    def __init__(self, declaration: Declaration, data: Data = Data()) -> None:  # noqa: B008, it holds nothing
        self._declaration = declaration
        self._sums = [(each, [0]) for each in declaration.sums(data)]  # with how many rows each has seen

    def values(self, rows: Callable[[int], FloatArray], names: Sequence[str]) -> Indicators:
        """Return indicators; only what they need is computed.

        Parameters
        ----------
        rows : Callable
            Takes a number and returns the rows of the test from there on, shape (k, n_columns); row 0 is the start and
            belongs to no interval. Rows that were there once must not change.
        names : sequence of str
            See `wanted`.
        """
        derived = self._declaration.derived
        needed = {part for name in names for part in (derived[name].parts if name in derived else (name,))}
        values: dict[str, float | None] = {}
        read: dict[int, tuple[int, Rows | None]] = {}  # most sums have seen as many rows as the others
        for each, seen in self._sums:
            if needed.isdisjoint(each.about):
                continue
            first = max(seen[0] - 1, 0)
            if first not in read:
                table = rows(first)
                read[first] = len(table), Rows(table[0], table[1:]) if len(table) > 1 else None
            count, later = read[first]
            if later is not None:
                each.add(later)
            seen[0] = first + count
            values.update(each.values())
        every = {
            name: derived[name].formula(*map(values.get, derived[name].parts)) if name in derived else values.get(name)
            for name in names
        }
        reasons = {name: text for each, _ in self._sums for name, text in each.reasons.items() if name in every}
        return Indicators(every, reasons)

    def wanted(self, names: Any) -> Sequence[str]:
        """Check names of indicators; None is for all, BOPTEST's core among them.

        Raises
        ------
        InvalidValueError
            When there is none of that name.
        """
        defined = self._declaration.names
        if names is None:
            return list(defined)
        for name in listed(names, "names"):
            if name not in defined:
                raise unknown_name(self._declaration.owner, "key performance indicator", name, defined, "names")
        return list(dict.fromkeys(names))
