"""Write a net as a model file: a file of PyTorch that holds tensors and plain metadata, no class of ours."""

from __future__ import annotations

from pathlib import Path

import torch

from trivium.plants.cooling.surrogate import FORMAT, Network


def save(path: Path, kind: str, network: Network) -> None:
    """Write a net in our own form.

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
            "weights": [torch.tensor(weight) for weight in network.weights],
            "biases": [torch.tensor(bias) for bias in network.biases],
            "input_minimum": torch.tensor(network.input_minimum),
            "input_maximum": torch.tensor(network.input_maximum),
            "output_minimum": torch.tensor(network.output_minimum),
            "output_maximum": torch.tensor(network.output_maximum),
        },
        path,
    )
