"""``trivium examples``."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from trivium.cli import options
from trivium.errors import InvalidValueError, StorageError
from trivium.suggestions import near_or_all

#: What is not copied out.
_LEFT_OUT = ("__pycache__", "*.pyc", "*-results")


@click.command()
@click.argument("name", required=False, help="The example to copy.")
@click.argument("folder", required=False, type=click.Path(path_type=Path), help="Where to copy it: a new folder.")
@options.as_json
def examples(name: str | None, folder: Path | None, as_json: bool) -> None:
    """List the examples that come with the package, or copy one.

    \b
    trivium examples                     lists them
    trivium examples fuel_cycle study    copies fuel_cycle into the new folder study
    """  # noqa: D301, click's mark of a paragraph that keeps its lines
    shipped = _shipped()
    if name is None:
        _show_list(shipped, as_json=as_json)
        return
    if name not in shipped:
        raise InvalidValueError(f"There is no example {name}.{near_or_all(name, shipped)}", "name")
    if folder is None:
        raise click.UsageError(f"Where shall it be copied? Type: trivium examples {name} {name}")
    _copy(shipped[name], folder)
    files = sorted(str(folder / path.name) for path in folder.iterdir())
    text = f"{name} is in {folder}; read {folder / 'README.md'}"
    options.show(text, {"example": name, "folder": str(folder), "files": files}, as_json=as_json)


def _show_list(shipped: dict[str, Path], *, as_json: bool) -> None:
    descriptions = {name: _description(folder) for name, folder in shipped.items()}
    width = max(map(len, descriptions), default=0)
    lines = [f"{name:{width}}  {description}" for name, description in descriptions.items()]
    options.show("\n".join(lines), descriptions, as_json=as_json)


def _shipped() -> dict[str, Path]:
    """Return the folders of the examples by name."""
    from trivium import locations

    return {path.name: path for path in sorted(locations.examples().iterdir()) if (path / "README.md").is_file()}


def _description(folder: Path) -> str:
    """Return the title of an example's README."""
    with (folder / "README.md").open(encoding="utf-8") as file:
        return file.readline().strip("# \n")


def _copy(source: Path, folder: Path) -> None:
    """Copy an example into a new folder.

    Raises
    ------
    InvalidValueError
        When the folder holds something, or is an absolute path in a folder that does not exist.
    StorageError
        When it cannot be written.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InvalidValueError(f"{folder} exists already; name a new folder", "folder")
        if folder.is_absolute() and not folder.parent.is_dir():
            raise InvalidValueError(f"{folder} cannot be written: there is no folder {folder.parent}", "folder")
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    except (OSError, shutil.Error) as error:
        raise StorageError(f"{folder} cannot be written: {getattr(error, 'strerror', None) or error}") from error
