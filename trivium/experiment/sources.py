"""What the results of a Python component depend on: its source, and the packages that the source imports.

Only that: a package that is installed for something else must not make a run forget what it knows.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path

#: Files of folders in a case that are no part of it: results of a run, an environment.
_OTHER = ("iterations.sqlite", "pyvenv.cfg")


def sources(module: str, folder: Path) -> list[tuple[str, Path]]:
    """Return the source files of a module with their names, without importing it.

    These are all of the package that the module belongs to; for a module of the case's own, all of the case's folder.
    """
    module_spec = PathFinder.find_spec(module.partition(".")[0], [str(folder), *sys.path])
    origin = Path(module_spec.origin) if module_spec is not None and module_spec.origin else None
    if origin is None or not origin.is_file():  # a package without __init__, or none at all, which the call reports
        locations = None if module_spec is None else module_spec.submodule_search_locations
        roots = [Path(location) for location in locations or []]
    elif origin.name == "__init__.py" or origin.is_relative_to(folder):
        roots = [origin.parent]
    else:
        roots = [origin]
    return [
        (str(path.relative_to(root.parent)), path)
        for root in roots
        for path in (_below(root) if root.is_dir() else [root])
    ]


def _below(root: Path) -> list[Path]:
    """Return the sources in a folder, but not those in results of runs and in environments of Python."""
    other = {mark.parent for name in _OTHER for mark in root.glob(f"*/{name}")}
    return [path for path in sorted(root.rglob("*.py")) if not any(path.is_relative_to(folder) for folder in other)]


def hash_files(files: Iterable[tuple[str, Path]]) -> str:
    """Return a hash of files with their names."""
    digest = hashlib.sha256()
    for name, path in files:
        digest.update(f"\n{name} ".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def packages(files: Iterable[tuple[str, Path]], declared: Iterable[str] = ()) -> str:
    """Return the installed packages that sources import, and those that these require, with their versions.

    Parameters
    ----------
    files : iterable of (str, Path)
    declared : iterable of str
        Further packages, by the names that they are installed by.
    """
    imported = {name for _, path in files for name in _imports(path.read_bytes())}
    waiting = [*declared, *(name for top in imported - sys.stdlib_module_names for name in _distributions(top))]
    versions: dict[str, str] = {}
    while waiting:
        name = _normal(waiting.pop())
        if name not in versions:
            version, required = _installed(name)
            versions[name] = version
            waiting += required
    return " ".join(f"{name}=={version}" for name, version in sorted(versions.items()) if version)


def _imports(source: bytes) -> Iterator[str]:
    """Yield the names of the top modules that a source imports from elsewhere."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # the call reports it
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@cache
def _distributions(module: str) -> tuple[str, ...]:
    """Return the distributions that bring a module, most of which have its name."""
    try:
        metadata.distribution(module)
    except metadata.PackageNotFoundError:
        return tuple(_by_module().get(module, ()))
    return (module,)


@cache
def _by_module() -> dict[str, list[str]]:
    return dict(metadata.packages_distributions())


@cache
def _installed(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the version of a distribution, empty where there is none, and what it requires without extras."""
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return "", ()
    required = [each for each in found.requires or [] if "extra ==" not in each]
    return found.version, tuple(re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0] for each in required)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
