"""Entry points: the plants, controllers, kinds of jobs and engines that Trivium and other packages bring.

A package declares them in its ``pyproject.toml``, as Trivium does in its own (docs/how-to/bring-a-plant.md)::

    [project.entry-points."trivium.controllers"]
    night = "my_package.control:night"

An entry point that cannot be loaded is logged and left out; `faults` names it for ``trivium doctor``.
"""

from __future__ import annotations

import functools
import importlib.metadata
import logging
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, EntryPoints
from typing import Any, Generic, TypeVar, cast

from trivium import extras, locations
from trivium.errors import MissingExtraError, SettingsError

log = logging.getLogger(__name__)

_T = TypeVar("_T")
#: All groups, with what an entry point of each is called.
GROUPS: Mapping[str, str] = {
    "trivium.plants": "plant",
    "trivium.controllers": "controller",
    "trivium.jobs": "kind of job",
    "trivium.engines": "engine",
    "trivium.experiments": "kind of experiment",
}


class Registry(Generic[_T]):
    """The entry points of a group, by name; Trivium's own come first, and their names cannot be taken by others.

    Parameters
    ----------
    group : str
        One of `GROUPS`.
    """

    def __init__(self, group: str) -> None:
        self.group = group
        self.noun = GROUPS[group]
        self._loaded: dict[str, _T] = {}
        self._broken: set[str] = set()

    def names(self) -> list[str]:
        """Return all names; nothing is imported."""
        return list(_points(self.group))

    def load(self, name: str) -> _T:
        """Return what an entry point refers to; it is imported at the first call.

        Raises
        ------
        KeyError
            When there is none of that name.
        MissingExtraError
            When a package that it needs is not installed.
        SettingsError
            When it cannot be imported otherwise.
        """
        if name not in self._loaded:
            self._loaded[name] = cast("_T", self._import(_points(self.group)[name]))
        return self._loaded[name]

    def all(self) -> Iterator[tuple[str, _T]]:
        """Yield every name and what it refers to, without those that cannot be loaded, which are logged once."""
        for name in self.names():
            try:
                loaded = self.load(name)
            except MissingExtraError:
                continue
            except SettingsError as error:
                if name not in self._broken:
                    log.error("%s", error)
                    self._broken.add(name)
                continue
            yield name, loaded

    def check(self, name: str) -> str:
        """Return a name that there is; a validator for pydantic.

        Raises
        ------
        ValueError
            Listing the names that there are.
        """
        if name not in _points(self.group):
            raise ValueError(f"must be one of {', '.join(map(repr, self.names()))}")
        return name

    def describe(self, schema: dict[str, Any]) -> None:
        """Add the names that there are to a JSON schema; a ``json_schema_extra`` for pydantic."""
        schema["enum"] = self.names()

    def _import(self, point: EntryPoint) -> object:
        try:
            return point.load()
        except MissingExtraError:
            raise
        except Exception as error:  # a broken package may raise anything
            absent = isinstance(error, ModuleNotFoundError) and not str(error.name).startswith("trivium")
            if absent and point.extras:
                raise extras.missing(f"The {self.noun} {point.name}", point.extras[0]) from error
            package = f" of the package {point.dist.name}" if point.dist is not None else ""
            raise SettingsError(
                f"the {self.noun} {point.name}{package} cannot be loaded from {point.value}: "
                f"{type(error).__name__}: {' '.join(str(error).split())}"
            ) from error


def faults() -> list[str]:
    """Return a sentence about each entry point that cannot be loaded; what is only not installed is no fault."""
    found = []
    for group in GROUPS:
        registry = Registry[object](group)
        for name in registry.names():
            try:
                registry.load(name)
            except MissingExtraError:
                continue
            except SettingsError as error:
                found.append(str(error))
    return found


@functools.cache
def _points(group: str) -> Mapping[str, EntryPoint]:
    """Return the entry points of a group by name."""
    points = [EntryPoint(name, value, group) for name, value in _of_checkout().get(group, {}).items()]
    first: dict[str, EntryPoint] = {}
    for point in (*points, *sorted(_installed().select(group=group), key=_is_foreign)):
        first.setdefault(point.name, point)
    return first


@functools.cache
def _installed() -> EntryPoints:
    """Return the entry points of all installed packages, whose metadata is read once."""
    points: list[EntryPoint] = []
    for package in importlib.metadata.distributions():
        try:
            points += package.entry_points
        except Exception:  # the metadata of any package may be damaged
            log.exception("the entry points of the package %s cannot be read", package)
    return EntryPoints(points)


def _is_foreign(point: EntryPoint) -> bool:
    return not point.value.startswith("trivium.")


@functools.cache
def _of_checkout() -> Mapping[str, Mapping[str, str]]:
    """Return the entry points that a checkout declares: they hold whether it is installed, and since which commit."""
    root = locations.checkout()
    if root is None:
        return {}
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared: Mapping[str, Mapping[str, str]] = project.get("entry-points", {})
    return declared
