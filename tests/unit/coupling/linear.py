"""Linear maps x -> A x + b with a spectral radius that is known, and their fixed points."""

from __future__ import annotations

import numpy as np

from trivium.coupling.acceleration import Method, following, sizes
from trivium.coupling.ending import exhausted, hopeless
from trivium.coupling.residual import Part, excesses, weights


def linear(eigenvalues, seed=0):
    """Return A, b and the fixed point of a map with these eigenvalues (complex ones as pairs (re, im)) in a random basis."""
    rng = np.random.default_rng(seed)
    blocks = [np.array([[e]]) if np.isscalar(e) else np.array([[e[0], -e[1]], [e[1], e[0]]]) for e in eigenvalues]
    n = sum(len(block) for block in blocks)
    middle, place = np.zeros((n, n)), 0
    for block in blocks:
        middle[place : place + len(block), place : place + len(block)] = block
        place += len(block)
    basis, _ = np.linalg.qr(rng.standard_normal((n, n)))
    a = basis @ middle @ basis.T
    b = rng.uniform(1.0, 2.0, n)
    return a, b, np.linalg.solve(np.eye(n) - a, b)


def iterate(g, x, method=None, relative=1e-10, most=200, patience=8, apart=False):
    """Run an iteration as plainly as can be; return iterates, values and how it ended.

    Apart: each element is a variable of its own.
    """
    method = method or Method()
    x = np.asarray(x, dtype=float)
    whole = [Part("x", len(x), relative=relative)]
    parts = [Part(str(i), 1, relative=relative) for i in range(len(x))] if apart else whole
    xs, gs, w = [], [], None
    while True:
        xs.append(x)
        gs.append(g(x))
        w = weights(parts, x, gs[0]) if w is None else w
        if max(excesses(parts, x, gs[-1]).values()) <= 1:
            return xs, gs, "converged"
        ending = hopeless(xs, gs, w, patience) or (exhausted(xs, gs, w) if len(xs) >= most else None)
        if ending:
            return xs, gs, ending
        x, _ = following(method, xs, gs, w)


__all__ = ["iterate", "linear", "sizes"]
