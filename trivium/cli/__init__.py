"""The command ``trivium``; docs/cli.md shows the help of every command.

Modules of this package import nothing heavy: what a command needs is imported when it runs, so that ``trivium --help``
and the completion of a shell are fast.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

import click

from trivium.cli.exits import ERROR, INTERRUPTED
from trivium.cli.program import NAME, program
from trivium.errors import TriviumError

__all__ = ["main"]


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
    words = None if arguments is None else list(arguments)
    try:
        code = program.main(words, prog_name=NAME, standalone_mode=False)
        if sys.stdout is not None:  # it may have been closed from the start
            sys.stdout.flush()  # else a full disk is noticed only at the end of the process
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except click.UsageError as error:
        hint = f"\nTry '{error.ctx.command_path} --help'." if error.ctx is not None else ""
        return _report(error.format_message() + hint, error.exit_code)
    except click.ClickException as error:
        return _report(error.format_message(), error.exit_code)
    except click.Abort:
        return _report("interrupted", INTERRUPTED)
    except TriviumError as error:
        return _report(str(error), ERROR)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EPIPE) or error.filename is not None:
            raise
        _forget_output()
        if error.errno == errno.EPIPE:  # the reader, such as head, has enough
            return ERROR
        return _report(f"the output cannot be written: {error.strerror}", ERROR)
    return code if isinstance(code, int) else 0


def _report(message: str, code: int) -> int:
    click.echo(f"{NAME}: {message}", err=True)
    return code


def _forget_output() -> None:
    """Lead what is left in the buffer of standard output nowhere; Python would try to write it again as it ends."""
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
