"""``trivium compile``: binaries for this platform from the C sources of an FMU."""

from __future__ import annotations

from pathlib import Path

import click

from trivium.cli import options
from trivium.cli.types import ExistingFile, Number


@click.command("compile")
@click.argument("fmu", type=ExistingFile(".fmu", "an FMU"), help="An FMU that brings C sources.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The FMU to write, a copy with binaries for this platform.  [default: the name with -compiled]",
)
@click.option(
    "--time-limit", type=Number(above=0), default=600.0, show_default=True, metavar="SECONDS",
    help="How long the compiler may take.",
)  # fmt: skip
@options.as_json
def compile_sources(fmu: Path, out: Path | None, time_limit: float, as_json: bool) -> None:
    """Compile the C sources of an FMU for this platform.

    The compiler is cc (or what CC names), else Zig's (the package ziglang). The sources become code that runs here:
    compile only FMUs that you trust.
    """
    from trivium.door.model_path import state_dir
    from trivium.model.fmu.building import compile_fmu

    target = out or fmu.with_name(f"{fmu.stem}-compiled.fmu")
    members = compile_fmu(fmu, target, state_dir() / "fmu", time_limit)
    options.show(
        f"written: {target}, with {' and '.join(members)}", {"fmu": str(target), "added": members}, as_json=as_json
    )
