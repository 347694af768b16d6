"""Linear maps x -> A x + b with a spectral radius that is known, and their fixed points."""

from __future__ import annotations

import numpy as np

from trivium.coupling.acceleration import Method, sizes
from trivium.coupling.course import Course, Move, Point, Role, Stop
from trivium.coupling.residual import Part


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


def drive(g, x, method=None, relative=1e-10, most=200, patience=None, apart=False):
    """Run the course of an iteration; return its points and how it ended. An exception or no number is a failure.

    Apart: each element is a variable of its own.
    """
    x = np.asarray(x, dtype=float)
    whole = (Part("x", len(x), relative=relative),)
    parts = tuple(Part(str(i), 1, relative=relative) for i in range(len(x))) if apart else whole
    course, points, move = Course(parts, method or Method(), patience, most), [], Move(x, None, Role.FIRST)
    while not isinstance(move, Stop):
        with np.errstate(all="ignore"):
            try:
                y = g(move.x)
            except ArithmeticError:
                y = np.full(len(x), np.nan)
        points.append(Point(move.x, y if np.isfinite(y).all() else None, move.role, "it failed"))
        move = course.following(points)
    return points, move


def iterate(g, x, method=None, relative=1e-10, most=200, patience=8, apart=False):
    """Run an iteration; return iterates, values and how it ended."""
    points, stop = drive(g, x, method, relative, most, patience, apart)
    good = [point for point in points if point.g is not None]
    return [point.x for point in good], [point.g for point in good], str(stop.ending)


__all__ = ["drive", "iterate", "linear", "sizes"]
