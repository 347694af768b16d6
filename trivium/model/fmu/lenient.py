"""FMPy's classes, for FMUs that lack functions of the standard: a function is missed where it is called.

FMPy looks for all functions of the standard when it loads a binary, also for those that the FMU declares not to have
and that nothing here calls.
"""

from __future__ import annotations

from typing import Any, NoReturn

from trivium.errors import ModelError


class _Absent:
    """Stands for a function that a binary does not have; FMPy declares its types like those of any other."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *_arguments: Any) -> NoReturn:
        raise ModelError(f"its binary has no function {self._name}")


class _Library:
    """The functions of a binary, also those that it does not have."""

    def __init__(self, library: Any) -> None:
        self._library = library

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(self._library, name)
        except AttributeError:
            return _Absent(name)


class _Lenient:
    """Goes before a class of FMPy's."""

    dll: Any

    def _loadFunctions(self) -> None:  # noqa: N802 - FMPy's name
        library, self.dll = self.dll, _Library(self.dll)
        try:
            super()._loadFunctions()  # type: ignore[misc]
        finally:
            self.dll = library


def lenient(vendor: type[Any]) -> type[Any]:
    """Return a class of FMPy's that loads binaries with missing functions."""
    return type(vendor.__name__, (_Lenient, vendor), {})  # FMPy reads the version of FMI from the name
