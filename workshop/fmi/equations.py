"""Derive from a model everything that the C code evaluates, as CasADi functions of plain vectors."""

from __future__ import annotations

from dataclasses import dataclass

import casadi as ca

from workshop.fmi.spec import Model

__all__ = ["Equations", "derive"]


@dataclass(frozen=True)
class Equations:
    """CasADi functions for code generation, and the patterns that go with them.

    Parameters
    ----------
    functions : tuple of casadi.Function
        ``filter_tau(p)``, ``start(u, p)``, ``start_forward(u, p, du)``, ``pre(u, p) -> c``, ``aux(v, u, p, c) -> h``,
        ``ode(x, v, h, u, p, c)``, ``jac(x, v, h, u, p, c)`` (nonzeros), ``out(x, v, h, u, p, c)`` and
        ``forward(x, v, u, p, dx, dv, du)``, of a pulsed model also ``pulses(p)``, of one with local variables also
        ``local(x, v, h, u, p)``, each with a name that starts with ``model_``.
    n_pre : int
        Length of c, the quantities that depend on inputs and parameters alone.
    jac_sparsity : casadi.Sparsity
        Pattern of d ode / dx, shape (nx, nx).
    dependencies : casadi.Sparsity
        Pattern of the derivative of ``[xdot, y]`` by ``[x, v, u]``, shape (nx + ny, nx + nf + nu).
    """

    functions: tuple[ca.Function, ...]
    n_pre: int
    jac_sparsity: ca.Sparsity
    dependencies: ca.Sparsity


def derive(model: Model) -> Equations:
    """Expand the model to scalar expressions and differentiate it.

    Parameters
    ----------
    model : Model
        The plant; its functions must be expandable to CasADi's scalar graphs (SX).

    Returns
    -------
    Equations
    """
    nu, npar, nx, nf = len(model.inputs), len(model.parameters), len(model.states), model.n_filters
    x, v, h = ca.SX.sym("x", nx), ca.SX.sym("v", nf), ca.SX.sym("h", model.n_aux)
    u, p = ca.SX.sym("u", nu), ca.SX.sym("p", npar)
    dx, dv, du = ca.SX.sym("dx", nx), ca.SX.sym("dv", nf), ca.SX.sym("du", nu)

    start = _call(model.start, u, p)
    aux, ode, out = _call(model.aux, v, u, p), _call(model.ode, x, v, h, u, p), _call(model.out, x, v, h, u, p)
    jac = ca.jacobian(ode, x)

    whole = ca.vertcat(_call(model.ode, x, v, aux, u, p), _call(model.out, x, v, aux, u, p))
    known, seeds = ca.vertcat(x, v, u), ca.vertcat(dx, dv, du)
    forward = ca.jtimes(whole, known, seeds)

    # what depends on inputs and parameters alone is evaluated once for each new input, not at every stage
    jac_nonzeros = jac.nz[:]
    staged, symbols, expressions = ca.extract_parametric([aux, ode, jac_nonzeros, out], ca.vertcat(u, p), {})
    c = ca.vertcat(*symbols) if symbols else ca.SX(0, 1)
    pre = ca.vertcat(*expressions) if expressions else ca.SX(0, 1)

    named = {
        "filter_tau": ([p], _call(model.filter_tau, p)),
        "start": ([u, p], start),
        "start_forward": ([u, p, du], ca.jtimes(start, u, du)),
        "pre": ([u, p], pre),
        "aux": ([v, u, p, c], staged[0]),
        "ode": ([x, v, h, u, p, c], staged[1]),
        "jac": ([x, v, h, u, p, c], staged[2]),
        "out": ([x, v, h, u, p, c], staged[3]),
        "forward": ([x, v, u, p, dx, dv, du], forward),
    }
    if model.pulses is not None:
        named["pulses"] = ([p], _call(model.pulses, p))
    if model.local is not None:
        named["local"] = ([x, v, h, u, p], _call(model.local, x, v, h, u, p))
    functions = tuple(
        ca.Function(f"model_{name}", arguments, [ca.cse(ca.densify(result))])
        for name, (arguments, result) in named.items()
    )
    return Equations(functions, int(c.numel()), jac.sparsity(), ca.jacobian_sparsity(whole, known))


def _call(function: ca.Function, *arguments: ca.SX) -> ca.SX:
    """Dense scalar expression of a function at symbolic arguments."""
    expanded = function if function.is_a("SXFunction") else function.expand()
    return ca.densify(expanded(*arguments))
