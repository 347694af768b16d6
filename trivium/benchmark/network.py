"""Networks that decide: trained by PyTorch, run by NumPy alone, to the same bits on every machine.

A file (``.npz``) has the mean and the deviation of observations, the layers' weights and biases, the kind of its head,
and how it was trained. Sums are added in a fixed order and in float64, which a BLAS does not promise; actions are
rounded, because the last bit of a tanh differs between processors.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from trivium.errors import InvalidValueError
from trivium.gym.tasks.task import Task

Floats = NDArray[np.floating[Any]]
#: How the last layer becomes an action: squashed by tanh, clipped to [-1, 1], or the likeliest of choices.
Head = Literal["tanh", "clip", "choices"]
#: Baselines that learned, and where their networks are.
LEARNED, _CHECKPOINTS = ("sac", "ppo", "iql"), Path(__file__).parent / "checkpoints"
#: Weights of shape (n, m) and biases of shape (m,) of each layer.
Layers = Sequence[tuple[Floats, Floats]]
#: Decimals of an action.
_DECIMALS = 6


@dataclass(frozen=True)
class Network:
    """A perceptron with rectified layers; a `trivium.benchmark.player.Policy`.

    Attributes
    ----------
    mean, deviation : array of shape (n,)
        Of each number of an observation while it was trained.
    layers : Layers
    head : str
    choices : tuple of int
        How many each number of the action may choose from, with the head ``choices``.
    training : Mapping[str, Any]
        How it was trained.
    """

    mean: Floats
    deviation: Floats
    layers: Layers
    head: Head
    choices: tuple[int, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)

    def reset(self, observation: Floats, info: Mapping[str, Any]) -> None:
        """Begin an episode; there is nothing to remember."""

    def act(self, observation: Floats) -> NDArray[Any]:
        """Return the action of the coming step."""
        values = (observation.astype(np.float64) - self.mean) / self.deviation
        for place, (weights, biases) in enumerate(self.layers):
            if place:
                values = np.maximum(values, 0.0)
            # rows are added one after the other, in the same order whatever the width of the processor's registers
            values = np.add.reduce(weights * values[:, None], axis=0, dtype=np.float64) + biases
        if self.head == "choices":
            groups = np.split(np.round(values, _DECIMALS), np.cumsum(self.choices)[:-1])
            return np.array([int(group.argmax()) for group in groups], dtype=np.int64)
        if self.head == "tanh":
            values = np.array([math.tanh(value) for value in values])
        return np.round(np.clip(values, -1.0, 1.0), _DECIMALS).astype(np.float32)

    def as_bytes(self) -> bytes:
        """Return the bytes of its file."""
        arrays: dict[str, Any] = {f"weights{place}": weights for place, (weights, _) in enumerate(self.layers)}
        arrays |= {f"biases{place}": biases for place, (_, biases) in enumerate(self.layers)}
        arrays |= {"mean": self.mean, "deviation": self.deviation}
        parts: dict[str, Any] = {name: np.asarray(array, dtype=np.float32) for name, array in arrays.items()}
        header = {"head": self.head, "choices": self.choices, "training": dict(self.training)}
        file = io.BytesIO()
        np.savez_compressed(file, header=np.array(json.dumps(header, sort_keys=True)), **parts)
        return file.getvalue()


def checkpoint(task: Task, name: str) -> Path:
    """Return where the network of a baseline for a task is shipped, if it is."""
    return _CHECKPOINTS / f"{task.name}-{name}.npz"


def read(path: Path) -> Network:
    """Read a file.

    Raises
    ------
    InvalidValueError
        When it holds no network.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
        header = json.loads(str(arrays.pop("header")))
        layers = [(arrays[f"weights{i}"], arrays[f"biases{i}"]) for i in range(len(arrays) // 2 - 1)]
        return Network(
            arrays["mean"], arrays["deviation"], layers, header["head"], tuple(header["choices"]), header["training"]
        )
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise InvalidValueError(f"{path} holds no network: {error}", "policy") from error
