"""Reading files of ``torch.save`` without PyTorch and without running code from them.

A file is the archive that ``torch.save`` writes since PyTorch 1.6: a zip, uncompressed, with a pickle and one member
for each storage of numbers. What is read is bounded by the size of the file, and the pickle is unpickled by
`trivium.plants.cooling.unpickler` alone, which knows tensors and the inert records of the reference project's module.
"""

from __future__ import annotations

import io
import pickletools
import zipfile
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trivium.errors import ResourcesError, UnsafeFileError
from trivium.plants.cooling.unpickler import GLOBALS, Unpickler

#: Largest file that is read [bytes]: some hundred times the largest net of this kind.
LARGEST = 64 * 2**20
#: Largest pickle in it [bytes]; that of a net has a few thousand.
_LARGEST_PICKLE = 2**20
_PUT = frozenset({"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"})
_GET = frozenset({"GET", "BINGET", "LONG_BINGET"})
_STACK = frozenset({"DUP", "POP", "POP_MARK"})
_TUPLE = frozenset({"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"})


def read_model_file(path: Path) -> object:
    """Read a file of ``torch.save``.

    Parameters
    ----------
    path : Path

    Returns
    -------
    object
        Arrays, numbers, strings and collections of them; a `trivium.plants.cooling.unpickler.PickledModule` for the
        reference's whole module. Arrays are read-only.

    Raises
    ------
    UnsafeFileError
        If the file names a class or function that is not on the allow-list, before anything of it is unpickled.
    ResourcesError
        If it cannot be read, is damaged or is no archive of ``torch.save``.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ResourcesError(f"{path.name} is larger than {LARGEST // 2**20} MiB, too large for a surrogate")
        return _read(path.name, data)
    except ResourcesError:
        raise
    except OSError as error:
        raise ResourcesError(f"{path.name} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # the readers of zip and pickle raise nearly anything on damaged bytes
        raise ResourcesError(f"{path.name} is damaged: {error}") from error


def _read(name: str, data: bytes) -> object:
    archive = _Archive(data) if zipfile.is_zipfile(io.BytesIO(data)) else None
    pickles = [data] if archive is None else archive.pickles()
    foreign = sorted(set().union(*(_named_globals(pickled) for pickled in pickles)) - set(GLOBALS))
    if foreign:
        raise UnsafeFileError(f"{name} names {', '.join(foreign)}, which a model file may not")
    if archive is None:
        raise ResourcesError(f"{name} is no archive of torch.save, or is cut off")
    pickled = archive.pickle()
    _check_opcodes(pickled)
    return Unpickler(name, pickled, archive.storage).load()


class _Archive:
    """The zip of ``torch.save``; reading all of its members takes no more memory than the file has bytes."""

    def __init__(self, data: bytes) -> None:
        self._zip = zipfile.ZipFile(io.BytesIO(data))
        members = self._zip.infolist()
        self._names = {member.filename for member in members}
        if len(self._names) < len(members):
            raise ValueError("two members of the archive have one name")
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise ValueError("the archive is compressed, which torch.save never does")
        if sum(member.file_size for member in members) > len(data):
            raise ValueError("the members of the archive claim more bytes than it has")
        self._storages: dict[tuple[str, np.dtype[np.floating]], NDArray[np.floating]] = {}

    def pickles(self) -> list[bytes]:
        """Return all that may be a pickle."""
        return [self._zip.read(name) for name in self._names if name.endswith(".pkl")]

    def pickle(self) -> bytes:
        """Return the pickle of what was saved."""
        entries = [name for name in self._names if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(entries) != 1:
            raise ValueError("it is no archive of torch.save")
        pickled = self._zip.read(entries[0])
        self._root = entries[0].removesuffix("data.pkl")
        return pickled

    def storage(self, key: str, dtype: np.dtype[np.floating], count: int) -> NDArray[np.floating]:
        """Return the numbers of a storage, in the machine's byte order, shape (count,).

        Raises
        ------
        ValueError
            When the archive does not have so many.
        """
        numbers = self._storages.get((key, dtype))
        if numbers is None:
            stored = self._zip.read(f"{self._root}data/{key}")
            numbers = np.frombuffer(stored, dtype.newbyteorder(self._byte_order())).astype(dtype)
            numbers.flags.writeable = False
            self._storages[key, dtype] = numbers
        if len(numbers) != count:
            raise ValueError(f"storage {key} has {len(numbers)} numbers, not {count}")
        return numbers

    def _byte_order(self) -> Literal["<", ">"]:
        """Return the byte order of the numbers; archives of old versions do not say it and are little-endian."""
        name = f"{self._root}byteorder"
        order = self._zip.read(name) if name in self._names else b"little"
        if order not in (b"little", b"big"):
            raise ValueError("the byte order is neither little nor big")
        return ">" if order == b"big" else "<"


def _check_opcodes(pickled: bytes) -> None:
    """Refuse a pickle that is cut off, or that costs its reader more memory or time than its length allows.

    ``pickletools`` reads no argument that is longer than what is left. An index into the memo may be no larger than the
    pickle, since the reader's memo is an array. No tuple may be used twice: hashing a tuple of twice the same tuple of
    twice the same tuple and so on takes exponential time. (Without the opcodes that copy or drop the top of the stack
    that is derived from the opcodes in turn.)

    Raises
    ------
    ValueError
    """
    if len(pickled) > _LARGEST_PICKLE:
        raise ValueError(f"its pickle is larger than {_LARGEST_PICKLE // 2**20} MiB")
    memo: set[int] = set()
    tuples: set[int] = set()
    previous = ""
    for opcode, argument, _ in pickletools.genops(pickled):
        index = int(argument) if isinstance(argument, int) else 0
        if opcode.name in _PUT:
            index = len(memo) if opcode.name == "MEMOIZE" else index
            memo.add(index)
            if index > len(pickled):
                raise ValueError(f"its pickle wants a memo of {index} entries")
            if previous in _TUPLE:
                tuples.add(index)
            continue  # what is on top of the stack stays there
        if opcode.name in _STACK or (opcode.name in _GET and index in tuples):
            raise ValueError(f"its pickle has a {opcode.name} where torch.save writes none")
        previous = opcode.name


def _named_globals(pickled: bytes) -> set[str]:
    """Return the classes and functions that a pickle or a row of pickles names, as far as it can be read.

    (PyTorch wrote rows of pickles before its 1.6.) This serves the message, and that nothing is unpickled before it;
    the wall is the unpickler, which looks up names in the allow-list alone.
    """
    named: set[str] = set()
    stream = io.BytesIO(pickled)
    try:
        while stream.tell() < len(pickled):
            _scan(stream, named)
    except Exception:  # no pickle, or cut off: the names up to there count, and what follows is refused later
        return named
    return named


def _scan(stream: io.BytesIO, named: set[str]) -> None:
    """Go through one pickle and add the names in it; the stream stands behind it then."""
    strings: list[str] = []
    memo: dict[int, str | None] = {}
    top: str | None = None  # the string on top of the stack, if it is one
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name in ("GLOBAL", "INST"):
            named.add(str(argument).replace(" ", "."))
        elif opcode.name == "STACK_GLOBAL":
            named.add(".".join(strings[-2:]))
        elif opcode.name == "MEMOIZE":
            memo[len(memo)] = top
            continue
        elif opcode.name in _PUT:
            memo[int(argument or 0)] = top
            continue
        is_get = opcode.name in _GET
        top = memo.get(int(argument or 0)) if is_get else argument if isinstance(argument, str) else None
        if top is not None:
            strings.append(top)
