"""A program exported by PyTorch in the place of a net; the only module of trivium that imports PyTorch.

``.pt2`` is what ``torch.export.save`` writes, ``.pt`` is TorchScript. Either is a program and not data: loading a
``.pt2`` unpickles what it holds, and TorchScript has operations that write files. They are for programs of one's own.
"""

from __future__ import annotations

import math
import warnings
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trivium.errors import ModelError, ResourcesError
from trivium.extras import missing

if TYPE_CHECKING:
    from torch import Tensor

SUFFIXES = (".pt2", ".pt")


def is_exported(path: Path) -> bool:
    """Return whether a file is an exported program, by its name."""
    return path.suffix in SUFFIXES


class ExportedProgram:
    """Runs a program that takes one float32 row of inputs, shape (1, inputs), and returns one number.

    It runs on one thread of PyTorch, so that sessions replay bit for bit.

    Parameters
    ----------
    path : Path
    example : sequence of float
        One row of usual inputs, for which the program is tried.

    Raises
    ------
    MissingExtraError
        When PyTorch is not installed.
    ResourcesError
        When the file cannot be read, or does not give one finite number for the example, the same one each time.
    """

    def __init__(self, path: Path, example: Sequence[float]) -> None:
        self._name = path.name
        self._inputs = len(example)
        self._program = _load(path)
        row = np.array(example, dtype=np.float32)
        try:
            results = [self._run(row).item() for _ in range(2)]
        except Exception as error:  # a program may raise anything
            raise ResourcesError(
                f"{path.name} must take a float32 tensor of shape (1, {self._inputs}) and return one number, and it "
                f"does not: {_reason(error)}"
            ) from error
        if not math.isfinite(results[0]):
            raise ResourcesError(f"{path.name} gives {results[0]} for the usual inputs {tuple(example)}")
        if results[0] != results[1]:
            raise ResourcesError(f"{path.name} gives different results for the same inputs; a session could not replay")

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return self._inputs

    def __call__(self, x: ArrayLike) -> NDArray[np.floating]:
        """Run the program once for each row.

        Parameters
        ----------
        x : array_like, shape (inputs,) or (n, inputs)

        Returns
        -------
        ndarray of float32, shape (1,) or (n, 1)

        Raises
        ------
        ModelError
            When the program fails or does not return one number.
        """
        with np.errstate(over="ignore"):
            rows = np.array(x, dtype=np.float32)
        try:
            return self._run(rows)
        except Exception as error:  # a program may raise anything
            raise ModelError(f"{self._name} failed: {_reason(error)}") from error

    def _run(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            tensors = torch.from_numpy(rows.reshape(-1, 1, self._inputs))
            results = [_number(self._program(row)) for row in tensors]
        return np.array(results, dtype=np.float32).reshape(*rows.shape[:-1], 1)


def _number(result: object) -> float:
    numel = getattr(result, "numel", None)
    if numel is None or numel() != 1:
        raise ValueError("its result is no tensor of one number")
    return float(result.item())  # type: ignore[attr-defined]


def _reason(error: Exception) -> str:
    """Return the last line of a message; PyTorch puts the trace of the program before it."""
    return (str(error).strip() or type(error).__name__).splitlines()[-1]


def _load(path: Path) -> Callable[[Tensor], Any]:
    try:
        import torch
    except ImportError as error:
        raise missing(f"{path.name} is an exported program, which PyTorch runs. PyTorch", "torch") from error
    torch.set_num_threads(1)
    kind = "torch.export.save" if path.suffix == ".pt2" else "torch.jit.save"
    try:
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):
                raise ResourcesError(f"{path.name} is no archive of {kind}, or is cut off")
            file.seek(0)
            if path.suffix == ".pt2":
                return torch.export.load(file).module()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript is, and a file's author may know
                script: Callable[[Tensor], Any] = torch.jit.load(file, map_location="cpu")  # type: ignore[no-untyped-call]
            return script
    except OSError as error:
        raise ResourcesError(f"{path.name} cannot be read: {error.strerror or error}") from error
    except ResourcesError:
        raise
    except Exception as error:  # the readers of PyTorch raise nearly anything
        raise ResourcesError(f"{path.name} is no file of {kind}: {_reason(error)}") from error
