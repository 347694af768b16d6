"""FMUs of our own in FMI 1.0, 2.0 and 3.0, whose solutions are known; compiled from tests/csrc.

A `Spec` lists the variables of a model; from it come the model description of each version and the C header that the
borders fmi1.c, fmi2.c and fmi3.c need. The equations stand in the header of the model:

* ``linear``: dx/dt = (u - x) / tau with start values and parameters of every type that all versions have;
* ``integrator``: dx/dt = u, where u may change along a line within a step;
* ``euler``: the linear system by explicit steps of its own, which it counts;
* ``single``: the linear system by one explicit step for each step of the co-simulation, which it counts;
* ``plant``: the plant of tests/small_plant.py, for the contract of all models;
* ``overwrite``: a pair of inputs as BOPTEST's, whose value counts while its switch is on, and a count;
* ``room``: an overwrite block and read blocks as in BOPTEST's FMUs, see tests/boptest_case.py;
* ``ishigami``: the function of Ishigami and Homma, whose Sobol indices are known, and its integral;
* ``words``: an output that depends on a text parameter and a text input alone;
* ``oscillator``, ``thermostat``, ``counter``: by Model Exchange only; stiff, with state and time events, without states;
* ``every``: every type of FMI 3.0, arrays with fixed and structural dimensions, time events;
* ``hidden``: the linear system without outputs, with a local variable that is no number at first;
* ``tuned``: the linear system with a tunable parameter, and inputs that are text, bytes (FMI 3.0) and an enumeration;
* ``coupled``: two linear states whose matrices are known, which gives directional derivatives; ``lying`` is the same
  but refuses them;
* ``sized``: arrays that a structural parameter gives up to eight elements (FMI 3.0).

Those of FMI 2.0 refuse inputs before their initialization, as the standard has it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from tests.descriptions import TYPES, model_description
from tests.small_plant import START
from tests.trap_fmu import pack
from workshop.cooling_plant.variables import INPUTS, OUTPUTS

_WHEN = {"input": "i", "parameter": "p", "structuralParameter": "s", "output": "o", "local": "o",
         "calculatedParameter": "o"}  # fmt: skip


@dataclass(frozen=True)
class Var:
    """A variable of a model.

    Attributes
    ----------
    name, causality, type : str
        As FMI 3.0 has them.
    start : str or None
        As it stands in a model description; an output or local with one may be set before initialization.
    shape : tuple of (int or str)
        Dimensions; a name is that of a structural parameter.
    more : str
        Further attributes.
    derivative : str
        Name of the state that this is the derivative of.
    unit, description : str
    tunable : bool
        Of a parameter.
    """

    name: str
    causality: str
    type: str = "Float64"
    start: str | None = None
    shape: tuple[int | str, ...] = ()
    more: str = ""
    derivative: str = ""
    unit: str = ""
    description: str = ""
    tunable: bool = False

    @property
    def symbol(self) -> str:
        """Return the name in C."""
        return self.name.replace("(", "_").replace(")", "")

    @property
    def variability(self) -> str:
        """Return FMI's variability."""
        if "arameter" in self.causality:
            return "tunable" if self.tunable else "fixed"
        return "continuous" if self.type in ("Float64", "Float32") else "discrete"


@dataclass(frozen=True)
class Spec:
    """A model.

    Attributes
    ----------
    name : str
        Its header is csrc/<name>.h.
    variables : tuple of Var
    saved : tuple of str
        What a serialized state holds besides the inputs and the time.
    events : bool
        Whether it has time events.
    room : int
        Most elements of arrays that a structural parameter resizes; 0 where its value is built in.
    slopes : bool
        Whether its inputs can change within a step of a co-simulation (FMI 1.0 and 2.0).
    indicators : tuple of str
        Variables that are its event indicators.
    exchange_only : bool
        Whether it has no co-simulation.
    directional : bool
        Whether it says that it gives directional derivatives (from FMI 2.0 on).
    refuses : bool
        Whether it refuses them all the same.
    header : str
        Of its equations, where it is not csrc/<name>.h.
    """

    name: str
    variables: tuple[Var, ...]
    saved: tuple[str, ...]
    events: bool = False
    room: int = 0
    slopes: bool = False
    indicators: tuple[str, ...] = ()
    exchange_only: bool = False
    directional: bool = False
    refuses: bool = False
    header: str = ""

    def derivatives(self, attribute: str) -> str:
        """Return the attribute of the model description that says that it gives directional derivatives."""
        return f' {attribute}="true"' if self.directional else ""

    def reference(self, name: str) -> int:
        """Return the value reference of a variable."""
        return next(i for i, v in enumerate(self.variables, 1) if v.name == name)

    def size(self, variable: Var) -> int:
        """Return the number of elements."""
        starts = {v.name: v.start for v in self.variables}
        return math.prod(int(starts[n] or 0) if isinstance(n, str) else n for n in variable.shape)


LINEAR = Spec(
    "linear",
    (
        Var("u", "input", start="0"),
        Var("x", "output", start="1"),
        Var("y", "output", unit="K"),
        Var("der(x)", "local", derivative="x"),
        Var("tau", "parameter", start="10", more='min="0.1"', unit="s"),
        Var("gain", "parameter", "Int32", "2", more='max="100"'),
        Var("tenfold", "output", "Int32"),
        Var("inverted", "parameter", "Boolean", "false"),
        Var("high", "output", "Boolean"),
        Var("label", "parameter", "String", "cooling"),
        Var("echo", "output", "String"),
    ),
    ("x",),
)
INTEGRATOR = Spec(
    "integrator",
    (
        Var("u", "input", start="0", unit="N"),
        Var("on", "input", "Boolean", "true"),
        Var("x", "output", start="0"),
        Var("y", "output", unit="N"),
        Var("der(x)", "local", derivative="x"),
        Var("slope", "local"),
    ),
    ("x",),
    slopes=True,
)
EULER = Spec(
    "euler",
    (
        Var("u", "input", start="0"),
        Var("x", "output", start="1"),
        Var("taken", "output", "Int32"),
        Var("der(x)", "local", derivative="x"),
        Var("tau", "parameter", start="10"),
        Var("dt", "parameter", start="0.01"),
    ),
    ("x", "taken"),
)
SINGLE = Spec("single", tuple(v for v in EULER.variables if v.name != "dt"), ("x", "taken"))
PLANT = Spec(
    "plant",
    (
        *(Var(v.name, "input", start="0", unit=v.unit, description=v.description) for v in INPUTS),
        *(Var(v.name, "output", unit=v.unit, description=v.description) for v in OUTPUTS),
        Var("T", "local", start=str(START)),
        Var("der(T)", "local", derivative="T"),
    ),
    ("T",),
)
OVERWRITE = Spec(
    "overwrite",
    (
        Var("own", "parameter", start="20"),
        Var("power_u", "input", start="0", more='min="0" max="100"', unit="K", description="Overwrites power"),
        Var("power_activate", "input", "Boolean", "false"),
        Var("n", "input", "Int32", "1", more='min="0" max="3"'),
        Var("T", "output", start="10", unit="K"),
        Var("power", "output", unit="K"),
        Var("der(T)", "local", derivative="T"),
    ),
    ("T",),
)
ROOM = Spec(
    "room",
    (
        Var("heat_u", "input", start="0", more='min="0" max="2000"', unit="W", description="Power of the heater"),
        Var("heat_activate", "input", "Boolean", "false", description="Activation for Power of the heater"),
        Var("T", "local", start="290"),
        Var("der(T)", "local", derivative="T"),
        Var("rea_T_y", "output", unit="K", description="Temperature of the room"),
        Var("rea_CO2_y", "output", unit="ppm"),
        Var("rea_P_y", "output", unit="W"),
        Var("rea_gas_y", "output", unit="W"),
        Var("rea_dih_y", "output", unit="W"),
        Var("heat_y", "output", unit="W"),
    ),
    ("T",),
)
ISHIGAMI = Spec(
    "ishigami",
    (
        *(Var(name, "parameter", start="0") for name in ("x1", "x2", "x3")),
        Var("z", "local", start="0"),
        Var("der(z)", "local", derivative="z"),
        Var("y", "output"),
    ),
    ("z",),
)
WORDS = Spec(
    "words",
    (
        Var("greeting", "input", "String", ""),
        Var("word", "parameter", "String", "a"),
        Var("letters", "output"),
        Var("x", "local", start="0"),
        Var("der(x)", "local", derivative="x"),
    ),
    ("x",),
)
OSCILLATOR = Spec(
    "oscillator",
    (
        Var("mu", "parameter", start="100"),
        Var("x", "output", start="2"),
        Var("v", "output", start="0"),
        Var("der(x)", "local", derivative="x"),
        Var("der(v)", "local", derivative="v"),
    ),
    ("x", "v"),
    exchange_only=True,
)
THERMOSTAT = Spec(
    "thermostat",
    (
        Var("low", "parameter", start="19"),
        Var("high", "parameter", start="21"),
        Var("T", "output", start="20", unit="degC"),
        Var("heating", "output", "Int32"),
        Var("switched", "output", "Int32"),
        Var("changes", "output", "Int32"),
        Var("outside", "output"),
        Var("der(T)", "local", derivative="T"),
        Var("above", "local"),
        Var("below", "local"),
    ),
    ("T", "heating", "switched", "changes"),
    events=True,
    indicators=("above", "below"),
    exchange_only=True,
)
COUNTER = Spec(
    "counter",
    (
        Var("u", "input", start="0.5"),
        Var("y", "output"),
        Var("seconds", "output", "Int32"),
        Var("crossings", "output", "Int32"),
        Var("positive", "local", "Int32", "1"),
        Var("wave", "local"),
    ),
    ("seconds", "crossings", "positive"),
    events=True,
    indicators=("wave",),
    exchange_only=True,
)
_NUMBERS = [t for t in TYPES if t not in ("String", "Binary")]
EVERY = Spec(
    "every",
    (
        *(Var(f"in_{t}", "input", t, "true" if t == "Boolean" else "1") for t in _NUMBERS),
        *(Var(f"out_{t}", "output", t) for t in _NUMBERS),
        Var("n", "structuralParameter", "UInt64", "3"),
        Var("v", "input", start="1 2 3", shape=("n",)),
        Var("A", "parameter", start="1 0 0 0 1 1", shape=(2, "n")),
        Var("w", "output", shape=(2,)),
        Var("z", "output", start="0", shape=("n",)),
        Var("der(z)", "local", shape=("n",), derivative="z"),
        Var("k", "parameter", "Int16", "7", (2,)),
        Var("out_k", "output", "Int16", shape=(2,)),
        Var("names", "parameter", "String", "north|south", (2,)),
        Var("out_names", "output", "String", shape=(2,)),
        Var("blob", "parameter", "Binary", "00ff10"),
        Var("out_blob", "output", "Binary"),
        Var("mode", "structuralParameter", "Int32", "5"),
        Var("seconds", "output", "UInt32"),
        Var("at_event", "output", "Int32"),
    ),
    ("z", "seconds", "at_event"),
    events=True,
    directional=True,
)
COUPLED = Spec(
    "coupled",
    (
        Var("u", "input", start="1", more='min="-10" max="10"', unit="W"),
        Var("v", "input", start="0.5", more='nominal="2"', unit="kg"),
        Var("w", "input", start="0", more='nominal="5"', unit="K"),
        Var("n", "input", "Int32", "3"),
        Var("label", "input", "String", "quiet"),
        Var("x1", "local", start="1", unit="K"),
        Var("x2", "local", start="-2"),
        Var("y", "output", unit="K"),
        Var("z", "output"),
        Var("counted", "output", "Int32"),
        Var("der(x1)", "local", derivative="x1"),
        Var("der(x2)", "local", derivative="x2"),
    ),
    ("x1", "x2"),
    directional=True,
)
LYING = replace(COUPLED, name="lying", refuses=True, header="coupled.h")
HIDDEN = Spec(
    "hidden",
    (
        Var("u", "input", start="0"),
        Var("x", "local", start="1", unit="K"),
        Var("der(x)", "local", derivative="x"),
        Var("twice", "local", description="Twice x"),
        Var("late", "local"),
        Var("rate", "calculatedParameter"),
        Var("tau", "parameter", start="10"),
    ),
    ("x",),
)
TUNED = Spec(
    "tuned",
    (
        Var("u", "input", start="0"),
        Var("note", "input", "String", "idle"),
        Var("gain", "parameter", start="2", tunable=True, more='max="100"'),
        Var("tau", "parameter", start="10"),
        Var("x", "output", start="1"),
        Var("y", "output"),
        Var("half", "local"),
        Var("der(x)", "local", derivative="x"),
        Var("echo", "output", "String"),
        Var("level", "input", "Enumeration", "1"),
        Var("blob", "input", "Binary", "00ff"),
        Var("chosen", "output", "Enumeration"),
        Var("bytes", "output", "Binary"),
    ),
    ("x",),
)
SIZED = Spec(
    "sized",
    (
        Var("n", "structuralParameter", "UInt64", "2", more='min="1" max="8"'),
        Var("u", "input", start="1 2", shape=("n",)),
        Var("y", "output", shape=("n",)),
        Var("z", "output", start="0"),
        Var("der(z)", "local", derivative="z"),
    ),
    ("z",),
    room=8,
)


def state(time: float, u: float = 0.0, *, start: float = 1.0, tau: float = 10.0) -> float:
    """Return the linear system's x after a time under a constant u."""
    return u + (start - u) * math.exp(-time / tau)


def build(
    spec: Spec,
    path: Path,
    version: str,
    interface: str = "cs",
    *,
    refuse_events: bool = False,
    ends: float = 0.0,
) -> Path:
    """Compile an FMU.

    Parameters
    ----------
    spec : Spec
    path : Path
        The ``.fmu`` to write.
    version : {"1.0", "2.0", "3.0"}
    interface : {"cs", "me"}
        Of FMI 1.0, which has one only; later ones have both.
    refuse_events : bool
        Whether a co-simulation of FMI 3.0 makes no instance with an event mode, although it promises one.
    ends : float
        When a co-simulation ends the simulation itself [s]; 0 for never.
    """
    folder = "x86_64-linux" if version == "3.0" else "linux64"
    description = model_description(spec, version, interface)
    defines = {
        "GUID": f'"{spec.name}"', "MODEL": f'"{spec.header or f"{spec.name}.h"}"',
        "DIRECTIONAL": int(spec.directional and not spec.refuses), "PREFIX": spec.name, "SLAVE": int(interface == "cs"),
        "N": 3, "REFUSE_EVENTS": int(refuse_events), "ENDS": float(ends),
    }  # fmt: skip
    return pack(path, spec.name, folder, description, f"fmi{version[0]}.c", defines, {"variables.h": header(spec)})


def header(spec: Spec) -> str:
    """Return the header variables.h of a model."""
    kept = [v for v in spec.variables if v.causality == "input" or v.name in spec.saved]
    rest = [v for v in spec.variables if v not in kept]
    field = {
        v.name: f"    {TYPES[v.type][1]} {v.symbol}{f'[{spec.room or spec.size(v)}]' if v.shape else ''};"
        for v in spec.variables
    }
    entries, starts = ["    {0, 1, 'd', 'o', 0, sizeof(double)},"], []
    for reference, v in enumerate(spec.variables, 1):
        when = "p" if v.start is not None and _WHEN[v.causality] == "o" else _WHEN[v.causality]
        when = "u" if v.tunable else when
        length = f"offsetof(Variables, {v.shape[0]})" if spec.room and v.shape else "0"
        place = f"offsetof(Variables, {v.symbol}), sizeof ((Variables *)0)->{v.symbol}"
        entries.append(f"    {{{reference}, {spec.size(v)}, '{TYPES[v.type][0]}', '{when}', {place}, {length}}},")
        starts += [f"    {line}" for line in _starts(spec, v)]
    last = kept[-1].symbol
    lines = [
        "typedef struct {", "    double time;", *(field[v.name] for v in [*kept, *rest]), "} Variables;",
        f"#define SAVED (offsetof(Variables, {last}) + sizeof ((Variables *)0)->{last})",
        "static const Entry ENTRIES[] = {", *entries, "};",
        "static void set_starts(Variables *v) {", *starts, "}", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _starts(spec: Spec, v: Var) -> list[str]:
    if v.start is None:
        return []
    at = [f"v->{v.symbol}[{i}]" for i in range(spec.size(v))] if v.shape else [f"v->{v.symbol}"]
    if v.type == "Binary":
        data = bytes.fromhex(v.start)
        fill = [f"{at[0]}.data[{i}] = {byte};" for i, byte in enumerate(data)]
        return [f"{at[0]}.size = {len(data)};", *fill]
    if v.type == "String":
        return [f'strcpy({place}, "{text}");' for place, text in zip(at, v.start.split("|"), strict=True)]
    values = v.start.split()
    return [f"{place} = {value};" for place, value in zip(at, values * (len(at) // len(values)), strict=True)]
