"""Reading files of ``torch.save`` without running code from them.

``torch.load(weights_only=True)`` under an allow-list of names that stand for inert records: no class or function of a
file's choice is called, and a file with any other global is refused by name. The records take the names under which the
reference project pickled its whole module: a class ``MLP`` of ``__main__`` or ``utils``, and layers of ``torch.nn``.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch.serialization import safe_globals

from trivium.errors import ResourcesError, UnsafeFileError


class _Record:
    """Inert stand-in for a pickled module: takes the attributes, runs nothing."""


class PickledModule(_Record):
    """Stand-in for the reference's ``MLP``."""


class PickledSequential(_Record):
    """Stand-in for ``torch.nn.Sequential``."""


class PickledLinear(_Record):
    """Stand-in for ``torch.nn.Linear``."""


class PickledReLU(_Record):
    """Stand-in for ``torch.nn.ReLU``."""


_ALLOWED: Mapping[str, type[_Record]] = {
    "__main__.MLP": PickledModule,
    "utils.MLP": PickledModule,
    "torch.nn.modules.container.Sequential": PickledSequential,
    "torch.nn.modules.linear.Linear": PickledLinear,
    "torch.nn.modules.activation.ReLU": PickledReLU,
}

# What tensors are made of: the loader's own names, which run none but the rebuilding of tensors.
_TORCH_GLOBALS = frozenset(
    {
        "collections.OrderedDict",
        "builtins.set",
        "__builtin__.set",
        "torch.FloatStorage",
        "torch.DoubleStorage",
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_parameter",
    }
)

# torch keeps its allow-list in process-wide state; two threads entering and leaving it would undo each other's entries
_allow_list_lock = threading.Lock()


def read_model_file(path: Path) -> object:
    """Read a file of ``torch.save``.

    Parameters
    ----------
    path : Path

    Returns
    -------
    object
        Tensors, numbers, strings and collections of them; a `PickledModule` for the reference's whole module.

    Raises
    ------
    UnsafeFileError
        If the file names a class or function that is not on the allow-list, before anything of it is unpickled.
    ResourcesError
        If it cannot be read, is damaged or is no archive of ``torch.save``.
    """
    try:
        named, archive = _named_globals(path)
        foreign = sorted(named - set(_ALLOWED) - _TORCH_GLOBALS)
        if foreign:
            raise UnsafeFileError(f"{path.name} names {', '.join(foreign)}, which a model file may not")
        if not archive:
            raise ResourcesError(f"{path.name} is no archive of torch.save, or is cut off")
        with _allow_list_lock, safe_globals([(record, name) for name, record in _ALLOWED.items()]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except (ResourcesError, UnsafeFileError):
        raise
    except pickle.UnpicklingError as error:
        reason = str(error.__context__ or error).splitlines()[0]
        raise UnsafeFileError(f"{path.name} is refused by the safe loader: {reason}") from error
    except OSError as error:
        raise ResourcesError(f"{path.name} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # the readers of zip, pickle and torch raise nearly anything on damaged bytes
        raise ResourcesError(f"{path.name} is damaged: {error}") from error


def _named_globals(path: Path) -> tuple[set[str], bool]:
    """Classes and functions that a file's pickle names, found without running it, and whether it is an archive.

    This serves the message; the wall is the loader, which looks up names in the allow-list alone.
    """
    archive = zipfile.is_zipfile(path)
    if not archive:
        return _globals_of(path.read_bytes()), False
    with zipfile.ZipFile(path) as members:
        pickles = [name for name in members.namelist() if name.endswith(".pkl")]
        return set().union(*(_globals_of(members.read(name)) for name in pickles)), True


def _globals_of(pickled: bytes) -> set[str]:
    """Names in a pickle or a row of pickles (as torch wrote them before its 1.6), as far as it can be read."""
    found: set[str] = set()
    stream = io.BytesIO(pickled)
    try:
        while stream.tell() < len(pickled):
            _scan(stream, found)
    except Exception:  # not a pickle, or cut off: what was found so far counts, and the loader refuses the rest
        return found
    return found


def _scan(stream: io.BytesIO, found: set[str]) -> None:
    """Go through one pickle and add the names in it; the stream stands behind it then."""
    strings: list[str] = []
    memo: dict[int, str | None] = {}
    top: str | None = None  # the string on top of the stack, if it is one
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name in ("GLOBAL", "INST"):
            found.add(str(argument).replace(" ", "."))
        elif opcode.name == "STACK_GLOBAL":
            found.add(".".join(strings[-2:]))
        elif opcode.name == "MEMOIZE":
            memo[len(memo)] = top
            continue
        elif opcode.name in ("PUT", "BINPUT", "LONG_BINPUT"):
            memo[int(argument or 0)] = top
            continue
        is_get = opcode.name in ("GET", "BINGET", "LONG_BINGET")
        top = memo.get(int(argument or 0)) if is_get else argument if isinstance(argument, str) else None
        if top is not None:
            strings.append(top)
