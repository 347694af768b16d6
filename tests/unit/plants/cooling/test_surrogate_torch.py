"""Nets evaluated in NumPy against PyTorch itself, on 10,000 random inputs each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trivium.plants.cooling.surrogate import load_chiller_power, load_head

torch = pytest.importorskip("torch", reason="PyTorch evaluates the nets for comparison")

COUNT = 10_000
#: Largest difference, as a share of the output: single precision has seven digits.
SHARE = 1e-5


def module_of(path: Path) -> Any:
    """Build a module of torch.nn from a file of our own form, as PyTorch reads it; takes inputs in their units."""
    content = torch.load(path, weights_only=True)
    layers: list[Any] = []
    for weight, bias in zip(content["weights"], content["biases"], strict=True):
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
        linear.weight, linear.bias = torch.nn.Parameter(weight), torch.nn.Parameter(bias)
        layers += [linear, {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}[content["activation"]]()]
    low, high = content["input_minimum"], content["input_maximum"]
    bottom, top = content["output_minimum"], content["output_maximum"]
    net = torch.nn.Sequential(*layers[:-1])

    def evaluate(x: Any) -> Any:
        if content["clamp"]:
            x = torch.clamp(x, low, high)
        return net((x - low) / (high - low)) * (top - bottom) + bottom

    return evaluate


class MLP(torch.nn.Module):
    """What the reference pickled; its attributes come from the file."""

    def forward(self, x: Any) -> Any:
        low, high = self.input_normalization_minimum, self.input_normalization_maximum
        scaled = self.layers((x - low) / (high - low))
        return scaled * (self.output_high_limit - self.output_low_limit) + self.output_low_limit


@pytest.fixture
def reference_module(reference_resources: Path) -> Iterator[Any]:
    """The module of the reference's mlp.pth, unpickled by PyTorch."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("__main__", "utils"):
            module = type(sys)(name)
            module.MLP = MLP
            patch.setitem(sys.modules, name, module)
        yield torch.load(reference_resources / "mlp.pth", map_location="cpu", weights_only=False)


def evaluated(module: Any, x: np.ndarray) -> np.ndarray:
    """Evaluate by PyTorch in batches of one, as the server asks."""
    with torch.inference_mode():
        rows = torch.tensor(x, dtype=torch.float32)
        return np.array([module(row[None]).item() for row in rows])


def head_inputs(low: tuple[float, ...], high: tuple[float, ...]) -> np.ndarray:
    return np.random.default_rng(12).uniform(low, high, (COUNT, 4))


def test_the_shipped_head(resources: Path) -> None:
    x = head_inputs((-1, -1, 0, -0.1), (7, 7, 14, 0.8))  # beyond the trained range on every side
    model = load_head(resources / "mlp.pth")
    expected = evaluated(module_of(resources / "mlp.pth"), x)
    assert np.ptp(expected) > 20.0
    np.testing.assert_allclose([model.predict(*row) for row in x], expected, rtol=SHARE, atol=0)


def test_the_head_of_the_reference(reference_resources: Path, reference_module: Any) -> None:
    trained = reference_module.input_normalization_minimum, reference_module.input_normalization_maximum
    x = head_inputs(*(tuple(limit.tolist()) for limit in trained))
    model = load_head(reference_resources / "mlp.pth")
    expected = evaluated(reference_module, x)
    assert np.ptp(expected) > 20.0
    # many random inputs are no operating points, and their heads lie about zero; no head of a plant is below the lowest
    # that was trained
    lowest = float(reference_module.output_low_limit)
    scale = np.maximum(np.abs(expected), lowest)
    assert np.max(np.abs([model.predict(*row) for row in x] - expected) / scale) < SHARE


def test_the_shipped_power(resources: Path) -> None:
    rng = np.random.default_rng(13)
    load = rng.uniform(0.0, 6e6, COUNT)
    cold, warm = rng.uniform(282, 292, COUNT), rng.uniform(272, 315, COUNT)
    unit = rng.integers(1, 7, COUNT)
    ratio = evaluated(
        module_of(resources / "chiller_power.pth"), np.column_stack((load, cold, warm, np.eye(6)[unit - 1]))
    )
    expected = np.minimum(load, 4.5e6) * ratio
    assert ratio.min() > 0.0
    model = load_chiller_power(resources / "chiller_power.pth")
    single = [model.predict(*(values[i : i + 1] for values in (unit, load, cold, warm)))[0] for i in range(COUNT)]
    np.testing.assert_allclose(single, expected, rtol=SHARE, atol=0)
    for start in range(0, COUNT, 6):  # as many as the plant has
        rows = slice(start, start + 6)
        together = model.predict(unit[rows], load[rows], cold[rows], warm[rows])
        np.testing.assert_allclose(together, expected[rows], rtol=SHARE, atol=0)
