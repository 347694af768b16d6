"""Maps of which it is known whether they have a fixed point, and where: for tests and for the benchmark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

Map = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Landscape:
    """A map with the iterate to begin with, and its fixed point; None where it has none."""

    name: str
    g: Map
    start: np.ndarray
    fixed: np.ndarray | None
    linear: bool = False


def solvable(count: int = 200, seed: int = 2026) -> Iterator[Landscape]:
    """Yield maps with a fixed point, half of them linear, of 1 to 50 unknowns."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        n = int(rng.choice([1, 2, 5, 10, 20, 50]))
        fixed = rng.uniform(0.5, 2.0, n) * rng.choice([-1.0, 1.0], n) * 10.0 ** rng.uniform(-3.0, 3.0)
        scale = np.abs(fixed)
        start = fixed + scale * rng.uniform(-0.9, 0.9, n)
        spectrum, values = _spectrum(rng, n)
        a = _matrix(rng, values)
        linear = number % 2 == 0
        bend = 0.0 if linear else rng.uniform(0.05, 0.3)
        kind = "linear" if linear else str(rng.choice(["tanh", "quadratic", "power"]))
        yield Landscape(
            f"{number} {kind}, n = {n}, {spectrum}", _map(kind, a, fixed, scale, bend, rng), start, fixed, linear
        )


def _spectrum(rng: np.random.Generator, n: int) -> tuple[str, np.ndarray]:
    kind = str(rng.choice(["contracting", "slow", "repelling", "growing", "turning", "wide"]))
    values = rng.uniform(-0.6, 0.6, n).astype(complex)
    if kind == "slow":
        values[0] = 1.0 - 10.0 ** rng.uniform(-3.0, -1.0)
    elif kind == "repelling":
        values[0] = -rng.uniform(1.0, 10.0)
    elif kind == "growing":
        values[0] = rng.uniform(1.2, 3.0)
    elif kind == "turning" and n > 1:
        values[0] = rng.uniform(0.8, 1.5) * np.exp(1j * rng.uniform(0.5, 2.5))
        values[1] = values[0].conj()
    elif kind == "wide":
        values = np.linspace(-30.0, 0.99, n).astype(complex) if n > 1 else np.array([-30.0 + 0j])
    return kind, values


def _matrix(rng: np.random.Generator, values: np.ndarray) -> np.ndarray:
    """Return a real matrix with these eigenvalues in a basis that is not orthogonal."""
    n = len(values)
    middle = np.diag(values.real)
    if n > 1 and values[0].imag:
        middle[:2, :2] = [[values[0].real, -values[0].imag], [values[0].imag, values[0].real]]
    basis, _ = np.linalg.qr(rng.standard_normal((n, n)))
    basis = basis * rng.uniform(0.7, 1.4, n)
    return basis @ middle @ np.linalg.inv(basis)


def _map(kind: str, a: np.ndarray, fixed: np.ndarray, scale: np.ndarray, bend: float, rng: np.random.Generator) -> Map:
    """Return a map with a fixed point where its derivative, in elements over their scale, is a matrix."""
    c = rng.uniform(-1.0, 1.0, len(fixed))

    def shape(u: np.ndarray) -> np.ndarray:
        if kind == "tanh":
            return np.tanh(bend * u) / bend
        if kind == "quadratic":
            return u + bend * c * u * u / (1.0 + u * u)
        if kind == "power":
            return (np.exp(np.clip(bend * u, -50.0, 50.0)) - 1.0) / bend
        return u

    return lambda x: fixed + scale * (a @ shape((x - fixed) / scale))


def noisy(landscape: Landscape, share: float, seed: int = 0) -> Landscape:
    """Return a map with noise of this standard deviation, relative, in every element of every evaluation."""
    rng = np.random.default_rng(seed)
    return replace(landscape, g=lambda x: landscape.g(x) * (1.0 + share * rng.standard_normal(len(landscape.start))))


def unsolvable(count: int = 50, seed: int = 2027) -> Iterator[Landscape]:
    """Yield maps without a fixed point."""
    rng = np.random.default_rng(seed)
    kinds = ["shift", "root", "exponential", "softplus", "parabola", "sign", "wave", "hyperbola"]
    for number in range(count):
        kind = kinds[number % len(kinds)]
        n = int(rng.choice([1, 2, 5, 10]))
        turn, _ = np.linalg.qr(rng.standard_normal((n, n)))
        rest = rng.uniform(-0.6, 0.6, n)
        lone, size = _without(kind, rng), 10.0 ** rng.uniform(-2.0, 2.0)

        def g(x, turn=turn, rest=rest, lone=lone, size=size):
            y = turn.T @ x / size
            z = rest * y + 1.0
            z[0] = lone(y[0])
            return size * (turn @ z)

        start = size * rng.uniform(-3.0, 3.0, n)
        yield Landscape(f"{number} {kind}, n = {n}", g, start, None)


def _without(kind: str, rng: np.random.Generator) -> Callable[[float], float]:
    """Return a function of one number that has no fixed point."""
    c = float(rng.uniform(0.2, 2.0)) * float(rng.choice([-1.0, 1.0]))
    d = abs(c)
    functions: dict[str, Callable[[float], float]] = {
        "shift": lambda y: y + c,
        "root": lambda y: np.copysign(np.sqrt(y * y + d), c),
        "exponential": lambda y: np.exp(min(y, 500.0)) + (d - 1.0),
        "softplus": lambda y: y + np.log1p(np.exp(-abs(y))) + max(-y, 0.0),
        "parabola": lambda y: y + d + 0.3 * min(y * y, 1e200),
        "sign": lambda y: -1.0 - d if y > 0 else 1.0 + d,
        "wave": lambda y: y + c + 0.5 * c * np.sin(3.0 * y),
        "hyperbola": lambda y: y + c / (1.0 + 0.1 * abs(y)),
    }
    return functions[kind]
