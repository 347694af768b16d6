"""Columns of numbers: what the server sends as NumPy's archive, and a frame of pandas where one is wanted."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

#: Media type of the archive; trivium/server/columns.py describes it.
NPZ = "application/x-npz"


class Columns(Mapping[str, NDArray[np.float64]]):
    """Points over time, each an array of shape (k,), ``time`` [s] among them.

    Parameters
    ----------
    columns : Mapping[str, array of shape (k,)]
    """

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self._columns = {
            name: np.asarray([np.nan if value is None else value for value in values], dtype=np.float64)
            if isinstance(values, list)
            else np.asarray(values, dtype=np.float64)
            for name, values in columns.items()
        }

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"Columns({list(self)}, {self['time'].size} times)"

    def frame(self) -> pd.DataFrame:
        """Return a DataFrame of pandas with ``time`` [s] as its index."""
        import pandas as pd

        columns = {name: values for name, values in self.items() if name != "time"}
        return pd.DataFrame(columns, index=pd.Index(self["time"], name="time"))


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
