"""Universal (fat) Mach-O files: several architectures in one library.

The format is a big-endian header and one record an architecture, then the images at aligned offsets (Apple,
``<mach-o/fat.h>``).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

__all__ = ["universal"]

_FAT_MAGIC = 0xCAFEBABE
_MACHO_64_MAGIC = 0xFEEDFACF
_ALIGNMENT = 14  # power of two: 16 KiB, the page size of Apple's ARM processors, suits all


def universal(images: Sequence[bytes]) -> bytes:
    """Join 64-bit Mach-O images of different architectures.

    Parameters
    ----------
    images : sequence of bytes
        Thin little-endian 64-bit Mach-O files.

    Returns
    -------
    bytes
        The universal file.

    Raises
    ------
    ValueError
        When an image is no such file or an architecture comes twice.
    """
    seen = set()
    records = b""
    body = b""
    offset = 8 + 20 * len(images)
    for image in images:
        magic, cpu, subtype = struct.unpack_from("<III", image)
        if magic != _MACHO_64_MAGIC:
            raise ValueError("not a 64-bit Mach-O image")
        if cpu in seen:
            raise ValueError(f"two images for the processor type {cpu:#x}")
        seen.add(cpu)
        padding = -offset % (1 << _ALIGNMENT)
        offset += padding
        body += bytes(padding) + image
        records += struct.pack(">IIIII", cpu, subtype, offset, len(image), _ALIGNMENT)
        offset += len(image)
    return struct.pack(">II", _FAT_MAGIC, len(images)) + records + body
