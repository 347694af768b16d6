"""Surrogate models of PyTorch: required head of the condenser loop and power of the chillers.

A model file is data, read without running code from it (`trivium.core.model_file`). Two forms are read:

* our own: a dictionary of tensors and plain metadata, written by :func:`save`;
* the reference project's: a whole module pickled from a class ``MLP`` in ``__main__`` or ``utils`` with the attributes
  ``input_normalization_minimum``, ``input_normalization_maximum``, ``output_low_limit``, ``output_high_limit`` and
  ``layers`` (a ``Sequential`` of ``Linear`` and ``ReLU``). Neither module has to exist.

What was read is checked (shapes, finite numbers) and evaluated by explicit matrix products, in the order of operations
of the reference's module; for nets this small that takes less than half the time of calling a module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trivium.core.model_file import PickledLinear, PickledModule, PickledReLU, PickledSequential, read_model_file
from trivium.errors import ResourcesError

FORMAT = "trivium-surrogate-1"
HEAD_INPUTS = ("chillers_on", "hex_on", "tower_cells", "mcw")
CHILLER_UNITS = 6
CHILLER_POWER_INPUTS = ("load", "t_chw_leaving", "t_cw_entering", *(f"unit_{i + 1}" for i in range(CHILLER_UNITS)))

_ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {"relu": Tensor.relu_, "tanh": Tensor.tanh_}


@dataclass(frozen=True)
class Network:
    """A small fully connected net with min-max scaled inputs and output.

    Attributes
    ----------
    weights, biases : sequence of Tensor
        Shapes (outputs, inputs) and (outputs,) of each layer; the last layer has one output.
    activation : str
        ``relu`` or ``tanh``, applied between layers.
    input_minimum, input_maximum : Tensor, shape (inputs,)
        Values that are scaled to 0 and 1.
    output_minimum, output_maximum : Tensor, shape () or (1,)
        Values that the net's 0 and 1 stand for.
    clamp : bool
        Whether inputs are clamped to their range first. The reference's net extrapolates, ours do not.
    notes : str
        What a person should know of the training.
    """

    weights: Sequence[Tensor]
    biases: Sequence[Tensor]
    activation: str
    input_minimum: Tensor
    input_maximum: Tensor
    output_minimum: Tensor
    output_maximum: Tensor
    clamp: bool = True
    notes: str = ""
    _span: Tensor = field(init=False, repr=False)
    _output_span: Tensor = field(init=False, repr=False)
    _transposed: tuple[Tensor, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        tensors = [*self.weights, *self.biases, self.input_minimum, self.input_maximum]
        tensors += [self.output_minimum, self.output_maximum]
        if not all(isinstance(t, Tensor) and t.is_floating_point() and t.layout == torch.strided for t in tensors):
            raise ValueError("weights and limits must be dense floating-point tensors")
        if len({t.dtype for t in tensors}) != 1:
            raise ValueError("weights and limits must have one data type")
        if not all(bool(torch.isfinite(t).all()) for t in tensors):
            raise ValueError("weights and limits must be finite")
        if self.activation not in _ACTIVATIONS:
            raise ValueError(f"unknown activation {self.activation!r}")
        if not self.weights or len(self.weights) != len(self.biases):
            raise ValueError("a net needs as many biases as weights")
        if self.input_minimum.ndim != 1 or self.input_minimum.shape != self.input_maximum.shape:
            raise ValueError("input limits must be vectors of one length")
        if self.output_minimum.numel() != 1 or self.output_maximum.numel() != 1:
            raise ValueError("output limits must be single numbers")
        width = self.inputs
        for weight, bias in zip(self.weights, self.biases, strict=True):
            if weight.ndim != 2 or weight.shape[1] != width or bias.shape != weight.shape[:1]:
                raise ValueError(f"layer of shape {tuple(weight.shape)} does not fit {width} inputs")
            width = weight.shape[0]
        if width != 1:
            raise ValueError(f"the last layer has {width} outputs, not one")
        if not bool((self.input_maximum > self.input_minimum).all()):
            raise ValueError("input maximum must lie above input minimum")
        object.__setattr__(self, "_span", self.input_maximum - self.input_minimum)
        object.__setattr__(self, "_output_span", self.output_maximum - self.output_minimum)
        object.__setattr__(self, "_transposed", tuple(w.t() for w in self.weights))

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return int(self.input_minimum.shape[0])

    def __call__(self, x: Tensor) -> Tensor:
        """Evaluate the net.

        Parameters
        ----------
        x : Tensor, shape (n, inputs)

        Returns
        -------
        Tensor, shape (n, 1)
        """
        if self.clamp:
            x = torch.clamp(x, self.input_minimum, self.input_maximum)
        x = (x - self.input_minimum).div_(self._span)
        activate = _ACTIVATIONS[self.activation]
        last = len(self.biases) - 1
        for k, (weight, bias) in enumerate(zip(self._transposed, self.biases, strict=True)):
            x = torch.addmm(bias, x, weight)
            if k < last:
                x = activate(x)
        return x.mul_(self._output_span).add_(self.output_minimum)


class HeadModel:
    """Head that the condenser water loop requires of its pumps."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._dtype = network.input_minimum.dtype

    def predict(self, chillers_on: float, hex_on: float, tower_cells: float, mcw: float) -> float:
        """Predict the required head [m].

        Parameters
        ----------
        chillers_on : float
            Number of chillers on [-].
        hex_on : float
            Number of heat exchangers in the condenser water path, the sum of ``CHI0x_CW3`` [-].
        tower_cells : float
            Number of tower cells in use, twice the sum of ``U_CTx`` [-].
        mcw : float
            Condenser water flow of the reference's law, in thousands of kg/s, that is m3/s of water of 1000 kg/m3.
        """
        return float(self.network(torch.tensor(((chillers_on, hex_on, tower_cells, mcw),), dtype=self._dtype)).item())


class ChillerPowerModel:
    """Electric power of chillers from their load and water temperatures.

    The net gives the power per load, so that no load means no power; loads below the trained range keep the ratio of
    its lower end (as the plant's chillers do below their minimum part load), loads above it the power of its upper end.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self._dtype = network.input_minimum.numpy().dtype
        self._most = float(network.input_maximum[0])

    def predict(
        self,
        unit: NDArray[np.integer[Any]],
        load: NDArray[np.float64],
        t_chw_leaving: NDArray[np.float64],
        t_cw_entering: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Predict the power of each chiller [W], in one evaluation.

        Parameters
        ----------
        unit : ndarray of int, shape (n,)
            Unit numbers, 1 to 6.
        load : ndarray, shape (n,)
            Heat taken from the chilled water [W]. A load of zero or less needs no power.
        t_chw_leaving, t_cw_entering : ndarray, shape (n,)
            Leaving chilled water and entering condenser water temperature [K].

        Returns
        -------
        ndarray, shape (n,)

        Raises
        ------
        IndexError
            If a unit number lies outside 1 to 6.
        """
        n = len(unit)
        if n == 0:
            return np.zeros(0)
        if unit.min() < 1:
            raise IndexError(f"unit numbers start at 1, not {unit.min()}")
        x = np.zeros((n, self.network.inputs), dtype=self._dtype)
        x[:, 0], x[:, 1], x[:, 2] = load, t_chw_leaving, t_cw_entering
        x[np.arange(n), 2 + unit] = 1.0
        ratio = self.network(torch.from_numpy(x)).numpy()[:, 0]
        power: NDArray[np.float64] = np.minimum(np.maximum(load, 0.0), self._most) * np.maximum(ratio, 0.0)
        return power


def load_head(path: Path) -> HeadModel:
    """Load the model of the required head, in our own form or the reference's.

    Raises
    ------
    UnsafeFileError
        If the file names a class or function that is not on the allow-list.
    ResourcesError
        If the file cannot be read or is not such a model.
    """
    return HeadModel(_load_network(Path(path), "head", len(HEAD_INPUTS)))


def load_chiller_power(path: Path) -> ChillerPowerModel:
    """Load the model of the chillers' power.

    Raises
    ------
    UnsafeFileError
        If the file names a class or function that is not on the allow-list.
    ResourcesError
        If the file cannot be read or is not such a model.
    """
    return ChillerPowerModel(_load_network(Path(path), "chiller_power", len(CHILLER_POWER_INPUTS)))


def save(path: Path, kind: str, network: Network) -> None:
    """Write a net in our own form: tensors and plain metadata, no class of ours.

    Parameters
    ----------
    path : Path
        The archive inside takes its name from the file's, so equal nets under equal names give equal bytes.
    kind : str
        ``head`` or ``chiller_power``.
    network : Network
    """
    torch.save(
        {
            "format": FORMAT,
            "kind": kind,
            "activation": network.activation,
            "clamp": network.clamp,
            "notes": network.notes,
            "weights": list(network.weights),
            "biases": list(network.biases),
            "input_minimum": network.input_minimum,
            "input_maximum": network.input_maximum,
            "output_minimum": network.output_minimum,
            "output_maximum": network.output_maximum,
        },
        path,
    )


def _load_network(path: Path, kind: str, inputs: int) -> Network:
    # One thread: the nets are tiny, and sums over a varying number of threads would not replay bit for bit.
    torch.set_num_threads(1)
    content = read_model_file(path)
    try:
        network = _from_reference(content) if isinstance(content, PickledModule) else _from_own(content, kind)
    except (KeyError, AttributeError, TypeError, ValueError, RuntimeError) as error:
        raise ResourcesError(f"{path.name} is not a {kind} model: {error}") from error
    if network.inputs != inputs:
        raise ResourcesError(f"{path.name} has {network.inputs} inputs, a {kind} model has {inputs}")
    return network


def _from_own(content: object, kind: str) -> Network:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"it does not say format {FORMAT}")
    if content["kind"] != kind:
        raise ValueError(f"it is a {content['kind']} model")
    return Network(
        weights=content["weights"],
        biases=content["biases"],
        activation=content["activation"],
        input_minimum=content["input_minimum"],
        input_maximum=content["input_maximum"],
        output_minimum=content["output_minimum"],
        output_maximum=content["output_maximum"],
        clamp=content["clamp"] is True,
        notes=str(content["notes"]),
    )


def _from_reference(module: PickledModule) -> Network:
    attributes: dict[str, Any] = vars(module)
    sequence = attributes["_modules"]["layers"]
    if not isinstance(sequence, PickledSequential):
        raise ValueError("its layers are not a Sequential")
    layers = list(vars(sequence)["_modules"].values())
    linear, between = layers[0::2], layers[1::2]
    if not all(isinstance(layer, PickledLinear) for layer in linear) or not all(
        isinstance(a, PickledReLU) for a in between
    ):
        raise ValueError("its layers are not Linear and ReLU in turn")
    if len(linear) != len(between) + 1:
        raise ValueError("its last layer is not Linear")
    parameters = [vars(layer)["_parameters"] for layer in linear]
    return Network(
        weights=[p["weight"].detach() for p in parameters],
        biases=[p["bias"].detach() for p in parameters],
        activation="relu",
        input_minimum=attributes["input_normalization_minimum"],
        input_maximum=attributes["input_normalization_maximum"],
        output_minimum=attributes["output_low_limit"],
        output_maximum=attributes["output_high_limit"],
        clamp=False,
    )
