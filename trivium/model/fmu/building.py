"""Make the binary of an FMU that brings C sources: with the compiler of this machine, else with Zig's.

FMI 2.0 lists the sources in the model description, FMI 3.0 in ``sources/buildDescription.xml`` with their definitions;
FMI 1.0 says only that they are in ``sources``. The compiler works in a temporary folder, in a process group that is
killed when it takes too long. What it is given is the user's own code, which will run here anyway: so an FMU is
compiled when its owner types the command, and never because it was uploaded.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

from trivium.environment import child_environment, tool
from trivium.errors import InvalidValueError, ResourcesError, StorageError
from trivium.model.fmu.archive import binary_name, unpack
from trivium.model.fmu.description import read_model_description
from trivium.scratch import Scratch

#: How long a compiler may take [s].
PATIENCE = 600.0
#: Names of the standard's functions begin with them in a binary that stands alone, whatever a source defines.
_DEFINITIONS = ("FMI2_OVERRIDE_FUNCTION_PREFIX", "FMI3_OVERRIDE_FUNCTION_PREFIX")
#: What both compilers get; Zig's would else stop at what C leaves undefined.
_OPTIONS = ("-shared", "-fPIC", "-O2", "-w", "-fno-sanitize=undefined")
#: How much of a compiler's words a refusal shows [characters].
_SHOWN = 2000


@dataclass(frozen=True)
class Build:
    """How one binary of an FMU is made.

    Attributes
    ----------
    identifier : str
        Its model identifier.
    sources, folders : tuple of str
        Files, and folders of headers, below ``sources``.
    definitions, libraries : tuple of str
        For the preprocessor, and for the linker.
    language : str
        As FMI 3.0 names it: ``C99``, ``C++11``.
    """

    identifier: str
    sources: tuple[str, ...]
    folders: tuple[str, ...] = ()
    definitions: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    language: str = "C99"


def compile_fmu(fmu: Path, out: Path, cache: Path, patience: float = PATIENCE) -> list[str]:
    """Write a copy of an FMU with binaries for this platform.

    Parameters
    ----------
    fmu : Path
        The ``.fmu`` with sources.
    out : Path
        The ``.fmu`` to write; must not exist.
    cache : Path
        Where FMUs are unpacked.
    patience : float
        How long a compiler may take for each binary [s].

    Returns
    -------
    list of str
        The members that were added.

    Raises
    ------
    ResourcesError
        When the FMU has no sources, they do not compile, or there is no compiler.
    InvalidValueError
        When the file to write exists.
    StorageError
        When it cannot be written.
    """
    if out.exists():
        raise InvalidValueError(f"{out} exists already; name another file with --out", "out")
    directory = unpack(fmu, cache)
    description, version = read_model_description(directory, fmu.name)
    builds = list(dict.fromkeys(_builds(description, directory, fmu.name)))
    with Scratch() as folder:
        shutil.copytree(directory / "sources", folder / "sources")
        made = [(_compile(build, folder, fmu.name, patience), build) for build in builds]
        members = [binary_name(build.identifier, version) for _, build in made]
        try:
            _write(fmu, out, {member: path for member, (path, _) in zip(members, made, strict=True)})
        except OSError as error:
            raise StorageError(f"{out} cannot be written: {error.strerror or error}") from error
    return members


def _builds(description: Any, directory: Path, name: str) -> Iterator[Build]:
    """Yield how each binary is made."""
    sources = directory / "sources"
    identifiers = {
        entry.modelIdentifier for entry in (description.coSimulation, description.modelExchange) if entry is not None
    }
    configurations = [each for each in description.buildConfigurations if each.modelIdentifier in identifiers]
    if description.fmiVersion == "1.0" and sources.is_dir():
        for identifier in identifiers:
            # one file that includes all others is the usual form; else every file is compiled
            alone = sources / f"{identifier}.c"
            files = [alone] if alone.is_file() else sorted(sources.glob("*.c"))
            if files:
                yield Build(identifier, tuple(file.name for file in files))
                return
    if not configurations:
        has = "it has a folder sources, but does not say how they are built" if sources.is_dir() else "it has none"
        raise ResourcesError(f"{name} cannot be compiled: an FMU with C sources is needed, and {has}")
    for configuration in configurations:
        yield _build(configuration, directory, name)


def _build(configuration: Any, directory: Path, name: str) -> Build:
    sets = configuration.sourceFileSets
    files = tuple(file for each in sets for file in each.sourceFiles)
    folders = tuple(folder for each in sets for folder in each.includeDirectories)
    for member in (*files, *folders):
        path = PurePosixPath(member)
        if path.is_absolute() or ".." in path.parts or not (directory / "sources" / path).exists():
            raise ResourcesError(
                f"{name} cannot be compiled: its description names sources/{member}, which is not there"
            )
    files += tuple(part for file in files for part in _parts(directory / "sources", file) if part not in files)
    definitions = tuple(
        f"{each.name}={each.value}" if each.value else each.name
        for each in (each for source_set in sets for each in source_set.preprocessorDefinitions)
        if not each.optional
    )
    languages = {each.language for each in sets if each.language} or {"C99"}
    return Build(
        configuration.modelIdentifier,
        files,
        folders,
        definitions,
        _libraries(directory, configuration.modelIdentifier),
        max(languages, key=lambda language: "++" in language),
    )


def _parts(sources: Path, file: str) -> list[str]:
    """Return the parts of a long file, which OpenModelica writes beside it and does not list."""
    path = PurePosixPath(file)
    found = (sources / path).parent.glob(f"{path.stem}_part*{path.suffix}")
    return [str(path.with_name(part.name)) for part in sorted(found)]


def _libraries(directory: Path, identifier: str) -> tuple[str, ...]:
    """Return the libraries of the system that a binary of FMI 3.0 is linked with; FMPy does not read them."""
    from xml.etree import ElementTree

    path = directory / "sources" / "buildDescription.xml"
    if not path.is_file():
        return ()
    root = ElementTree.parse(path).getroot()  # noqa: S314  # nosec B314 - the sources are compiled and run anyway
    configurations = root.iterfind("BuildConfiguration")
    libraries = (
        library.get("name", "")
        for configuration in configurations
        if configuration.get("modelIdentifier") == identifier
        for library in configuration.iterfind("Library")
    )
    return tuple(name for name in libraries if name)


def _compile(build: Build, folder: Path, name: str, patience: float) -> Path:
    """Return the binary of a build, made in a folder that holds the sources."""
    import fmpy

    compiler = _compiler(cpp="++" in build.language or any(file.endswith((".cpp", ".cc")) for file in build.sources))
    binary = folder / f"{build.identifier}{Path(binary_name(build.identifier, '3.0')).suffix}"
    headers = Path(fmpy.__file__).parent / "c-code"
    includes = (folder / "sources", *(folder / "sources" / each for each in build.folders), headers)
    command = [
        *compiler,
        *_OPTIONS,
        *(["-Wl,-z,defs"] if sys.platform == "linux" else []),  # a function that nobody has is an error now, not later
        *(f"-D{definition}" for definition in (*_DEFINITIONS, *build.definitions)),
        *(f"-I{include}" for include in includes),
        *(str(folder / "sources" / file) for file in build.sources),
        "-o",
        str(binary),
        *(f"-l{library}" for library in build.libraries),
        "-lm",
    ]
    code, words = _run(command, folder, patience)
    if code is None:
        raise ResourcesError(f"{name} cannot be compiled: {compiler[0]} took longer than {patience:g} s and was killed")
    if code != 0 or not binary.is_file():
        raise ResourcesError(
            f"{name} cannot be compiled; {' '.join(compiler)} says:\n{words.strip().replace(f'{folder}/', '')[:_SHOWN]}"
        )
    return binary


def _compiler(*, cpp: bool) -> Sequence[str]:
    """Return the words that start a compiler.

    Raises
    ------
    ResourcesError
        When there is none.
    """
    variable, names, zig = ("CXX", ("c++", "g++", "clang++"), "c++") if cpp else ("CC", ("cc", "gcc", "clang"), "cc")
    chosen = tool(variable)
    if chosen:
        if shutil.which(chosen[0]) is None:
            raise ResourcesError(f"there is no compiler {chosen[0]}, which the variable {variable} names")
        return chosen
    for name in names:
        if (path := shutil.which(name)) is not None:
            return [path]
    if find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", zig]
    raise ResourcesError(
        f"there is no C compiler: none of {', '.join(names)} was found; install one, or the package ziglang"
    )


def _run(command: Sequence[str], folder: Path, patience: float) -> tuple[int | None, str]:
    """Run a compiler; return its exit code, None where it was killed, and what it wrote."""
    environment = child_environment(ZIG_LOCAL_CACHE_DIR=str(folder / "zig"), TMPDIR=str(folder), LC_ALL="C")
    with subprocess.Popen(  # noqa: S603 - the user's own compiler and sources
        command, cwd=folder, env=environment, text=True, errors="replace", start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        try:
            words, _ = process.communicate(timeout=patience)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            return None, ""
        return process.returncode, words


def _write(fmu: Path, out: Path, members: dict[str, Path]) -> None:
    """Copy an FMU with further members, which replace its own of the same names; all or nothing."""
    unfinished = out.with_name(f".{out.name}.unfinished")
    try:
        with zipfile.ZipFile(fmu) as source, zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as target:
            for member in source.infolist():
                if member.filename not in members:
                    target.writestr(member, source.read(member))
            for name, path in members.items():
                target.write(path, name)
        os.replace(unfinished, out)
    finally:
        unfinished.unlink(missing_ok=True)
