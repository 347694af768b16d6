"""What a plant hands over to become an FMU: variables and CasADi functions.

The model class served here is an index-1 plant whose slow actuators are second-order filters::

    tau_k ds1_k/dt = u_j(k) - s1_k,   tau_k ds2_k/dt = s1_k - s2_k,   v_k = s2_k
    h     = aux(v, u, p)              quasi-static network, no differential states
    dx/dt = ode(x, v, h, u, p)        stiff block
    y     = out(x, v, h, u, p)
    z     = local(x, v, h, u, p)      where there are any: computed when they are read

Filters start in steady state at the initial inputs, the stiff block at ``start(u, p)``.

The other class is the pulsed one: no inputs, no filters, and sources that a pulse train g(t) switches on and off::

    h     = aux(p)                    strengths of the sources while the pulse is on
    dx/dt = ode(x, g(t) h, p)         not stiff
    y     = out(x, g(t) h, p)

It starts with ``x = start(p)`` and with the pulse on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import casadi as ca

__all__ = ["Model", "Variable"]


@dataclass(frozen=True)
class Variable:
    """A scalar real variable of the model.

    Parameters
    ----------
    name : str
        Unique name, as it appears in modelDescription.xml.
    description : str
        One line for people.
    unit : str
        Unit of the value, for example ``"K"``, ``"kg/s"`` or ``"1"``; see `workshop.fmi.units` for the known ones.
    start : float
        Value before anything is set [unit].
    min, max : float or None
        Bounds [unit]; a value set outside of them is refused by the FMU.
    nominal : float or None
        Typical magnitude [unit], the scale of absolute tolerances; None stands for 1.
    """

    name: str
    description: str
    unit: str
    start: float
    min: float | None = None
    max: float | None = None
    nominal: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no FMU can carry.

        Raises
        ------
        ValueError
            When the name is empty, a number is not finite, the bounds exclude the start value or the nominal is not
            positive.
        """
        if not self.name or self.name != self.name.strip():
            raise ValueError(f"variable name {self.name!r} is empty or padded")
        for label in ("start", "min", "max", "nominal"):
            value = getattr(self, label)
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{label} of {self.name} is not finite")
        if self.min is not None and self.start < self.min:
            raise ValueError(f"start of {self.name} is below its minimum")
        if self.max is not None and self.start > self.max:
            raise ValueError(f"start of {self.name} is above its maximum")
        if self.nominal is not None and self.nominal <= 0.0:
            raise ValueError(f"nominal of {self.name} must be positive")


@dataclass(frozen=True)
class Model:
    """A plant as CasADi functions, ready for code generation.

    Every function takes and returns dense column vectors; sizes below are ``nu`` inputs, ``np`` parameters, ``nf``
    filters, ``nx`` stiff states, ``nh`` auxiliary quantities and ``ny`` outputs.

    Parameters
    ----------
    name : str
        Model name; also the model identifier, hence a C identifier.
    description, version : str
        For modelDescription.xml.
    inputs, outputs, parameters, states : tuple of Variable
        ``states`` describes the stiff block only; its start values are overridden by `start`. Bounds of states and
        outputs are documentation, bounds of inputs and parameters are enforced.
    n_filters : int
        ``nf``, may be 0.
    filter_input : tuple of int, length nf
        Index of the input that each filter follows.
    filter_tau : casadi.Function
        ``(p) -> tau`` (nf,) [s], positive.
    start : casadi.Function
        ``(u, p) -> x0`` (nx,).
    aux : casadi.Function
        ``(v, u, p) -> h`` (nh,), with v (nf,) the filtered inputs.
    ode : casadi.Function
        ``(x, v, h, u, p) -> dx`` (nx,) [unit/s].
    out : casadi.Function
        ``(x, v, h, u, p) -> y`` (ny,).
    step_size : float
        Default communication step [s].
    tolerance : float
        Default relative tolerance.
    stop_time : float
        Default stop time [s].
    first_step : float
        Upper bound of the very first integrator step after a change of the inputs [s].
    pulses : casadi.Function or None
        Makes the model a pulsed one: ``(p) -> (period, time on, longest integrator step)`` (3,) [time_unit], the pulses
        counted from the start of the experiment.
    time_unit : str
        Unit of the independent variable, of all times above and of derivatives.
    locals : tuple of Variable
        Further quantities that can be read, ``nz``; computed only when they are.
    local : casadi.Function or None
        ``(x, v, h, u, p) -> z`` (nz,); None where there are none.
    """

    name: str
    description: str
    version: str
    inputs: tuple[Variable, ...]
    outputs: tuple[Variable, ...]
    parameters: tuple[Variable, ...]
    states: tuple[Variable, ...]
    n_filters: int
    filter_input: tuple[int, ...]
    filter_tau: ca.Function
    start: ca.Function
    aux: ca.Function
    ode: ca.Function
    out: ca.Function
    step_size: float = 300.0
    tolerance: float = 1e-4
    stop_time: float = 86400.0
    first_step: float = field(default=math.inf)
    pulses: ca.Function | None = None
    time_unit: str = "s"
    locals: tuple[Variable, ...] = ()
    local: ca.Function | None = None

    def __post_init__(self) -> None:
        """Check names and the sizes of every function.

        Raises
        ------
        ValueError
            Naming the part that does not fit.
        """
        if not self.name.isidentifier():
            raise ValueError(f"model name {self.name!r} is not a C identifier")
        if not self.states:
            raise ValueError("a model needs at least one stiff state")
        names = [
            v.name for group in (self.inputs, self.outputs, self.parameters, self.states, self.locals) for v in group
        ]
        if len(set(names)) != len(names):
            raise ValueError(f"names used twice: {sorted({n for n in names if names.count(n) > 1})}")
        if len(self.filter_input) != self.n_filters:
            raise ValueError(f"filter_input has {len(self.filter_input)} entries for {self.n_filters} filters")
        if any(not 0 <= k < len(self.inputs) for k in self.filter_input):
            raise ValueError("filter_input points at an input that does not exist")
        nu, ny, npar, nx = len(self.inputs), len(self.outputs), len(self.parameters), len(self.states)
        nf, nh = self.n_filters, self.n_aux
        _check("filter_tau", self.filter_tau, (npar,), nf)
        _check("start", self.start, (nu, npar), nx)
        _check("aux", self.aux, (nf, nu, npar), nh)
        _check("ode", self.ode, (nx, nf, nh, nu, npar), nx)
        _check("out", self.out, (nx, nf, nh, nu, npar), ny)
        if self.local is None:
            if self.locals:
                raise ValueError("local must compute the model's local variables")
        else:
            _check("local", self.local, (nx, nf, nh, nu, npar), len(self.locals))
        if self.pulses is not None:
            _check("pulses", self.pulses, (npar,), 3)
            if self.inputs or self.n_filters:
                raise ValueError("a pulsed model has neither inputs nor filters")

    @property
    def n_aux(self) -> int:
        """Number of auxiliary quantities ``nh``."""
        return int(self.aux.numel_out(0))

    @property
    def filter_names(self) -> tuple[str, ...]:
        """Name of each filter, ``filter.<input>``, numbered from the second filter on the same input on."""
        seen: dict[int, int] = {}
        names = []
        for index in self.filter_input:
            seen[index] = seen.get(index, 0) + 1
            suffix = "" if seen[index] == 1 else f"_{seen[index]}"
            names.append(f"filter.{self.inputs[index].name}{suffix}")
        return tuple(names)


def _check(label: str, function: ca.Function, sizes_in: Sequence[int], size_out: int) -> None:
    """Compare the signature of a function with what the model's variables ask for."""
    found_in = tuple(int(function.numel_in(i)) for i in range(function.n_in()))
    if found_in != tuple(sizes_in):
        raise ValueError(f"{label} takes arguments of sizes {found_in}, wanted {tuple(sizes_in)}")
    if function.n_out() != 1 or int(function.numel_out(0)) != size_out:
        raise ValueError(f"{label} must return one vector of size {size_out}, not {function.size_out(0)}")
