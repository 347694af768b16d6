"""Print how long a prediction takes: ``python -m workshop.surrogates.speed``."""

from __future__ import annotations

import timeit
from pathlib import Path

import numpy as np

from trivium.plants.cooling.surrogate import load_chiller_power, load_head

RESOURCES = Path(__file__).resolve().parents[2] / "Resources"


def main() -> None:
    """Time both models, the best of five."""
    head, power = load_head(RESOURCES / "mlp.pth"), load_chiller_power(RESOURCES / "chiller_power.pth")
    calls = {"required head": lambda: head.predict(1.0, 2.0, 4.0, 0.15)}
    for n in (1, 2, 6):
        arguments = (np.arange(1, n + 1), np.full(n, 2e6), np.full(n, 287.15), np.full(n, 292.0))
        calls[f"power of {n} chillers"] = lambda arguments=arguments: power.predict(*arguments)
    for name, call in calls.items():
        print(f"{name}: {min(timeit.repeat(call, number=2000, repeat=5)) / 2000 * 1e6:.0f} us")


if __name__ == "__main__":
    main()
