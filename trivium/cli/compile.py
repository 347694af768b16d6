"""``trivium compile``: an FMU for this platform, from the C sources of an FMU or from a Modelica model."""

from __future__ import annotations

from pathlib import Path

import click

from trivium.cli import options
from trivium.cli.types import ExistingFile, Number


@click.command("compile")
@click.argument(
    "fmu", type=ExistingFile(kind="an FMU or a .mo file"), help="An FMU that brings C sources, or a .mo file."
)
@click.option("--model", metavar="NAME", help="Full name of the model in a .mo file, as Package.Model.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The FMU to write.  [default: the name with -compiled, or of the model]",
)
@click.option(
    "--time-limit", type=Number(above=0), default=600.0, show_default=True, metavar="SECONDS",
    help="How long the compiler may take.",
)  # fmt: skip
@options.as_json
def compile_sources(fmu: Path, model: str | None, out: Path | None, time_limit: float, as_json: bool) -> None:
    """Compile the C sources of an FMU, or a Modelica model, for this platform.

    The compiler is cc (or what CC names), else Zig's (the package ziglang). The sources become code that runs here:
    compile only FMUs and models that you trust. A .mo file needs the extra modelica, and no OpenModelica.
    """
    from trivium.door.model_path import state_dir

    cache = state_dir() / "fmu"
    if fmu.suffix == ".mo":
        from trivium.model.modelica.build import build_fmu

        if model is None:
            raise click.UsageError(f"{fmu.name} needs the name of the model: --model Package.Model")
        target = out or fmu.with_name(f"{model}.fmu")
        added = build_fmu(fmu, model, target, cache, time_limit)
    else:
        from trivium.model.fmu.building import compile_fmu

        if model is not None:
            raise click.UsageError("--model belongs to a .mo file")
        target = out or fmu.with_name(f"{fmu.stem}-compiled.fmu")
        added = compile_fmu(fmu, target, cache, time_limit)
    tested = _tested(target, cache)
    options.show(
        f"written: {target}, with {' and '.join(added)}; {tested['tested']}",
        {"fmu": str(target), "added": added, **tested},
        as_json=as_json,
    )


def _tested(fmu: Path, cache: Path) -> dict[str, str]:
    """Return what an FMU does when it is tried, in processes that it may end: a sentence, and an error or nothing."""
    from trivium.model.fmu.fmu_model import Setup
    from trivium.model.fmu.qualification import qualify

    found = qualify(Setup(fmu, "fmpy"), cache)
    if found.error:
        return {"tested": f"it cannot be stepped as it is: {found.error}", "error": found.error}
    return {"tested": f"tested: it is stepped, and {found}", "error": ""}
