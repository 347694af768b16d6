"""A plant's equations as CasADi functions: what its FMU is built of, and the map over a control step.

The workshop writes them beside the FMU (`workshop.fmi.symbolic`). Slow actuators are second-order filters with a
closed solution; all else is a stiff system::

    tau_k ds1_k/dt = u_j(k) - s1_k,   tau_k ds2_k/dt = s1_k - s2_k,   dx/dt = ode(x, s2, u),   y = out(x, s2, u)

Its states are in the order of the FMU's: ``s1``, ``s2``, ``x``. So `linearize` of a simulation has them in `x`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trivium.errors import InvalidValueError, ResourcesError
from trivium.extras import require
from trivium.model.variable import Variable
from trivium.table import Table

FORMAT = "trivium equations 1"
#: How the sub-steps of the fixed method grow: inputs jump at the beginning of a step.
GROWTH = 1.25
_FIELDS = ("unit", "description", "minimum", "maximum", "start")


@dataclass(frozen=True)
class Law:
    """Inputs that are computed at the beginning of a step, from outputs that follow from the states, and other inputs.

    Attributes
    ----------
    inputs : tuple of str
        Names of what it computes.
    function : Callable
        Takes outputs and inputs by name and returns the values in order, all CasADi symbols.
    """

    inputs: tuple[str, ...]
    function: Callable[[Mapping[str, Any], Mapping[str, Any]], Sequence[Any]]


class SymbolicPlant:
    """Equations of a plant for CasADi.

    Parameters
    ----------
    path : Path
        What `workshop.fmi.symbolic` wrote.
    commands : sequence of str
        Inputs that a controller decides on; all others that no law computes are disturbances.
    law : Law, optional
        Computes further inputs.
    parameters : Mapping[str, float], optional
        Values of parameters other than the start values of the FMU [their units].

    Raises
    ------
    MissingExtraError
        When CasADi is not installed.
    ResourcesError
        When the file cannot be read, or not by this version of CasADi.
    InvalidValueError
        Naming a parameter that does not exist or is out of its bounds.
    """

    def __init__(
        self,
        path: Path,
        commands: Sequence[str],
        law: Law | None = None,
        parameters: Mapping[str, float] | None = None,
    ) -> None:
        ca = self._ca = require("casadi", "mpc")
        document = _read(path)
        self.name, self.version = str(document["name"]), str(document["version"])
        every = {group: _variables(document[group]) for group in ("inputs", "outputs", "parameters", "states")}
        filters = [name for name, _ in document["filters"]]
        units = [every["inputs"][at].unit for _, at in document["filters"]]
        chains = [Variable(f"{n}.s{stage}", unit) for stage in (1, 2) for n, unit in zip(filters, units, strict=True)]
        computed = () if law is None else law.inputs
        names = [variable.name for variable in every["inputs"]]
        self._law = law
        #: Tables with units, in the orders of the vectors.
        self.states = _table([*chains, *every["states"]])
        self.inputs = _table([v for v in every["inputs"] if v.name in commands])
        self.disturbances = _table([v for v in every["inputs"] if v.name not in {*commands, *computed}])
        self.outputs, self.parameters = _table(every["outputs"]), _table(every["parameters"])
        self._names, self._followed = names, [index for _, index in document["filters"]]
        self._n_filters, self._method = len(filters), document["method"]
        values = self._values(parameters or {})
        try:
            functions = {name: ca.Function.deserialize(text) for name, text in document["functions"].items()}
        except RuntimeError as error:
            raise ResourcesError(f"{path.name} is of another version of CasADi than {ca.__version__}") from error
        self._build(functions, ca.DM(values))

    def _values(self, parameters: Mapping[str, float]) -> list[float]:
        for name, value in parameters.items():
            if name not in self.parameters:
                raise InvalidValueError(f"{self.name} has no parameter {name}; parameters lists them.", name)
            try:
                self.parameters[name].check(value)
            except ValueError as error:
                raise InvalidValueError(f"Invalid value {value} for parameter {name}: {error}.", name) from error
        return [float(parameters.get(name, variable.start or 0.0)) for name, variable in self.parameters.items()]

    def _build(self, functions: Mapping[str, Any], p: Any) -> None:
        ca, nf = self._ca, self._n_filters
        n, m, q = len(self.states), len(self.inputs), len(self.disturbances)
        x, u, d = ca.SX.sym("x", n), ca.SX.sym("u", m), ca.SX.sym("d", q)
        s1, s2, stiff = x[:nf], x[nf : 2 * nf], x[2 * nf :]
        named = {
            **{name: u[i] for i, name in enumerate(self.inputs)},
            **{name: d[i] for i, name in enumerate(self.disturbances)},
        }
        w = ca.SX.sym("w", len(self._names))
        h = functions["aux"](s2, w, p)
        followed = ca.vertcat(*(w[i] for i in self._followed))
        tau = functions["filter_tau"](p)
        rates = ca.vertcat((followed - s1) / tau, (s1 - s2) / tau, functions["ode"](stiff, s2, h, w, p))
        outputs = functions["out"](stiff, s2, h, w, p)
        all_inputs = ca.vertcat(*(named.get(name, ca.SX(0.0)) for name in self._names))
        if self._law is not None:
            before = ca.substitute(outputs, w, all_inputs)
            by_name = {name: before[i] for i, name in enumerate(self.outputs)}
            named |= dict(zip(self._law.inputs, self._law.function(by_name, named), strict=True))
            all_inputs = ca.vertcat(*(named[name] for name in self._names))
        names = (["x", "w"], ["dx"]), (["x", "w"], ["y"]), (["x", "u", "d"], ["w"])
        self._rates = ca.Function("rates", [x, w], [rates], *names[0], {"cse": True})
        self._outputs = ca.Function("outputs", [x, w], [outputs], *names[1], {"cse": True})
        #: All inputs of the FMU, those of the law among them: ``(x, u, d) -> w``.
        self.all_inputs: Any = ca.Function("all_inputs", [x, u, d], [all_inputs], *names[2], {"cse": True})
        s = ca.SX.sym("t")
        decay = ca.exp(-s / tau)
        first = followed + (s1 - followed) * decay
        second = followed + ((s2 - followed) + (s1 - followed) * s / tau) * decay
        self._filters = ca.Function("filters", [x[: 2 * nf], s, w], [ca.vertcat(first, second)])
        moving = functions["ode"](stiff, second, functions["aux"](second, w, p), w, p)
        arguments = [stiff, s, x[: 2 * nf], w]
        self._moving = ca.Function("moving", arguments, [moving], {"cse": True})
        derivatives = [ca.jacobian(moving, stiff), ca.jacobian(moving, s)]
        self._derivatives = ca.Function("derivatives", arguments, derivatives, {"cse": True})
        start = functions["start"](w, p)
        begun = ca.substitute(ca.vertcat(followed, followed, start), w, all_inputs)
        #: States at the start of a simulation with constant inputs: ``(u, d) -> x``.
        self.start: Any = ca.Function("start", [u, d], [ca.substitute(begun, x, ca.DM.zeros(n))], ["u", "d"], ["x"])

    def rates(self) -> Any:
        """Return the equations in continuous time.

        Returns
        -------
        casadi.Function
            ``(x, u, d) -> (dx, y)`` [unit a second; unit].
        """
        ca = self._ca
        x, u, d = self._symbols()
        w = self.all_inputs(x, u, d)
        return ca.Function("rates", [x, u, d], [self._rates(x, w), self._outputs(x, w)], ["x", "u", "d"], ["dx", "y"])

    def step(self, seconds: float = 300.0, parts: int | None = None) -> Any:
        """Return the map over a control step with constant inputs.

        Parameters
        ----------
        seconds : float
            Length of the step [s].
        parts : int, optional
            Sub-steps of the method that the FMU's co-simulation has too (RODAS4P), with lengths that grow from the
            first on: the same operations whatever the values, of which derivatives are exact, but without control of
            the error. Default: CVODES with a relative tolerance of 1e-8; its derivatives are sensitivities.

        Returns
        -------
        casadi.Function
            ``(x, u, d) -> (x_next, y)``, the outputs at the end of the step.

        Raises
        ------
        InvalidValueError
            When the length or the number is not positive.
        """
        if not (np.isfinite(seconds) and seconds > 0.0):
            text = f"Invalid value {seconds} for parameter seconds. Value must be positive."
            raise InvalidValueError(text, "seconds")
        if parts is not None and parts < 1:
            raise InvalidValueError(f"Invalid value {parts} for parameter parts. Value must be at least 1.", "parts")
        ca, nf = self._ca, 2 * self._n_filters
        x, u, d = self._symbols()
        w = self.all_inputs(x, u, d)
        stiff = self._by_cvodes(x, w, seconds) if parts is None else self._by_parts(x, w, seconds, parts)
        after = ca.vertcat(self._filters(x[:nf], seconds, w), stiff)
        return ca.Function("step", [x, u, d], [after, self._outputs(after, w)], ["x", "u", "d"], ["x_next", "y"])

    def _symbols(self) -> tuple[Any, Any, Any]:
        groups = {"x": self.states, "u": self.inputs, "d": self.disturbances}
        x, u, d = (self._ca.MX.sym(name, len(group)) for name, group in groups.items())
        return x, u, d

    def _by_cvodes(self, x: Any, w: Any, seconds: float) -> Any:
        ca, nf = self._ca, 2 * self._n_filters
        stiff, t = ca.SX.sym("x", len(self.states) - nf), ca.SX.sym("t")
        p = ca.SX.sym("p", nf + len(self._names))
        problem = {"x": stiff, "t": t, "p": p, "ode": self._moving(stiff, t, p[:nf], p[nf:])}
        options = {"reltol": 1e-8, "abstol": 1e-8, "max_num_steps": 100_000}
        integrator = ca.integrator("integrator", "cvodes", problem, 0.0, seconds, options)
        return integrator(x0=x[nf:], p=ca.vertcat(x[:nf], w))["xf"]

    def _by_parts(self, x: Any, w: Any, seconds: float, parts: int) -> Any:
        nf = 2 * self._n_filters
        part, stiff, filters = self._part(), x[nf:], x[:nf]
        lengths = _lengths(parts, seconds)
        for begin, length in zip(np.cumsum(lengths) - lengths, lengths, strict=True):
            stiff = part(stiff, float(begin), float(length), filters, w)
        return stiff

    def _part(self) -> Any:
        """Return a sub-step of the Rosenbrock method: stiff states, time since the step began, length, filters, inputs.

        Hairer and Wanner, Solving Ordinary Differential Equations II (1996), section IV.7, (7.24) and (7.25).
        """
        ca, method = self._ca, self._method
        nf = 2 * self._n_filters
        n = len(self.states) - nf
        x, t, h = ca.MX.sym("x", n), ca.MX.sym("t"), ca.MX.sym("h")
        filters, w = ca.MX.sym("filters", nf), ca.MX.sym("w", len(self._names))
        jacobian, by_time = self._derivatives(x, t, filters, w)
        matrix = ca.MX.eye(n) / (method["gamma"] * h) - jacobian
        increments: list[Any] = []
        stage = x
        for i, alpha in enumerate(method["alpha"]):
            stage = x + sum(method["a"][i][j] * increments[j] for j in range(i))
            right = self._moving(stage, t + alpha * h, filters, w) + method["gamma_sum"][i] * h * by_time
            right += sum(method["c"][i][j] / h * increments[j] for j in range(i))
            increments.append(ca.solve(matrix, right, "qr"))
        return ca.Function("part", [x, t, h, filters, w], [stage + increments[-1]])


def _lengths(parts: int, seconds: float) -> NDArray[np.float64]:
    lengths = GROWTH ** np.arange(parts)
    parted: NDArray[np.float64] = lengths * (seconds / lengths.sum())
    return parted


def _read(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, ValueError) as error:
        raise ResourcesError(f"the equations {path.name} cannot be read: {error}") from error
    if document.get("format") != FORMAT:
        raise ResourcesError(f"{path.name} does not say format {FORMAT}")
    return document


def _variables(rows: Sequence[Mapping[str, Any]]) -> list[Variable]:
    return [Variable(**row) for row in rows]


def _table(variables: Sequence[Variable]) -> Table[Variable]:
    return Table({variable.name: variable for variable in variables}, _FIELDS)
