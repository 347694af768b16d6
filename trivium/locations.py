"""Where the things are that come with the product, and where it keeps its state.

In a wheel the default test case and the examples travel inside the package, in ``shipped/``. In a checkout they lie
beside the package, as ``Resources/`` and ``examples/``, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path

from trivium.errors import ResourcesError

#: The names of the shipped test cases, in studies, cases and settings.
COOLING, DATA_CENTER = "cooling", "data_center"


def resources() -> Path:
    """Return the folder of the shipped test case, the cooling plant."""
    return _root() / "Resources"


def data_center() -> Path:
    """Return the folder of the shipped test case of the closed data centre."""
    return _package() / "plants" / "data_center" / "testcase"


def examples() -> Path:
    """Return the folder that holds the shipped examples, each in a folder of its own."""
    return _root() / "examples"


#: Test cases that come with the product, by name.
TESTCASES: Mapping[str, Callable[[], Path]] = {COOLING: resources, DATA_CENTER: data_center}


def shipped_testcase(name: str) -> Path:
    """Return the folder of a shipped test case.

    Parameters
    ----------
    name : str
        ``cooling`` or ``data_center``.

    Raises
    ------
    ResourcesError
        When no test case of this name is shipped.
    """
    try:
        return TESTCASES[name]()
    except KeyError:
        shipped = ", ".join(TESTCASES)
        raise ResourcesError(f"there is no test case named {name!r}; shipped: {shipped}") from None


def resolve_testcase(text: str | Path, base: Path | None = None) -> Path:
    """Return the absolute path of a test case that a person names: a shipped one, a folder or an FMU.

    Parameters
    ----------
    text : str or Path
        ``cooling``, or a path. A folder of that name is ``./cooling``.
    base : Path, optional
        What a relative path is relative to; default: the working directory.
    """
    if str(text) in TESTCASES:
        return shipped_testcase(str(text))
    return ((base or Path.cwd()) / Path(text).expanduser()).absolute()


def checkout() -> Path | None:
    """Return the root of the checkout that this package lies in; None where it was installed from a wheel."""
    root = _root()
    return root if root == _package().parent and (root / "pyproject.toml").is_file() else None


def state_dir() -> Path:
    """Return the default folder for state: ``.trivium-state`` of the checkout, else the user's state directory."""
    root = checkout()
    if root is not None:
        return root / ".trivium-state"
    import platformdirs

    return platformdirs.user_state_path("trivium", appauthor=False)


def _package() -> Path:
    return Path(str(files("trivium")))


def _root() -> Path:
    shipped = _package() / "shipped"
    return shipped if shipped.is_dir() else _package().parent
