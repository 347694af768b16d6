"""Fit small nets: seeded, on one CPU thread, by full-batch L-BFGS."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trivium.plants.cooling.surrogate import Network

FloatArray = NDArray[np.float64]


def fit(
    x: FloatArray,
    y: FloatArray,
    *,
    bounds: tuple[FloatArray, FloatArray],
    hidden: Sequence[int],
    weight: FloatArray | None = None,
    iterations: int = 600,
    seed: int = 1,
    notes: str = "",
) -> Network:
    """Fit a tanh net to samples.

    Double precision while fitting: L-BFGS needs it to go on improving; the net is stored in single precision.

    Parameters
    ----------
    x : ndarray, shape (n, inputs)
    y : ndarray, shape (n,)
    bounds : pair of ndarray, shape (inputs,)
        Ends of the inputs' ranges; the net clamps to them later.
    hidden : sequence of int
        Widths of the hidden layers.
    weight : ndarray, shape (n,), optional
        Weight of each squared error.
    iterations : int
        Steps of L-BFGS.
    seed : int
        Of the initial weights.
    notes : str
        Goes into the file.

    Returns
    -------
    Network
    """
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed)
    low, high = (torch.tensor(bound, dtype=torch.float64) for bound in bounds)
    scaled = (torch.tensor(x, dtype=torch.float64) - low) / (high - low)
    bottom, top = float(y.min()), float(y.max())
    target = torch.tensor((y - bottom) / (top - bottom), dtype=torch.float64)[:, None]
    share = torch.ones_like(target) if weight is None else torch.tensor(weight / weight.mean())[:, None]
    weights, biases = _start((x.shape[1], *hidden, 1), generator)

    def predict() -> Tensor:
        value = scaled
        for k, (matrix, bias) in enumerate(zip(weights, biases, strict=True)):
            value = value @ matrix.t() + bias
            if k < len(biases) - 1:
                value = torch.tanh(value)
        return value

    optimizer = torch.optim.LBFGS(
        [*weights, *biases], max_iter=iterations, history_size=50, tolerance_grad=1e-9, tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )  # fmt: skip

    def loss() -> Tensor:
        optimizer.zero_grad()
        error = (share * (predict() - target) ** 2).mean()
        error.backward()  # type: ignore[no-untyped-call]
        return error

    optimizer.step(loss)  # type: ignore[no-untyped-call]

    def single(tensor: Tensor) -> NDArray[np.float32]:
        array: NDArray[np.float32] = tensor.detach().to(torch.float32).numpy()
        return array

    return Network(
        weights=[single(matrix) for matrix in weights],
        biases=[single(bias) for bias in biases],
        activation="tanh",
        input_minimum=single(low),
        input_maximum=single(high),
        output_minimum=np.array(bottom, dtype=np.float32),
        output_maximum=np.array(top, dtype=np.float32),
        notes=notes,
    )


def _start(widths: Sequence[int], generator: torch.Generator) -> tuple[list[Tensor], list[Tensor]]:
    """Initial weights after Glorot & Bengio (2010), twice as wide because scaled inputs span 1 and not 2."""
    weights, biases = [], []
    for fan_in, fan_out in zip(widths, widths[1:], strict=False):
        spread = 2.0 * (6.0 / (fan_in + fan_out)) ** 0.5
        uniform = torch.rand((fan_out, fan_in), generator=generator, dtype=torch.float64)
        weights.append((spread * (2.0 * uniform - 1.0)).requires_grad_())
        biases.append((2.0 * torch.rand(fan_out, generator=generator, dtype=torch.float64) - 1.0).requires_grad_())
    return weights, biases
