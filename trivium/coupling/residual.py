"""How far an iterate is from a fixed point: the raw residual G(x) - x, scaled, in the maximum norm.

The residual is taken before any damping: a damped step shrinks with its damping, and would pass any test sooner the
less it moves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trivium.model.contract import FloatArray


@dataclass(frozen=True)
class Part:
    """A variable as a part of the vector of unknowns.

    Attributes
    ----------
    name : str
        ``component.input``.
    size : int
    absolute, relative : float
        Tolerances: the part has converged when no element of its residual is beyond ``absolute + relative * s``, where
        s is the greatest magnitude of the part in G(x).
    scale : float, optional
        Takes the place of s: for parts that are differences, or zero at the fixed point.
    lower, upper : float
        Bounds of the elements.
    """

    name: str
    size: int = 1
    absolute: float = 0.0
    relative: float = 1e-4
    scale: float | None = None
    lower: float = -math.inf
    upper: float = math.inf


def split(parts: Sequence[Part], vector: FloatArray) -> list[FloatArray]:
    """Return the parts of a vector, shape (n,)."""
    return list(np.split(vector, np.cumsum([part.size for part in parts])[:-1])) if parts else []


def excess(part: Part, x: FloatArray, g: FloatArray) -> float:
    """Return how many times its tolerance the residual of a part is; at most 1 when it has converged.

    Parameters
    ----------
    part : Part
    x, g : FloatArray, shape (part.size,)
        An iterate and the map's value there.

    Returns
    -------
    float
        Infinite when anything is no finite number.
    """
    if not (np.isfinite(x).all() and np.isfinite(g).all()):
        return math.inf
    if not x.size:
        return 0.0
    allowed = part.absolute + part.relative * (part.scale if part.scale is not None else float(np.abs(g).max()))
    with np.errstate(over="ignore"):
        largest = float(np.abs(g - x).max())
    if largest == 0.0:
        return 0.0
    return largest / allowed if allowed > 0.0 else math.inf


def excesses(parts: Sequence[Part], x: FloatArray, g: FloatArray) -> dict[str, float]:
    """Return the `excess` of all parts by name."""
    pairs = zip(parts, split(parts, x), split(parts, g), strict=True)
    return {part.name: excess(part, before, after) for part, before, after in pairs}


def weights(parts: Sequence[Part], x: FloatArray, g: FloatArray) -> FloatArray:
    """Return what makes elements of different units comparable: one over the magnitude of their part.

    They are taken once, at the first iterate, so that what is weighted later can be compared over iterations.

    Returns
    -------
    FloatArray, shape (n,)
    """
    vectors = []
    for part, before, after in zip(parts, split(parts, x), split(parts, g), strict=True):
        size = part.scale
        if size is None:
            size = float(max(np.abs(before).max(initial=0.0), np.abs(after).max(initial=0.0)))
        vectors.append(np.full(part.size, 1.0 / size if size > 0.0 and math.isfinite(size) else 1.0))
    return np.concatenate(vectors) if vectors else np.zeros(0)


def clip(parts: Sequence[Part], x: FloatArray) -> FloatArray:
    """Return a vector within the bounds of its parts."""
    if not parts:
        return x
    lower, upper = (np.concatenate([np.full(p.size, getattr(p, name)) for p in parts]) for name in ("lower", "upper"))
    return np.clip(x, lower, upper)
