"""The command line; docs/cli.md has what ``--help`` says of every command."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType

from trivium import __version__
from trivium.core.numbers import parse_number
from trivium.errors import ResourcesError, SettingsError, TriviumError
from trivium.session.local import open_testcase
from trivium.settings import Settings

#: Commands that begin like another one.
_TWO_WORDS = (("sweep", "report"), ("sweep", "export"))


_EXAMPLES = """\
examples:
  trivium serve                                      the plant on http://localhost:5000, with a page at /dashboard
  trivium serve --fmu tank.fmu                       an FMU of your own
  trivium step --to 604800 --out week.parquet        a week under the rule book, with plots
  trivium sweep study.json --dry-run                 what a study would take
  trivium converge examples/og_clews/case.json       an energy system and a macro-economy
  trivium COMMAND --help                             what a command takes

Settings are variables of the environment (docs/settings.md). A command ends with 0; with 1 and a sentence
when something is wrong; with 2 when it was called wrongly; with 3 when runs failed or nothing converged."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those of the process.

    Returns
    -------
    int
        Exit code.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if tuple(words[:2]) in _TWO_WORDS:  # beside `trivium sweep STUDY.json`, which takes any file
        words[:2] = [" ".join(words[:2])]
    options = make_parser().parse_args(words)
    try:
        settings = _settings(options)
        run: Callable[[Settings, argparse.Namespace], int] = options.run
        return run(settings, options)
    except TriviumError as error:
        print(f"trivium: {error}", file=sys.stderr)
        return 1


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="trivium",
        description="A model, and three ways to run it: step it, sweep it, converge it with others.\n"
        "The model is any FMU; the one that comes with the package is a data-centre cooling plant.",
        epilog=_EXAMPLES,
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, max_help_position=16, width=110),
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, title="commands", metavar="COMMAND")
    told = argparse.ArgumentParser(add_help=False)
    told.add_argument("--json", action="store_true", help="print JSON")
    what = argparse.ArgumentParser(add_help=False)
    chosen = what.add_mutually_exclusive_group()
    chosen.add_argument("--fmu", type=Path, metavar="FILE", help="an FMU alone: all its inputs are control inputs")
    chosen.add_argument("--resources", type=Path, metavar="FOLDER", help="the test case of a folder")

    about = "serve the REST API; HOST, PORT and TRIVIUM_* of the environment are honoured"
    start = commands.add_parser("serve", parents=[what], help=about)
    start.add_argument("--host", help="address to listen on")
    start.add_argument("--port", help="port to listen on")
    start.set_defaults(run=serve)

    about = "simulate from a time to a time under a controller, without a server"
    test = commands.add_parser("step", parents=[what, told], help=about)
    test.add_argument("--from", dest="start", default="0", metavar="SECONDS", help="start (default: 0)")
    test.add_argument("--to", dest="end", required=True, metavar="SECONDS", help="end")
    test.add_argument("--controller", default="rules", help="rules (default), look-ahead, or hold: change nothing")
    test.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=".parquet, .h5 or .csv; a plot sheet is put beside it as .png and .html",
    )
    test.set_defaults(run=step)

    about = "compare controllers by their key performance indicators over time periods"
    rivals = commands.add_parser("compare", parents=[what, told], help=about)
    rivals.add_argument(
        "controllers",
        nargs="*",
        metavar="CONTROLLER",
        default=["rules", "look-ahead"],
        help="default: rules look-ahead",
    )
    rivals.add_argument("--period", action="append", default=[], help="may be given several times (default: all)")
    rivals.add_argument("--days", type=float, help="how much of each period (default: all of it)")
    rivals.add_argument("--price", metavar="NAME", help="electricity price: constant, dynamic or highly_dynamic")
    rivals.add_argument("--uncertainty", metavar="LEVEL", help="error of forecast temperatures: low, medium or high")
    rivals.add_argument("--seed", help="of the forecast errors")
    rivals.set_defaults(run=compare)

    about = "run a model many times with other parameters; goes on where it was interrupted"
    study = commands.add_parser("sweep", parents=[told], help=about)
    study.add_argument("study", type=Path, nargs="?", help="a study as JSON; docs/sweep.md has the form")
    study.add_argument("--out", type=Path, metavar="DIR", help="folder of the results (default: the study's name)")
    study.add_argument("--dry-run", action="store_true", help="check, and tell runs, time, memory and disk")
    study.add_argument(
        "--scheduler", metavar="ADDRESS", help="of Dask, as tcp://host:8786 (default: TRIVIUM_SCHEDULER)"
    )
    study.add_argument("--workers", type=int, metavar="N", help="processes of this machine (default: one a core)")
    study.add_argument("--no-cache", action="store_true", help="neither take runs from the cache nor keep them there")
    study.add_argument("--cache-size", type=float, default=4.0, metavar="GB", help="most that the cache holds")
    study.add_argument("--cache-info", action="store_true", help="tell what the cache holds")
    study.add_argument("--cache-clear", action="store_true", help="forget what the cache holds")
    study.set_defaults(run=sweep)

    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("study", type=Path, help="folder of the results, or the study that made them")
    about = "make a page with plots about the results of a study"
    page = commands.add_parser("sweep report", parents=[where, told], help=about)
    page.add_argument("--out", type=Path, metavar="FILE", help="default: report.html in the folder")
    page.set_defaults(run=sweep_report)
    about = "write runs of a study as a file for other tools"
    table = commands.add_parser("sweep export", parents=[where, told], help=about)
    table.add_argument("out", type=Path, help=".parquet, .h5, .csv or .mat")
    table.add_argument(
        "--select",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="runs whose parameter or metric is so: a value, values a,b,c or a range a:b; may be given several times",
    )
    table.add_argument("--trajectories", action="store_true", help="a row an output point (a .mat always has them)")
    table.set_defaults(run=sweep_export)

    about = "run models that feed each other to a fixed point; goes on where it was interrupted"
    coupled = commands.add_parser("converge", parents=[told], help=about)
    coupled.add_argument("case", type=Path, help="a case as JSON, or the folder of a case.json; docs/coupling.md")
    coupled.add_argument("--out", type=Path, metavar="DIR", help="folder of the results (default: beside the case)")
    coupled.add_argument("--method", choices=["constant", "aitken", "anderson", "iqn-ils"], help="default: the case's")
    coupled.add_argument("--alpha", type=float, help="in (0, 1]; without --method it means constant damping")
    coupled.add_argument("--tolerance", type=float, help="relative, of variables that have none of their own")
    coupled.add_argument("--max-iterations", type=int, metavar="N", help="default: the case's, or 20")
    coupled.add_argument("--scheme", choices=["gauss-seidel", "jacobi"], help="default: the case's")
    coupled.add_argument("--no-cache", action="store_true", help="evaluate every component, whatever is known of it")
    coupled.set_defaults(run=converge)

    about = "run the jobs that were submitted over HTTP; a server starts such a worker itself"
    labourer = commands.add_parser("worker", parents=[what], help=about)
    labourer.add_argument("--jobs", metavar="N", help="how many at a time (default: TRIVIUM_WORKER_JOBS)")
    labourer.set_defaults(run=worker)

    about = "who may call a server that asks for tokens: add, list, remove"
    tokens = commands.add_parser("token", help=about)
    deed = tokens.add_subparsers(required=True, metavar="ACTION")
    file = argparse.ArgumentParser(add_help=False)
    file.add_argument("--file", type=Path, metavar="FILE", help="of the tokens (default: TRIVIUM_TOKENS)")
    added = deed.add_parser("add", parents=[file, told], help="make a token and print it; it is shown this once")
    added.add_argument("name", help="who has it; stands in the log")
    added.add_argument(
        "--scopes", default="read,control,jobs", help="of read, control, jobs, admin (default: %(default)s)"
    )
    added.add_argument("--rate", type=int, metavar="N", help="most requests a second (default: TRIVIUM_RATE)")
    added.set_defaults(run=token, action="add")
    listed = deed.add_parser("list", parents=[file, told], help="print names and scopes")
    listed.set_defaults(run=token, action="list")
    removed = deed.add_parser("remove", parents=[file, told], help="forget a token; running servers do so at once")
    removed.add_argument("name")
    removed.set_defaults(run=token, action="remove")

    about = "write sessions and jobs into a file; a server may run meanwhile"
    kept = commands.add_parser("backup", parents=[told], help=about)
    kept.add_argument("file", type=Path, help="a .tar")
    kept.set_defaults(run=backup)
    about = "make a state directory (TRIVIUM_STATE_DIR) from such a file"
    back = commands.add_parser("restore", parents=[told], help=about)
    back.add_argument("file", type=Path)
    back.set_defaults(run=restore)

    shell = commands.add_parser("completion", help="print what completes these commands in a shell")
    shell.add_argument("shell", choices=("bash", "zsh", "tcsh"), help='in bash: eval "$(trivium completion bash)"')
    shell.set_defaults(run=completion)

    check = commands.add_parser("doctor", parents=[told], help="check the installation by really stepping the plant")
    check.set_defaults(run=doctor)
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    """Return the settings: options, then variables of the environment.

    Raises
    ------
    ResourcesError
        When a file or folder does not exist.
    """
    given = ("fmu", "resources", "host", "port", "jobs")
    fmu, folder, host, port, jobs = (getattr(options, name, None) for name in given)
    if fmu is not None and not fmu.is_file():
        raise ResourcesError(f"there is no FMU {fmu}")
    if folder is not None and not folder.is_dir():
        raise ResourcesError(f"there is no folder {folder}")
    return Settings(resources=fmu or folder, host=host, port=port, worker_jobs=jobs)


def serve(settings: Settings, _: argparse.Namespace) -> int:
    """Serve until interrupted; see `trivium.web.server.serve`."""
    from trivium.web import server

    server.serve(settings)
    return 0


def step(settings: Settings, options: argparse.Namespace) -> int:
    """Simulate under a controller; see `trivium.control.commands.step`."""
    from trivium.control import commands
    from trivium.core.resources import Resources

    start, end = parse_number(options.start, "--from"), parse_number(options.end, "--to")
    say = partial(print, file=sys.stderr)
    with contextlib.closing(open_testcase(settings.resources, settings.state_dir)) as case:
        resources = Resources.load(settings.resources)
        found = commands.step(case, resources, options.controller, start, end, options.out, say)
        about = case.evaluation.about
    if options.json:
        print(commands.as_json(found))
        return 0
    for name, value in found.items():
        if value is not None:
            unit, description = about.get(name, ("", ""))
            print(f"{name:24}{value:>16.6g} {unit:10}{description}")
    return 0


def compare(settings: Settings, options: argparse.Namespace) -> int:
    """Compare controllers; see `trivium.control.commands.compare`."""
    from trivium.control import commands

    given = {
        "electricity_price": options.price, "temperature_uncertainty": options.uncertainty, "seed": options.seed,
    }  # fmt: skip
    with contextlib.closing(open_testcase(settings.resources, settings.state_dir)) as case:
        found = commands.compare(case, options.controllers, options.period, options.days, given)
    print(commands.as_json(found) if options.json else commands.table(found))
    return 0


def sweep(settings: Settings, options: argparse.Namespace) -> int:
    """Run a study; see `trivium.sweep.commands.sweep`."""
    return int(_of_sweeps().sweep(settings, options, partial(print, flush=True)))


def sweep_report(_: Settings, options: argparse.Namespace) -> int:
    """Make a page about results; see `trivium.sweep.commands.report`."""
    return int(_of_sweeps().report(options, print))


def sweep_export(_: Settings, options: argparse.Namespace) -> int:
    """Write results for other tools; see `trivium.sweep.commands.export`."""
    return int(_of_sweeps().export(options, print))


def _of_sweeps() -> ModuleType:
    """Return the commands of sweeps, which an extra brings."""
    from trivium.core.export import require

    for module in ("numba", "pydantic", "distributed"):
        require(module, "sweep")
    from trivium.sweep import commands

    return commands


def converge(settings: Settings, options: argparse.Namespace) -> int:
    """Run a coupled case; see `trivium.coupling.commands.converge`."""
    from trivium.coupling import commands

    say = partial(print, flush=True)
    return commands.converge(settings, options, say, partial(say, file=sys.stderr))


def worker(settings: Settings, _: argparse.Namespace) -> int:
    """Run jobs until interrupted; see `trivium.jobs.keeper.keep`."""
    from trivium.jobs.keeper import keep

    keep(settings)
    return 0


def token(settings: Settings, options: argparse.Namespace) -> int:
    """Make, list and remove tokens.

    Raises
    ------
    TriviumError
        When the file cannot be read or written, or the name is taken or unknown.
    """
    from trivium.web import tokens

    path = options.file or settings.tokens
    if not isinstance(path, Path):
        raise SettingsError("Which file? Name it with --file, or set TRIVIUM_TOKENS.")
    known = tokens.create(path) if options.action == "add" else tokens.Tokens(path)
    if options.action == "add":
        text = known.add(options.name, options.scopes.split(","), options.rate)
        _tell(options, text, {"name": options.name, "token": text})
    elif options.action == "remove":
        known.remove(options.name)
        _tell(options, f"{options.name} is forgotten", {"removed": options.name})
    else:
        rows = (f"{one.name}\t{','.join(one.scopes)}\t{f'{one.rate}/s' if one.rate else ''}" for one in known.all())
        listed = [one.model_dump(include={"name", "scopes", "rate"}) for one in known.all()]
        _tell(options, "\n".join(rows), listed)
    return 0


def _tell(options: argparse.Namespace, text: str, figures: object) -> None:
    """Say something to people, or the same as JSON."""
    print(json.dumps(figures) if options.json else text)


def backup(settings: Settings, options: argparse.Namespace) -> int:
    """Write sessions and jobs into a file; see `trivium.backup`."""
    from trivium.backup import backup

    sessions = backup(settings.state_dir, options.file)
    size = options.file.stat().st_size
    figures = {"file": str(options.file), "sessions": sessions, "bytes": size}
    _tell(options, f"{options.file}: {sessions} sessions, {size / 1e6:.1f} MB", figures)
    return 0


def restore(settings: Settings, options: argparse.Namespace) -> int:
    """Make a state directory from a file; see `trivium.backup`."""
    from trivium.backup import restore

    restore(options.file, settings.state_dir)
    where = str(settings.state_dir)
    _tell(options, f"{where} is ready; start the server over it", {"state_dir": where})
    return 0


def completion(_: Settings, options: argparse.Namespace) -> int:
    """Print a script for a shell."""
    import shtab

    print(shtab.complete(make_parser(), options.shell))
    return 0


def doctor(settings: Settings, options: argparse.Namespace) -> int:
    """Print what is installed and whether the plant can be stepped; see `trivium.doctor`.

    Returns
    -------
    int
        0 when it can be.
    """
    from trivium.doctor import report

    return report(settings, as_json=options.json, say=lambda line: print(line, flush=True))


if __name__ == "__main__":
    sys.exit(main())
