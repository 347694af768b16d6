"""Modules of a case's own folder: each folder has its own, whatever other folders and the standard library call theirs.

While a folder's modules are imported or called, they are in `sys.modules`; otherwise they are not. So two cases in one
process may both have a module ``model``. A case's ``operator.py`` is only what its document asks for by that name:
an import of ``operator``, in the case's own modules too, gets the standard library's.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

#: What stands for a name of the standard library.
_PREFIX = "_case_"
#: The modules of each folder while they are out of use, by name.
_stores: dict[tuple[str, ...], dict[str, ModuleType]] = {}
_turn = threading.RLock()


class _Finder:
    """Finds modules in folders before they are looked for elsewhere, but none that the standard library has."""

    def __init__(self, path: Sequence[str]) -> None:
        self._path = list(path)

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if path is not None or name in sys.stdlib_module_names:
            return None
        return PathFinder.find_spec(name, self._path, target)


@contextlib.contextmanager
def in_use(path: Sequence[str]) -> Iterator[None]:
    """Have the modules of some folders imported as if they were alone; one thread at a time.

    Parameters
    ----------
    path : sequence of str
    """
    finder, store = _Finder(path), _stores.setdefault(tuple(path), {})
    with _turn:
        own = _names(path)
        displaced = {
            name: module
            for name, module in list(sys.modules.items())
            if name.partition(".")[0] in own and not _is_in(module, path)
        }
        for name in displaced:
            del sys.modules[name]
        sys.modules.update(store)
        before = sys.modules.keys() - store
        sys.meta_path.insert(0, finder)
        try:
            yield
        finally:
            sys.meta_path.remove(finder)
            for name in sys.modules.keys() - before:
                if name.partition(".")[0] in own or name.startswith(_PREFIX):
                    store[name] = sys.modules.pop(name)
            sys.modules.update(displaced)


def load(name: str, path: Sequence[str]) -> ModuleType:
    """Return a module, of the folders in use or of any package.

    Raises
    ------
    ImportError
        When there is none, or whatever it raises itself.
    """
    top, dot, rest = name.partition(".")
    spec = PathFinder.find_spec(top, list(path)) if top in sys.stdlib_module_names else None
    if spec is None or spec.loader is None:
        return importlib.import_module(name)
    alias = _PREFIX + top
    if alias not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            alias, spec.origin, submodule_search_locations=spec.submodule_search_locations
        )
        if spec is None or spec.loader is None:
            raise ImportError(f"no module named {name}")
        module = sys.modules[alias] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[alias]
            raise
    return importlib.import_module(alias + dot + rest)


def _names(path: Sequence[str]) -> set[str]:
    """Return the names of the modules and packages in some folders."""
    names = {file.stem for folder in path for file in Path(folder).glob("*.py")}
    names |= {file.parent.name for folder in path for file in Path(folder).glob("*/__init__.py")}
    return names - sys.stdlib_module_names - {"trivium"}


def _is_in(module: ModuleType, path: Sequence[str]) -> bool:
    file = getattr(module, "__file__", None)
    places = [file] if file else list(getattr(module, "__path__", []))
    return any(Path(place).is_relative_to(folder) for place in places for folder in path)
