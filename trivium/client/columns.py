"""Columns of numbers, as the server sends them: NumPy's archive."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import orjson

from trivium.protocol import Columns

#: Media type of the archive; trivium/server/columns.py describes it.
NPZ = "application/x-npz"


def unpack(body: bytes) -> tuple[dict[str, Any], Columns]:
    """Return the reply and the columns that an archive holds.

    Parameters
    ----------
    body : bytes

    Returns
    -------
    reply : dict
        ``status``, ``message`` and what is left of the payload.
    columns : Columns
    """
    with np.load(io.BytesIO(body), allow_pickle=False) as archive:
        reply = orjson.loads(bytes(archive["reply"].item()))
        names = [name.decode() for name in archive["names"].tolist()]
        return reply, Columns({"time": archive["time"], **dict(zip(names, archive["values"], strict=True))})
