"""Command line: ``adcc serve`` and ``adcc doctor``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from adcc.errors import AdccError, ResourcesError
from adcc.settings import Settings


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
    parser = argparse.ArgumentParser(prog="adcc", description="A data-centre cooling plant over HTTP.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    start = commands.add_parser(
        "serve", help="serve the REST API; HOST, PORT and ADCC_* of the environment are honoured"
    )
    what = start.add_mutually_exclusive_group()
    what.add_argument("--fmu", type=Path, metavar="FILE", help="serve an FMU alone: all its inputs are control inputs")
    what.add_argument("--resources", type=Path, metavar="FOLDER", help="serve the test case of a folder")
    start.add_argument("--host", help="address to listen on")
    start.add_argument("--port", help="port to listen on")
    check = commands.add_parser("doctor", help="check the installation by really stepping the plant")
    check.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    try:
        if options.command == "serve":
            _to_environment(options)
        settings = Settings.from_env()
        return serve(settings) if options.command == "serve" else doctor(settings, as_json=options.json)
    except AdccError as error:
        print(f"adcc: {error}", file=sys.stderr)
        return 1


def _to_environment(options: argparse.Namespace) -> None:
    """Put what was chosen into the environment, where all processes of the server find it.

    Raises
    ------
    ResourcesError
        When a file or folder does not exist.
    """
    if options.fmu is not None and not options.fmu.is_file():
        raise ResourcesError(f"there is no FMU {options.fmu}")
    if options.resources is not None and not options.resources.is_dir():
        raise ResourcesError(f"there is no folder {options.resources}")
    chosen = {"ADCC_RESOURCES": options.fmu or options.resources, "HOST": options.host, "PORT": options.port}
    os.environ.update({name: str(value) for name, value in chosen.items() if value is not None})


def serve(settings: Settings) -> int:
    """Serve until interrupted.

    Raises
    ------
    ResourcesError, StorageError
        When the test case's folder lacks something or the state directory cannot be written; nothing is started then.
    """
    from gunicorn.app.wsgiapp import WSGIApplication

    from adcc.core.history import History
    from adcc.core.resources import Resources

    Resources.load(settings.resources)
    History(settings.state_dir / "history", ["time"]).close()
    print(f"Loading the plant of {settings.resources} ...", flush=True)
    sys.argv = ["gunicorn", "--config", "python:adcc.web.server", "adcc.web.app:create_app()"]
    WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]", prog="adcc serve").run()
    return 0


def doctor(settings: Settings, *, as_json: bool = False) -> int:
    """Print what is installed and whether the plant can be stepped; see `adcc.doctor`.

    Returns
    -------
    int
        0 when it can be.
    """
    from adcc.doctor import report

    return report(settings, as_json=as_json, say=lambda line: print(line, flush=True))


if __name__ == "__main__":
    sys.exit(main())
