"""Named arrays as bytes, and what stands for them in a cache's key."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # calls by the Python of another environment have no other module of Trivium
    from trivium.model.contract import FloatArray


def dumps(values: Mapping[str, FloatArray]) -> bytes:
    """Return arrays as NumPy's archive; every bit comes back."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **values)
    return buffer.getvalue()


def loads(data: bytes) -> dict[str, FloatArray]:
    """Return the arrays of an archive.

    Raises
    ------
    ValueError, OSError
        When it is none, or holds what only running code could bring back.
    """
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def digest(fingerprint: str, values: Mapping[str, FloatArray]) -> bytes:
    """Return the key of a component's result: a hash of the component's fingerprint and of all inputs.

    Numbers that are equal give equal keys: -0.0 counts as 0.0.
    """
    key = hashlib.sha256(fingerprint.encode())
    for name in sorted(values):
        value = np.ascontiguousarray(values[name], dtype="<f8") + 0.0
        key.update(f"\n{name} {value.shape} ".encode())
        key.update(value.tobytes())
    return key.digest()
