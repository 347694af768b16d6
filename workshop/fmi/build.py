"""Build an FMU: generate C, compile it for every platform with PyPI's `ziglang`, and pack.

``python -m workshop.fmi.build workshop.cooling_plant.plant:model Resources/AlphaDataCenterCooling_FMU.fmu``
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import subprocess
import sys
import tempfile
import uuid
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from workshop.fmi import macho
from workshop.fmi.codegen import generate
from workshop.fmi.description import describe
from workshop.fmi.equations import derive
from workshop.fmi.spec import Model

__all__ = ["TARGETS", "BuildError", "Target", "build", "load"]

_CSRC = Path(__file__).with_name("csrc")
_FLAGS = (
    "-std=c11", "-O3", "-shared", "-fPIC", "-fvisibility=hidden", "-ffp-contract=off", "-fno-math-errno",
    "-fno-sanitize=undefined", "-ffunction-sections", "-fdata-sections", "-Wall", "-Wextra", "-Wno-unused-parameter",
    "-Wno-unused-but-set-variable",
)  # fmt: skip


class BuildError(RuntimeError):
    """The compiler refused; the message holds what it said."""


@dataclass(frozen=True)
class Target:
    """A platform of the FMU.

    Parameters
    ----------
    folder : str
        Folder under ``binaries``.
    extension : str
        Of the shared library.
    triples : tuple of str
        Targets of zig; more than one makes a universal (fat) Mach-O library.
    flags : tuple of str
        Linker flags.
    """

    folder: str
    extension: str
    triples: tuple[str, ...]
    flags: tuple[str, ...] = ()


TARGETS: Mapping[str, Target] = {
    "linux64": Target("linux64", ".so", ("x86_64-linux-gnu.2.17",), ("-lm", "-s", "-Wl,--gc-sections")),
    "aarch64-linux": Target("aarch64-linux", ".so", ("aarch64-linux-gnu.2.17",), ("-lm", "-s", "-Wl,--gc-sections")),
    "win64": Target("win64", ".dll", ("x86_64-windows-gnu",), ("-s",)),
    "darwin64": Target("darwin64", ".dylib", ("x86_64-macos.11.0", "aarch64-macos.11.0"), ("-s",)),
}
"""Platforms by name. FMI 2.0 has no name for Linux on ARM: ``aarch64-linux`` is the one of FMI 3.0."""


def build(model: Model, out_path: str | os.PathLike[str], targets: Iterable[str] = tuple(TARGETS)) -> Path:
    """Build the FMU of a model.

    The same model, sources, compiler version and targets give the same bytes.

    Parameters
    ----------
    model : Model
        The plant.
    out_path : path
        Where the ``.fmu`` goes; the folder must exist. An existing file is replaced only when all went well.
    targets : iterable of str
        Names in `TARGETS`.

    Returns
    -------
    Path
        `out_path`.

    Raises
    ------
    ValueError
        For an unknown target or a model that cannot be generated.
    BuildError
        When a compilation fails.
    """
    names = tuple(dict.fromkeys(targets))
    if unknown := [name for name in names if name not in TARGETS]:
        raise ValueError(f"unknown targets {unknown}; known: {sorted(TARGETS)}")
    equations = derive(model)
    sources = _library(model) | generate(model, equations)
    files = sorted(name for name in sources if name.endswith(".c"))
    guid = _guid([describe(model, equations, "", files), *(f"{name}\n{sources[name]}" for name in sorted(sources))])
    sources["model_guid.h"] = f'/* Generated. */\n#define MODEL_GUID "{guid}"\n'
    sources = dict(sorted(sources.items()))

    content = {"modelDescription.xml": describe(model, equations, guid, files).encode()}
    content.update({f"sources/{name}": text.encode() for name, text in sources.items()})
    images = _compile_all(sources, [TARGETS[name] for name in names], model.name)
    content.update({f"binaries/{target.folder}/{model.name}{target.extension}": image for target, image in images})
    out = Path(out_path)
    _pack(content, out)
    return out


def _library(model: Model) -> dict[str, str]:
    """C files by name that are the same for every model of this class: the common ones and those of its integrator."""
    folders = (_CSRC, _CSRC / "headers", _CSRC / ("stiff" if model.pulses is None else "pulsed"))
    return {path.name: path.read_text(encoding="utf-8") for folder in folders for path in sorted(folder.glob("*.[ch]"))}


def _guid(texts: Iterable[str]) -> str:
    """GUID from the content, so that the same sources give the same GUID."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(hashlib.sha256(text.encode()).digest())
    return "{" + str(uuid.UUID(bytes=digest.digest()[:16])) + "}"


def _compile_all(sources: Mapping[str, str], targets: Sequence[Target], name: str) -> list[tuple[Target, bytes]]:
    """Compile for every target, as many at a time as there are processors."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        pending = [
            (target, [pool.submit(_compile, sources, triple, f"{name}{target.extension}", target.flags)
                      for triple in target.triples])
            for target in targets
        ]  # fmt: skip
        results = [(target, [future.result() for future in futures]) for target, futures in pending]
    return [(target, images[0] if len(images) == 1 else macho.universal(images)) for target, images in results]


def _compile(sources: Mapping[str, str], triple: str, library: str, flags: Sequence[str]) -> bytes:
    """Compile the sources to a shared library and return its bytes."""
    with tempfile.TemporaryDirectory() as directory:
        for file, text in sources.items():
            (Path(directory) / file).write_text(text, encoding="utf-8")
        units = sorted(file for file in sources if file.endswith(".c"))
        # relative paths in a fresh folder: nothing of this machine gets into the library
        command = [
            sys.executable,
            "-m",
            "ziglang",
            "cc",
            "-target",
            triple,
            *_FLAGS,
            "-I.",
            *units,
            "-o",
            library,
            *flags,
        ]
        result = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise BuildError(f"compilation for {triple} failed:\n{result.stderr}")
        return (Path(directory) / library).read_bytes()


def _pack(content: Mapping[str, bytes], out: Path) -> None:
    """Write a zip whose bytes depend on the content alone: sorted, with one fixed date."""
    temporary = out.with_name(out.name + ".part")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name in sorted(content, key=lambda name: (name != "modelDescription.xml", name)):
                info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                info.create_system = 3
                info.external_attr = (0o755 if name.startswith("binaries/") else 0o644) << 16
                archive.writestr(info, content[name])
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)


def load(reference: str) -> Model:
    """Call ``module:function`` and check that it gives a model."""
    module, _, function = reference.partition(":")
    if not module or not function:
        raise ValueError(f"{reference!r} is not of the form module:function")
    model = getattr(importlib.import_module(module), function)()
    if not isinstance(model, Model):
        raise ValueError(f"{reference} returned {type(model).__name__}, not a Model")
    return model


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m workshop.fmi.build", description="Build an FMU from a model.")
    parser.add_argument("model", help="module:function that returns a workshop.fmi.spec.Model")
    parser.add_argument("out", type=Path, help="path of the .fmu to write")
    parser.add_argument("--targets", nargs="+", choices=sorted(TARGETS), default=list(TARGETS))
    options = parser.parse_args(arguments)
    path = build(load(options.model), options.out, options.targets)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {', '.join(options.targets)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
