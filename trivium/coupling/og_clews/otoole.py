"""Cases as otoole keeps them: a folder or a data package of CSV files, and a ``config.yaml`` with the defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from trivium.coupling import tables
from trivium.coupling.og_clews.mathdata import Declarations, word
from trivium.document import read_document
from trivium.errors import InvalidValueError
from trivium.extras import require

PACKAGE = "datapackage.json"


def is_case(path: Path) -> bool:
    """Return whether a path is a folder of a case, or a data package."""
    return path.name == PACKAGE or (path.is_dir() and (path / "YEAR.csv").is_file())


def data_text(path: Path, config: Path, declared: Declarations) -> str:
    """Return a case as data of GNU MathProg, for the sets and parameters that a model declares.

    Parameters
    ----------
    path : Path
        The folder of the CSV files, or the data package.
    config : Path
        otoole's configuration.
    declared : Declarations

    Raises
    ------
    InvalidValueError
        Naming the file that is wrong.
    """
    files = _files(path)
    return "\n".join([*_statements(files, _configured(config), declared), "end;", ""])


def _configured(config: Path) -> Mapping[str, Any]:
    require("yaml", "ogclews")
    import yaml  # type: ignore[import-untyped]

    try:
        content = yaml.safe_load(config.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidValueError(f"config: {config} cannot be read: {error}", "config") from error
    if not isinstance(content, dict) or not all(isinstance(entry, dict) for entry in content.values()):
        raise InvalidValueError(f"config: {config} is no configuration of otoole", "config")
    return content


def _files(path: Path) -> dict[str, Path]:
    if path.name != PACKAGE:
        return {file.stem: file for file in sorted(path.glob("*.csv"))}
    content = read_document(path, "data")
    return {each["name"]: path.parent / each["path"] for each in content.get("resources", []) if "path" in each}


def _statements(files: Mapping[str, Path], config: Mapping[str, Any], declared: Declarations) -> Iterator[str]:
    sets = set(declared.sets.values())
    for name, entry in config.items():
        if entry.get("type") == "set" and name in sets | {"STORAGE", "SEASON", "DAYTYPE", "DAILYTIMEBRACKET"}:
            members = pd.read_csv(files[name], dtype=str)["VALUE"] if name in files else []
            yield f"set {name} := {' '.join(map(word, members))};"
        elif entry.get("type") == "param" and name in declared.parameters:
            default = "" if name in declared.settled else f" default {float(entry.get('default', 0)):.15g}"
            rows = _rows(files[name], declared.parameters[name]) if name in files else ""
            yield f"param {name}{default} :=\n{rows}\n;"


def _rows(path: Path, dims: tuple[str, ...]) -> str:
    frame = pd.read_csv(path)
    if frame.empty:  # otoole writes a header where everything is the default
        return ""
    table = tables.normalise(frame, path.name)
    missing = [dim for dim in dims if dim not in table.columns]
    if missing:
        raise InvalidValueError(f"{path.name} has no column {missing[0]}", path.name)
    columns = [table[dim].map(word) for dim in dims] + [table["VALUE"].map("{:.15g}".format)]
    return "\n".join(map(" ".join, zip(*columns, strict=True)))
