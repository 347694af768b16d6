"""Checksums of a file that is only appended to: a CRC-32 for each block of its bytes.

A reader compares the blocks that it reads, so what it costs to be sure depends on what is read, not on the length of
the file. A block is small enough that a step, which reads the last row, does not notice.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Callable

#: Bytes of a block.
BLOCK = 2**13
#: Reads so many bytes from a place on.
Read = Callable[[int, int], "bytes | memoryview"]


class Checksums:
    """Checksums of the first bytes of a file.

    Parameters
    ----------
    size : int
        How many bytes they are of.
    packed : bytes
        What `pack` returned.

    Raises
    ------
    ValueError
        When it is not of that many bytes.
    """

    def __init__(self, size: int = 0, packed: bytes = b"") -> None:
        self.size = size
        self._sums = array("I", packed)
        if len(self._sums) != -(-size // BLOCK):
            raise ValueError(f"{len(self._sums)} checksums are not those of {size} bytes")

    def pack(self) -> bytes:
        """Return them as bytes."""
        return self._sums.tobytes()

    def append(self, data: memoryview) -> None:
        """Count in bytes that follow the present ones."""
        while data:
            inside = self.size % BLOCK
            part, data = data[: BLOCK - inside], data[BLOCK - inside :]
            if inside:
                self._sums[-1] = zlib.crc32(part, self._sums[-1])
            else:
                self._sums.append(zlib.crc32(part))
            self.size += len(part)

    def damaged(self, first: int, end: int, read: Read) -> range | None:
        """Return the bytes of the first block that is damaged, of those that hold the bytes from a first one to an end.

        Parameters
        ----------
        first, end : int
        read : Callable

        Returns
        -------
        range or None
            None where all are as they were appended.
        """
        for block in range(first // BLOCK, -(-min(end, self.size) // BLOCK)):
            start = block * BLOCK
            length = min(BLOCK, self.size - start)
            data = read(start, length)
            if len(data) != length or zlib.crc32(data) != self._sums[block]:
                return range(start, start + length)
        return None

    def first(self, size: int, read: Read) -> Checksums:
        """Return the checksums of the first bytes only, which the caller has compared."""
        start = size - size % BLOCK
        kept = Checksums(start, self._sums[: start // BLOCK].tobytes())
        if size > start:
            kept.append(memoryview(read(start, size - start)))
        return kept
