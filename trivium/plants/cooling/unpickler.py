"""An unpickler that knows tensors, empty collections and inert records, and nothing else.

The names on its allow-list stand for objects of this module. None of them runs anything but the making of an array;
none can be changed by a pickle, since they have no attributes that it could set (``BUILD``): what is made of one file
does not depend on another. The records take the names under which the reference project pickled its whole module: a
class ``MLP`` of ``__main__`` or ``utils``, and layers of ``torch.nn``.
"""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Mapping
from typing import Any, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from trivium.errors import UnsafeFileError


class _Sealed:
    """Nothing of it can be set by a pickle."""

    __slots__ = ()

    def __setstate__(self, state: object) -> NoReturn:
        raise pickle.UnpicklingError(f"{type(self).__name__} takes no state")


class PickledRecord(_Sealed):
    """Inert stand-in for a pickled object.

    Attributes
    ----------
    attributes : dict
        What the object's attributes were.
    """

    __slots__ = ("attributes",)
    attributes: dict[str, Any]

    def __setstate__(self, state: object) -> None:  # type: ignore[override]
        if type(state) is not dict or any(type(name) is not str for name in state):
            raise pickle.UnpicklingError("the state of an object is no dictionary of attributes")
        self.attributes = state


class PickledModule(PickledRecord):
    """Stand-in for the reference's ``MLP``."""

    __slots__ = ()


class PickledSequential(PickledRecord):
    """Stand-in for ``torch.nn.Sequential``."""

    __slots__ = ()


class PickledLinear(PickledRecord):
    """Stand-in for ``torch.nn.Linear``."""

    __slots__ = ()


class PickledReLU(PickledRecord):
    """Stand-in for ``torch.nn.ReLU``."""

    __slots__ = ()


class _StorageType(_Sealed):
    """Stand-in for a class of storages."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: type[np.floating]) -> None:
        self.dtype: np.dtype[np.floating] = np.dtype(dtype)


class _Storage(_Sealed):
    """The numbers of a storage."""

    __slots__ = ("numbers",)

    def __init__(self, numbers: NDArray[np.floating]) -> None:
        self.numbers = numbers


class _Empty(_Sealed):
    """Makes an empty collection; full ones would let a small pickle fill the memory with copies."""

    __slots__ = ("_kind",)

    def __init__(self, kind: type[dict[object, object]] | type[set[object]]) -> None:
        self._kind = kind

    def __call__(self, *items: object) -> object:
        if any(type(item) is not list or item for item in items):
            raise pickle.UnpicklingError(f"a {self._kind.__name__} that is not empty is pickled in one call")
        return self._kind()


class _RebuildTensor(_Sealed):
    """Makes the array of a tensor: a view of its storage that lies within it, read-only."""

    __slots__ = ()

    def __call__(
        self, storage: object, offset: object, sizes: object, strides: object, *_ignored: object
    ) -> NDArray[np.floating]:
        if type(storage) is not _Storage:
            raise pickle.UnpicklingError("a tensor is made of something that is no storage")
        numbers = storage.numbers
        shape, steps, (start,) = _counts(sizes), _counts(strides), _counts((offset,))
        if len(shape) != len(steps):
            raise pickle.UnpicklingError(f"a tensor has {len(shape)} sizes and {len(steps)} strides")
        # one by one first, since sizes of zero hide any others in the product
        largest = max(len(numbers), 1)
        if max((start, *shape, *steps)) > largest or math.prod(shape) > len(numbers):
            raise pickle.UnpicklingError("a tensor is larger than its storage")
        width = numbers.itemsize
        return np.ndarray(  # which refuses what does not lie within the buffer
            shape, numbers.dtype, numbers, start * width, tuple(step * width for step in steps)
        )


class _RebuildParameter(_Sealed):
    """Makes a parameter of a module: the array itself."""

    __slots__ = ()

    def __call__(self, array: object, *_ignored: object) -> NDArray[np.floating]:
        if not isinstance(array, np.ndarray):
            raise pickle.UnpicklingError("a parameter is made of something that is no tensor")
        return array


_MOST_DIMENSIONS = 8


def _counts(values: object) -> tuple[int, ...]:
    """Check a few integers of zero or more; messages show no values, which may be endless."""
    if type(values) is not tuple or len(values) > _MOST_DIMENSIONS:
        raise pickle.UnpicklingError("the shape of a tensor is no short tuple")
    if any(type(value) is not int or value < 0 for value in values):
        raise pickle.UnpicklingError("the shape, the strides or the offset of a tensor is no count")
    return values


#: What each name of a pickle stands for.
GLOBALS: Mapping[str, object] = {
    "__main__.MLP": PickledModule,
    "utils.MLP": PickledModule,
    "torch.nn.modules.container.Sequential": PickledSequential,
    "torch.nn.modules.linear.Linear": PickledLinear,
    "torch.nn.modules.activation.ReLU": PickledReLU,
    "collections.OrderedDict": _Empty(dict),
    "builtins.set": _Empty(set),
    "__builtin__.set": _Empty(set),
    "torch.FloatStorage": _StorageType(np.float32),
    "torch.DoubleStorage": _StorageType(np.float64),
    "torch._utils._rebuild_tensor_v2": _RebuildTensor(),
    "torch._utils._rebuild_parameter": _RebuildParameter(),
}


class ReadStorage(Protocol):
    """Reads a storage of an archive."""

    def __call__(self, key: str, dtype: np.dtype[np.floating], count: int) -> NDArray[np.floating]:
        """Return its numbers, shape (count,)."""


class Unpickler(pickle.Unpickler):
    """Unpickles what `GLOBALS` names.

    Parameters
    ----------
    name : str
        Of the file, for messages.
    pickled : bytes
        Checked for what would make a reader allocate too much; see `trivium.plants.cooling.model_file`.
    read_storage : callable
    """

    def __init__(self, name: str, pickled: bytes, read_storage: ReadStorage) -> None:
        super().__init__(io.BytesIO(pickled))
        self._name = name
        self._read_storage = read_storage

    def find_class(self, module: str, name: str) -> object:
        """Look up a name in the allow-list; nothing is imported.

        Raises
        ------
        UnsafeFileError
            When it is not there.
        """
        try:
            return GLOBALS[f"{module}.{name}"]
        except KeyError:
            raise UnsafeFileError(f"{self._name} names {module}.{name}, which a model file may not") from None

    def persistent_load(self, pid: object) -> object:
        """Read a storage: ``("storage", its class, its key, a device, the count of its numbers)``.

        Raises
        ------
        pickle.UnpicklingError
            When it is something else.
        """
        if type(pid) is not tuple or len(pid) != 5:
            raise pickle.UnpicklingError("something outside the pickle is named that is no storage")
        tag, kind, key, _device, count = pid
        if tag != "storage" or type(kind) is not _StorageType or type(key) is not str or type(count) is not int:
            raise pickle.UnpicklingError("something outside the pickle is named that is no storage")
        return _Storage(self._read_storage(key, kind.dtype, count))
