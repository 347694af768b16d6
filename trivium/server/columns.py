"""Columns of numbers over the wire: JSON, or NumPy's own archive where the client accepts it.

The archive (``Accept: application/x-npz``) is what ``numpy.load`` reads: a ZIP file of ``.npy`` arrays, both formats
documented and read by many languages, with nothing to install beside NumPy. It holds

=============  ============================  ===================================================================
array          shape, type                   content
=============  ============================  ===================================================================
``names``      (n,) bytes                    names of the columns, UTF-8
``time``       (k,) float64                  [s]
``values``     (n, k) float64                a row a column, each contiguous
``reply``      () bytes                      the JSON reply without the columns
=============  ============================  ===================================================================
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from flask import Response, request

from trivium.server import wire
from trivium.server.wording import Reply
from trivium.session.proxy import Session

#: Media type of the archive.
NPZ = "application/x-npz"


def wants_npz() -> bool:
    """Return whether the client would rather have the archive than JSON."""
    if NPZ not in request.headers.get("Accept", ""):
        return False
    return request.accept_mimetypes.best_match(["application/json", NPZ]) == NPZ


def npz(answer: Reply, columns: Mapping[str, Any], payload: Any, session: Session) -> Response:
    """Return a reply as an archive.

    Parameters
    ----------
    answer : Reply
    columns : Mapping[str, array of shape (k,)]
        With ``time`` among them.
    payload : Any
        What is left of the payload without them.
    session : Session
    """
    names = [name for name in columns if name != "time"]
    time = np.asarray(columns["time"], dtype=np.float64)
    values = np.empty((len(names), time.size))
    for row, name in zip(values, names, strict=True):
        row[:] = columns[name]
    rest = orjson.dumps({"status": answer.status, "message": answer.message, "payload": payload})
    encoded = np.array([name.encode() for name in names], dtype=np.bytes_)
    body = io.BytesIO()
    # NumPy's own writer knows the slow level of compression only
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in (("names", encoded), ("time", time), ("values", values), ("reply", np.array(rest))):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)  # type: ignore[no-untyped-call]
    return wire.marked(Response(body.getvalue(), status=answer.status, content_type=NPZ), session)


def results(answer: Reply, session: Session) -> Response:
    """Return an answer whose payload is columns."""
    if wants_npz() and answer.payload:
        return npz(answer, answer.payload, None, session)
    return wire.streamed(answer, session)


def steps(answer: Reply, session: Session) -> Response:
    """Return an answer to a request for many steps."""
    if wants_npz():
        rest = {name: value for name, value in answer.payload.items() if name != "columns"}
        return npz(answer, answer.payload["columns"], rest, session)
    return wire.reply(answer, session)
