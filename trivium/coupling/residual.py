"""How far an iterate is from being mapped onto itself: the raw residual G(x) - x, element by element.

The residual is taken before any damping: a damped step shrinks with its damping, and would pass any test sooner the
less it moves. That a residual is small does not mean that a fixed point is near; see `trivium.coupling.acceptance`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trivium.model.contract import FloatArray

#: Least magnitude of an element for its weight, as a share of its variable's: below it may be rounding of the others.
_FLOOR = 1e-8
#: An element goes to zero where it is less than this share of the greatest that its variable was.
_VANISHING = 1e-4


@dataclass(frozen=True)
class Part:
    """A variable as a part of the vector of unknowns.

    Attributes
    ----------
    name : str
        ``component.input``.
    size : int
    absolute, relative : float
        Tolerances of every element: ``absolute + relative * s``, where s is the lesser magnitude of the element in x
        and in G(x).
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


def allowed(parts: Sequence[Part], x: FloatArray, g: FloatArray) -> FloatArray:
    """Return the tolerance of every element, shape (n,); zero where nothing but zero is within it."""
    sizes = np.minimum(np.abs(x), np.abs(g))
    vectors = [
        part.absolute + part.relative * (piece if part.scale is None else np.full(part.size, part.scale))
        for part, piece in zip(parts, split(parts, sizes), strict=True)
    ]
    return np.concatenate(vectors) if vectors else np.zeros(0)


def multiples(parts: Sequence[Part], x: FloatArray, g: FloatArray, distances: FloatArray) -> FloatArray:
    """Return how many times its tolerance every element of some distances is, shape (n,); infinite for no number."""
    with np.errstate(all="ignore"):
        shares = np.abs(distances) / allowed(parts, x, g)
    shares[distances == 0.0] = 0.0
    return np.where(np.isfinite(distances) & np.isfinite(x + g) & ~np.isnan(shares), shares, math.inf)


def by_part(parts: Sequence[Part], values: FloatArray) -> dict[str, float]:
    """Return the greatest of the elements of each part, by name; 0 for one without elements."""
    return {part.name: float(piece.max(initial=0.0)) for part, piece in zip(parts, split(parts, values), strict=True)}


def excesses(parts: Sequence[Part], x: FloatArray, g: FloatArray) -> dict[str, float]:
    """Return how many times its tolerance the residual of every part is, in its worst element, by name."""
    with np.errstate(over="ignore", invalid="ignore"):
        return by_part(parts, multiples(parts, x, g, g - x))


def weights(parts: Sequence[Part], x: FloatArray, g: FloatArray) -> FloatArray:
    """Return what makes variables of different units comparable: one over the magnitude of their part.

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


def element_weights(parts: Sequence[Part], points: FloatArray) -> FloatArray:
    """Return what makes elements comparable: one over their greatest magnitude in some vectors, shape (m, n)."""
    largest = np.abs(points).max(axis=0, initial=0.0)
    vectors = []
    for part, sizes in zip(parts, split(parts, largest), strict=True):
        top = float(sizes.max(initial=0.0))
        least = _FLOOR * top if part.scale is None else part.scale
        vectors.append(1.0 / np.maximum(sizes, least) if least > 0.0 else np.ones(part.size))
    return np.concatenate(vectors) if vectors else np.zeros(0)


def clip(parts: Sequence[Part], x: FloatArray) -> FloatArray:
    """Return a vector within the bounds of its parts."""
    if not parts:
        return x
    lower, upper = (np.concatenate([np.full(p.size, getattr(p, name)) for p in parts]) for name in ("lower", "upper"))
    return np.clip(x, lower, upper)


def vanishing(parts: Sequence[Part], xs: Sequence[FloatArray], shares: FloatArray) -> dict[str, float]:
    """Return parts with elements that are beyond their tolerance because they go to zero, with a scale for each.

    Parameters
    ----------
    parts : sequence of Part
    xs : sequence of FloatArray, shape (n,)
        All iterates.
    shares : FloatArray, shape (n,)
        How many times its tolerance the last iterate is from the fixed point.
    """
    largest = np.abs(np.array(xs)).max(axis=0, initial=0.0)
    scales = {}
    for part, x, size, share in zip(
        parts, split(parts, xs[-1]), split(parts, largest), split(parts, shares), strict=True
    ):
        top = float(size.max(initial=0.0))
        if part.scale is None and not part.absolute and ((np.abs(x) <= _VANISHING * top) & (share > 1.0)).any():
            scales[part.name] = top
    return scales
