"""Surrogate models: required head of the condenser loop and power of the chillers.

A model file is a file of PyTorch and data, read without PyTorch and without running code from it
(`trivium.plants.cooling.model_file`). Two forms are read:

* our own: a dictionary of tensors and plain metadata, which the workshop writes (``workshop/surrogates``);
* the reference project's: a whole module pickled from a class ``MLP`` in ``__main__`` or ``utils`` with the attributes
  ``input_normalization_minimum``, ``input_normalization_maximum``, ``output_low_limit``, ``output_high_limit`` and
  ``layers`` (a ``Sequential`` of ``Linear`` and ``ReLU``). Neither module has to exist.

What was read is checked (shapes, finite numbers) and evaluated in NumPy, in the order of operations of the reference's
module. A program exported by PyTorch takes the place of a net where a test case names one
(`trivium.plants.cooling.exported`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trivium.errors import ResourcesError
from trivium.plants.cooling.exported import ExportedProgram, is_exported
from trivium.plants.cooling.model_file import read_model_file
from trivium.plants.cooling.unpickler import PickledLinear, PickledModule, PickledRecord, PickledReLU, PickledSequential

FORMAT = "trivium-surrogate-1"
CHILLER_UNITS = 6
#: Inputs of the models, in order, with a usual value each.
HEAD_INPUTS: Mapping[str, float] = {"chillers_on": 1.0, "hex_on": 1.0, "tower_cells": 4.0, "mcw": 0.1}
CHILLER_POWER_INPUTS: Mapping[str, float] = {
    "load": 1e6, "t_chw_leaving": 287.15, "t_cw_entering": 293.15,
    "unit_1": 1.0, **{f"unit_{i}": 0.0 for i in range(2, CHILLER_UNITS + 1)},
}  # fmt: skip

#: Most layers of a net.
MOST_LAYERS = 64
#: Weights of a layer up to which BLAS multiplies; OpenBLAS shares such products among threads from 9216 weights on.
_BLAS_WEIGHTS = 4096

Array = NDArray[np.floating]


_ACTIVATIONS = ("relu", "tanh")


class _Layer(NamedTuple):
    """A layer made ready."""

    transposed: Array
    bias: Array
    by_blas: bool
    zero: Array | None  # of the activation; None for the last layer, which has none


class Evaluator(Protocol):
    """A net or a program that gives one number for each row of inputs."""

    @property
    def inputs(self) -> int:
        """Number of inputs."""

    def __call__(self, x: ArrayLike) -> Array:
        """Evaluate rows of inputs of shape (..., inputs); the result has the shape (..., 1)."""


@dataclass(frozen=True, eq=False)
class Network:
    """A small fully connected net with min-max scaled inputs and output.

    The result of a row depends on nothing but the row and the number of rows: not on the threads of BLAS, since layers
    are multiplied on one thread, by BLAS where it uses one only, else by one scalar product for each weight row.
    Nothing is kept between calls, so threads may share a net.

    Attributes
    ----------
    weights, biases : sequence of ndarray
        Shapes (outputs, inputs) and (outputs,) of each layer; the last layer has one output.
    activation : str
        ``relu`` or ``tanh``, applied between layers.
    input_minimum, input_maximum : ndarray, shape (inputs,)
        Values that are scaled to 0 and 1.
    output_minimum, output_maximum : ndarray, shape () or (1,)
        Values that the net's 0 and 1 stand for.
    clamp : bool
        Whether inputs are clamped to their range first. The reference's net extrapolates, ours do not.
    notes : str
        What a person should know of the training.

    Raises
    ------
    ValueError
        When they do not fit together, or are not finite floating-point numbers of one type.
    """

    weights: Sequence[Array]
    biases: Sequence[Array]
    activation: str
    input_minimum: Array
    input_maximum: Array
    output_minimum: Array
    output_maximum: Array
    clamp: bool = True
    notes: str = ""
    _span: Array = field(init=False, repr=False)
    _output_span: Array = field(init=False, repr=False)
    _layers: tuple[_Layer, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._check()
        layers = [
            _Layer(np.ascontiguousarray(weight).T, bias, weight.size <= _BLAS_WEIGHTS, np.zeros_like(bias))
            for weight, bias in zip(self.weights, self.biases, strict=True)
        ]
        assign = partial(object.__setattr__, self)  # the class is frozen
        assign("_layers", (*layers[:-1], layers[-1]._replace(zero=None)))
        assign("_span", self.input_maximum - self.input_minimum)
        assign("_output_span", self.output_maximum - self.output_minimum)

    def _check(self) -> None:
        if not isinstance(self.weights, Sequence) or not isinstance(self.biases, Sequence):
            raise ValueError("weights and biases must be lists")
        if not self.weights or len(self.weights) != len(self.biases) or len(self.weights) > MOST_LAYERS:
            raise ValueError(f"a net needs as many biases as weights, and at most {MOST_LAYERS} layers")
        arrays = [*self.weights, *self.biases, self.input_minimum, self.input_maximum]
        arrays += [self.output_minimum, self.output_maximum]
        if not all(isinstance(a, np.ndarray) and np.issubdtype(a.dtype, np.floating) for a in arrays):
            raise ValueError("weights and limits must be tensors of floating-point numbers")
        if len({a.dtype for a in arrays}) != 1:
            raise ValueError("weights and limits must have one data type")
        if not all(bool(np.isfinite(a).all()) for a in arrays):
            raise ValueError("weights and limits must be finite")
        if self.activation not in _ACTIVATIONS:
            raise ValueError(f"unknown activation {self.activation!r}; it must be one of {', '.join(_ACTIVATIONS)}")
        if self.input_minimum.ndim != 1 or self.input_minimum.shape != self.input_maximum.shape:
            raise ValueError("input limits must be vectors of one length")
        if self.output_minimum.size != 1 or self.output_maximum.size != 1:
            raise ValueError("output limits must be single numbers")
        self._check_layers()
        if not bool((self.input_maximum > self.input_minimum).all()):
            raise ValueError("input maximum must lie above input minimum")

    def _check_layers(self) -> None:
        width = self.inputs
        for weight, bias in zip(self.weights, self.biases, strict=True):
            if weight.ndim != 2 or weight.shape[1] != width or bias.shape != weight.shape[:1]:
                raise ValueError(f"layer of shape {weight.shape} does not fit {width} inputs")
            width = weight.shape[0]
        if width != 1:
            raise ValueError(f"the last layer has {width} outputs, not one")

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return int(self.input_minimum.shape[0])

    @np.errstate(over="ignore", invalid="ignore")  # what is no number comes out as such
    def __call__(self, x: ArrayLike) -> Array:
        """Evaluate the net.

        Parameters
        ----------
        x : array_like, shape (inputs,) or (n, inputs)

        Returns
        -------
        ndarray, shape (1,) or (n, 1)
        """
        low, relu = self.input_minimum, self.activation == "relu"
        y: Array = np.array(x, dtype=low.dtype)
        if self.clamp:
            np.maximum(y, low, y)
            np.minimum(y, self.input_maximum, y)
        y -= low
        y /= self._span
        for transposed, bias, by_blas, zero in self._layers:
            y = y.dot(transposed) if by_blas else np.vecdot(y[..., np.newaxis, :], transposed.T)
            y += bias
            if zero is None:
                continue
            if relu:
                np.maximum(y, zero, y)
            else:
                np.tanh(y, y)
        y *= self._output_span
        y += self.output_minimum
        return y


class HeadModel:
    """Head that the condenser water loop requires of its pumps."""

    def __init__(self, network: Evaluator) -> None:
        self.network = network

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
        return float(self.network((chillers_on, hex_on, tower_cells, mcw))[0])


class ChillerPowerModel:
    """Electric power of chillers from their load and water temperatures.

    The net gives the power per load, so that no load means no power; loads below the trained range keep the ratio of
    its lower end (as the plant's chillers do below their minimum part load), loads above it the power of its upper end.
    An exported program is asked as it is, whatever the load.
    """

    def __init__(self, network: Evaluator) -> None:
        self.network = network
        self._most = float(network.input_maximum[0]) if isinstance(network, Network) else math.inf
        self._of_unit = np.eye(CHILLER_UNITS)

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
        if min(unit) < 1:
            raise IndexError(f"unit numbers start at 1, not {min(unit)}")
        x = np.empty((n, self.network.inputs))
        x[:, 0], x[:, 1], x[:, 2] = load, t_chw_leaving, t_cw_entering
        x[:, 3:] = self._of_unit[unit - 1]
        ratio = self.network(x)[:, 0]
        power: NDArray[np.float64] = np.minimum(np.maximum(load, 0.0), self._most) * np.maximum(ratio, 0.0)
        return power


def load_head(path: Path) -> HeadModel:
    """Load the model of the required head: in our own form, in the reference's, or an exported program.

    Raises
    ------
    UnsafeFileError
        If the file names a class or function that is not on the allow-list.
    MissingExtraError
        If it is an exported program, and PyTorch is not installed.
    ResourcesError
        If the file cannot be read or is not such a model.
    """
    return HeadModel(_load(Path(path), "head", HEAD_INPUTS))


def load_chiller_power(path: Path) -> ChillerPowerModel:
    """Load the model of the chillers' power; see `load_head`."""
    return ChillerPowerModel(_load(Path(path), "chiller_power", CHILLER_POWER_INPUTS))


def _load(path: Path, kind: str, inputs: Mapping[str, float]) -> Evaluator:
    if is_exported(path):
        return ExportedProgram(path, list(inputs.values()))
    content = read_model_file(path)
    try:
        network = _from_reference(content) if isinstance(content, PickledModule) else _from_own(content, kind)
    except (KeyError, AttributeError, TypeError, ValueError, RuntimeError) as error:
        raise ResourcesError(f"{path.name} is not a {kind} model: {error}") from error
    if network.inputs != len(inputs):
        raise ResourcesError(f"{path.name} has {network.inputs} inputs, a {kind} model has {len(inputs)}")
    return network


def _from_own(content: object, kind: str) -> Network:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"it does not say format {FORMAT}")
    texts = {name: content[name] for name in ("kind", "activation", "notes")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise ValueError(f"{', '.join(texts)} must be texts")
    if texts["kind"] != kind:
        raise ValueError(f"it is a {texts['kind']} model")
    return Network(
        weights=content["weights"],
        biases=content["biases"],
        activation=texts["activation"],
        input_minimum=content["input_minimum"],
        input_maximum=content["input_maximum"],
        output_minimum=content["output_minimum"],
        output_maximum=content["output_maximum"],
        clamp=content["clamp"] is True,
        notes=texts["notes"],
    )


def _from_reference(module: PickledModule) -> Network:
    sequence = _table(module, "_modules")["layers"]
    if not isinstance(sequence, PickledSequential):
        raise ValueError("its layers are not a Sequential")
    layers = list(_table(sequence, "_modules").values())
    linear = [layer for layer in layers[0::2] if isinstance(layer, PickledLinear)]
    between = [layer for layer in layers[1::2] if isinstance(layer, PickledReLU)]
    if len(linear) + len(between) != len(layers):
        raise ValueError("its layers are not Linear and ReLU in turn")
    if len(linear) != len(between) + 1:
        raise ValueError("its last layer is not Linear")
    parameters = [_table(layer, "_parameters") for layer in linear]
    attributes: dict[str, Any] = module.attributes
    return Network(
        weights=[p["weight"] for p in parameters],
        biases=[p["bias"] for p in parameters],
        activation="relu",
        input_minimum=attributes["input_normalization_minimum"],
        input_maximum=attributes["input_normalization_maximum"],
        output_minimum=attributes["output_low_limit"],
        output_maximum=attributes["output_high_limit"],
        clamp=False,
    )


def _table(record: PickledRecord, name: str) -> dict[str, Any]:
    table = record.attributes[name]
    if not isinstance(table, dict):
        raise ValueError(f"its {name} are no dictionary")
    return table
