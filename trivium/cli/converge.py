"""``trivium converge``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from trivium.cli import options
from trivium.cli.exits import INTERRUPTED, NOT_CONVERGED
from trivium.cli.types import CaseFile, Name, Number, Whole


@click.command()
@click.argument("case", type=CaseFile(), help="A case: a JSON file, or a folder with a case.json (docs/coupling.md).")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Folder for the results.  [default: beside the case]",
)
@click.option(
    "--method",
    type=Name(["constant", "aitken", "anderson", "iqn-ils", "newton-krylov"]),
    help="How the next iterate is made.  [default: the case's]",
)
@click.option(
    "--alpha",
    type=Number(above=0, at_most=1),
    help="Damping factor; without --method it means constant damping.  [default: the case's]",
)
@click.option(
    "--tolerance",
    type=Number(above=0),
    help="Relative tolerance of variables that have none of their own.  [default: the case's]",
)
@click.option("--max-iterations", type=Whole(1, 10**6), metavar="N", help="[default: the case's, or 20]")
@click.option(
    "--depth", type=Whole(1, 1000), metavar="N", help="Most earlier iterates that are used.  [default: the case's]"
)
@click.option(
    "--patience",
    type=Whole(2, 10**6),
    metavar="N",
    help="Iterations without progress after which another method is tried.  [default: the case's]",
)
@click.option("--scheme", type=Name(["gauss-seidel", "jacobi"]), help="Order of the components.  [default: the case's]")
@click.option("--no-cache", is_flag=True, help="Evaluate every component, even where its result is known.")
@click.option(
    "--accept-changes", is_flag=True, help="Go on with the run in the folder, though its case or models have changed."
)
@options.as_json
@click.pass_context
def converge(
    context: click.Context,
    case: Path,
    out: Path | None,
    method: str | None,
    alpha: float | None,
    tolerance: float | None,
    max_iterations: int | None,
    depth: int | None,
    patience: int | None,
    scheme: str | None,
    no_cache: bool,
    accept_changes: bool,
    as_json: bool,
) -> None:
    """Run models that feed each other until their values no longer change.

    The same command again goes on where an interrupted one stopped.
    """
    from trivium.coupling import report
    from trivium.coupling.run import run_case
    from trivium.coupling.spec import load_case

    loaded = load_case(case).with_settings(
        method=method,
        alpha=alpha,
        tolerance=tolerance,
        max_iterations=max_iterations,
        depth=depth,
        patience=patience,
        scheme=scheme,
    )
    folder = out or case.with_name(f"{case.stem}-results")
    table = report.Table(options.note if as_json else click.echo)
    try:
        problem, result, files = run_case(
            loaded,
            case.parent,
            folder,
            options.settings(),
            table.add,
            options.note,
            cached=not no_cache,
            accept_changes=accept_changes,
        )
    except KeyboardInterrupt:
        options.note(f"\ninterrupted; the iterations are kept in {folder}, and the same command goes on from there")
        context.exit(INTERRUPTED)
    if as_json:
        click.echo(json.dumps(report.summary(problem, result), indent=2, allow_nan=False))
    else:
        for name, text in ((name, component.note) for name, component in problem.components.items() if component.note):
            click.echo(f"{name}: {text}")
        click.echo(f"{result.ending}: {result.reason}")
        click.echo(f"results in {folder}: {', '.join(files)}")
    context.exit(0 if result.converged else NOT_CONVERGED)
