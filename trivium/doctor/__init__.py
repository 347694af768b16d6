"""The checks of ``trivium doctor``: the machine, and every way to run a model, really tried.

Each check is a line of its own and never stops the others; those that failed decide the exit code.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from trivium.doctor import machine, model, ways
from trivium.doctor.check import Check, guarded
from trivium.errors import TriviumError
from trivium.scratch import Scratch

if TYPE_CHECKING:
    from trivium.settings import Settings

__all__ = ["Check", "examine", "report"]


def examine(settings: Settings) -> Iterator[Check]:
    """Yield every check as it is done, the quick ones first.

    Parameters
    ----------
    settings : Settings
    """
    yield from machine.python()
    yield from guarded("packages", machine.packages)
    state = list(guarded("state", partial(machine.state_directory, settings.state_dir)))
    yield from state
    yield from guarded("confinement", machine.confinement)
    yield from guarded("port", partial(machine.port, settings.host, settings.port))
    yield from guarded("extensions", machine.entry_points)
    with Scratch() as folder:
        if state[-1].status == "failed":  # the other checks need a folder all the same
            settings = settings.model_copy(update={"state_dir": folder / "state"})
        yield from guarded("step", partial(model.step, settings))
        for name, check in ways.WAYS.items():
            yield from guarded(name, partial(check, settings, folder))
    yield from guarded("assimulo", model.assimulo)
    yield from guarded("pyfmi", partial(model.pyfmi, settings))


def report(settings: Settings, *, as_json: bool, say: Callable[[str], None]) -> int:
    """Print the table of checks.

    Parameters
    ----------
    settings : Settings
    as_json : bool
        One JSON object instead of lines.
    say : callable
        Takes each line.

    Returns
    -------
    int
        0 when nothing failed.

    Raises
    ------
    TriviumError
        Naming all that failed, unless as JSON.
    """
    checks = []
    for check in examine(settings):
        checks.append(check)
        if not as_json:
            say(f"{check.name:12} {check.status:8} {check.text}")
    failed = [check for check in checks if check.status == "failed"]
    if as_json:
        say(json.dumps({"works": not failed, "checks": [asdict(check) for check in checks]}, indent=2))
        return int(bool(failed))
    if failed:
        raise TriviumError("; ".join(check.text for check in failed))
    say("Everything that is installed works.")
    return 0
