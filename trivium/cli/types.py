"""Types of options and arguments, with messages that say what to type instead."""

from __future__ import annotations

import json
import math
import os
import zipfile
from pathlib import Path
from typing import Any

import click

from trivium.suggestions import did_you_mean, nearest


class Number(click.ParamType[float]):
    """A finite number.

    Parameters
    ----------
    above, at_least, at_most : float, optional
        Bounds; ``above`` is excluded, the others are included.
    """

    name = "number"

    def __init__(
        self, *, above: float | None = None, at_least: float | None = None, at_most: float | None = None
    ) -> None:
        self._above, self._least, self._most = above, at_least, at_most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; fail with the rule that it breaks."""
        try:
            number = float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number.", param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        if self._above is not None and number <= self._above:
            self.fail(f"{number:g} is not greater than {self._above:g}.", param, ctx)
        if self._least is not None and number < self._least:
            self.fail(f"{number:g} is less than {self._least:g}.", param, ctx)
        if self._most is not None and number > self._most:
            self.fail(f"{number:g} is greater than {self._most:g}.", param, ctx)
        return number


class Whole(click.ParamType[int]):
    """A whole number within bounds, both included."""

    name = "integer"

    def __init__(self, least: int, maximum: int | None = None) -> None:
        self._least, self._most = least, maximum

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; fail with the range that it must be in."""
        try:
            number = int(value)
        except ValueError:
            self.fail(f"{value!r} is not a whole number{self._range()}.", param, ctx)
        if number < self._least or (self._most is not None and number > self._most):
            self.fail(f"{number} is not a whole number{self._range()}.", param, ctx)
        return number

    def _range(self) -> str:
        return f" of at least {self._least}" if self._most is None else f" from {self._least} to {self._most}"


class Name(click.Choice[str]):
    """One of some names; a misspelt one gets a suggestion."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Return what is wrong with a name."""
        names = self._normalized_mapping(ctx).values()
        return f"{value!r} is not one of {', '.join(names)}.{did_you_mean(str(value), names)}"


class ExistingFile(click.Path):
    """A file that exists.

    Parameters
    ----------
    suffix : str
        Of such files, for suggestions; empty for any.
    kind : str
        What the file is, with its article: ``an FMU``.
    instead : str
        What to type where a folder is named that has such files; ``{}`` stands for the folder. Default: the files.
    """

    def __init__(self, suffix: str = "", kind: str = "a file", instead: str = "") -> None:
        super().__init__(path_type=Path)
        self._suffix, self._kind, self._instead = suffix, kind, instead

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path; fail with a suggestion where there is no such file."""
        from trivium import locations

        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if path.is_dir():
            self.fail(f"{path} is a folder, not {self._kind}.{self._inside(path)}", param, ctx)
        if not path.exists() and self._suffix == ".fmu" and str(path) in locations.TESTCASES:
            instead = f"Use: {self._instead.format(path)}" if self._instead else "To run it: trivium step --to SECONDS"
            self.fail(f"{path} is a test case that comes with the package, not {self._kind}. {instead}", param, ctx)
        if not path.exists():
            self.fail(f"There is no file {path}.{_near(path, self._suffix)}", param, ctx)
        if self._suffix == ".fmu" and path.suffix != ".fmu" and not zipfile.is_zipfile(path):
            self.fail(f"{path} is not {self._kind}.{command_for(path)}", param, ctx)
        return path

    def _inside(self, folder: Path) -> str:
        files = sorted(folder.glob(f"*{self._suffix}")) if self._suffix else []
        if not files:
            return ""
        if self._instead:
            return f" Use: {self._instead.format(folder)}"
        return f" Name a file in it: {', '.join(map(str, files[:3]))}"


class TestCaseFolder(click.Path):
    """The folder of a test case, or the name of one that comes with the package."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path; fail with a suggestion where there is no such folder."""
        from trivium import locations

        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if str(path) in locations.TESTCASES:
            return locations.shipped_testcase(str(path))
        if path.is_file():
            instead = f" Use: --fmu {path}" if path.suffix == ".fmu" else command_for(path)
            self.fail(f"{path} is a file, not a folder.{instead}", param, ctx)
        if not path.exists():
            self.fail(f"There is no folder {path}.{_near(path, '')}", param, ctx)
        return path


class Assignment(click.ParamType[tuple[str, str]]):
    """``NAME=VALUE``; a name may hold equality signs itself."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return name and value."""
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).rpartition("=")
        if not (equals and name and text):
            self.fail(f"{value!r} is not of the form NAME=VALUE.", param, ctx)
        return name, text


def command_for(path: Path) -> str:
    """Return the command that takes a study or a coupled case, with a space before it; empty for other files."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig")) if path.suffix == ".json" else None
    except (OSError, ValueError):
        return ""
    if not isinstance(content, dict):
        return ""
    if "components" in content:
        return f" It is a coupled case. Use: trivium converge {path}"
    return f" It is a study. Use: trivium sweep {path}" if "paths" in content or "simulation" in content else ""


def _near(path: Path, suffix: str) -> str:
    """Return a suggestion of a path in the same folder; names are compared without the suffix that they share."""
    parent = path.parent
    if not parent.is_dir():
        return f" There is no folder {parent} either."
    names = {file.name.removesuffix(path.suffix): file for file in parent.glob(f"*{suffix}")}
    near = [str(names[name]) for name in nearest(path.name.removesuffix(path.suffix), names)]
    return f" Did you mean {' or '.join(near)}?" if near else ""


class _Document(click.Path):
    """A JSON file that describes what is to be run; an FMU or a folder in its place gets the words to type instead."""

    kind, fmu_belongs = "", ""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path of the file."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if path.is_dir():
            return self.from_folder(path, param, ctx)
        if not path.exists():
            self.fail(f"There is no file {path}.{_near(path, '')}", param, ctx)
        if path.suffix == ".fmu":
            self.fail(
                f"{path} is an FMU, not {self.kind}. {self.fmu_belongs} To run it once: trivium simulate {path}",
                param,
                ctx,
            )
        return path

    def from_folder(self, folder: Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the file of a folder, or fail."""
        raise NotImplementedError


class StudyFile(_Document):
    """A study of a sweep."""

    kind = "a study"
    fmu_belongs = "A study names its FMU as paths.package_path (docs/sweep.md)."

    def from_folder(self, folder: Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Fail with the studies that the folder has."""
        if (folder / "study.sqlite").is_file():
            hint = f" It holds the results of a sweep: trivium sweep report {folder}"
        elif (folder / "case.json").is_file():
            hint = f" It holds a coupled case: trivium converge {folder}"
        else:
            studies = sorted(map(str, folder.glob("*.json")))
            hint = f" Name a study in it: {', '.join(studies[:5])}" if studies else " It holds no study."
        raise click.BadParameter(f"{folder} is a folder, not a study.{hint}", ctx, param)


class CaseFile(_Document):
    """A coupled case."""

    kind = "a case"
    fmu_belongs = "A case names an FMU as the path of a component of the kind fmu (docs/coupling.md)."

    def from_folder(self, folder: Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the folder's case.json, or fail with what the folder has."""
        if (folder / "case.json").is_file():
            return folder / "case.json"
        from trivium.coupling.folders import describe

        hint = describe(folder) or "For a case to begin with: trivium examples datacenter_grid datacenter_grid"
        raise click.BadParameter(f"The folder {folder} has no case.json. {hint}", ctx, param)
