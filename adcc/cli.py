"""Command line: ``adcc serve`` and ``adcc doctor``."""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import shutil
import sys
from collections.abc import Sequence

from adcc.errors import AdccError
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
    commands.add_parser("serve", help="serve the REST API; HOST, PORT and ADCC_* of the environment are honoured")
    commands.add_parser("doctor", help="check the installation by really stepping the plant")
    command = parser.parse_args(arguments).command
    try:
        settings = Settings.from_env()
        return serve(settings) if command == "serve" else doctor(settings)
    except AdccError as error:
        print(f"adcc: {error}", file=sys.stderr)
        return 1


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


def doctor(settings: Settings) -> int:
    """Print what is installed and whether the plant can be stepped.

    Returns
    -------
    int
        0 when it can be.
    """
    from adcc.fmu.selfcheck import self_check
    from adcc.session.local import open_testcase

    print(f"Python {platform.python_version()} on {platform.platform()}")
    for package in ("flask", "fmpy", "gunicorn", "numpy", "orjson", "torch"):
        print(f"{package} {importlib.metadata.version(package)}")
    print(f"test case {settings.resources}")
    case = open_testcase(settings.resources, settings.state_dir)
    print(f"state directory {settings.state_dir}, {shutil.disk_usage(settings.state_dir).free / 1e9:.1f} GB free")
    try:
        check = self_check(case)
    finally:
        case.close()
    print(f"stepped the plant {check.steps} times in {check.seconds:.2f} s; restore is {check.restore}", end="")
    print(f" (largest relative difference {check.difference:.1e})" if check.restore == "inexact" else "")
    print("everything works")
    return 0


if __name__ == "__main__":
    sys.exit(main())
