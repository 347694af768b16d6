"""Compressed replies: gzip, where the client accepts it and the reply is long.

A reply that is streamed is compressed as it is made, so that a year of data needs no more memory; Flask's extension for
this cannot do that with gzip. Short replies, as those of a step, are left as they are: to compress them takes longer
than to send them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from flask import Flask, Response, request

#: Least length of a reply that is compressed [bytes].
LEAST = 32 * 2**10
#: What is compressed; archives and images are already, and events must not wait for one another.
_TYPES = frozenset({"application/json", "text/csv", "text/html", "text/css", "text/javascript", "image/svg+xml"})
#: Numbers become hardly shorter on a higher level, which takes four times as long.
_LEVEL = 1
#: zlib's number for a gzip header.
_GZIP = 16 + zlib.MAX_WBITS


def compress(app: Flask) -> None:
    """Compress the long replies of an application where the client accepts it."""

    @app.after_request
    def compressed(response: Response) -> Response:
        if response.mimetype not in _TYPES or response.headers.get("Content-Encoding") or response.direct_passthrough:
            return response
        length = response.calculate_content_length()  # None for what is streamed
        if length is not None and length < LEAST:
            return response
        response.vary.add("Accept-Encoding")
        if request.method == "HEAD" or not request.accept_encodings["gzip"]:
            return response
        etag, _ = response.get_etag()
        if etag is not None:  # the same content, byte by byte another
            response.set_etag(etag, weak=True)
        response.response = _gzip(response.iter_encoded())
        response.content_encoding = "gzip"
        del response.content_length
        return response


def _gzip(parts: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(_LEVEL, wbits=_GZIP)
    for part in parts:
        if packed := packer.compress(part):
            yield packed
    yield packer.flush()
