"""Questions about models, each answered in a process of its own, forked from one that has imported what they need.

A server that checks studies and shows forms for them loads no FMU itself.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

from trivium.errors import TriviumError
from trivium.forks import LostError, how_it_ended, shared_template
from trivium.study.process import error_of

_WORK = "trivium.study.asking:serve"
#: What is imported before anybody asks.
_ANSWERS = ("trivium.study.checking", "trivium.study.offer", "trivium.experiment.preload")


def warm_up() -> None:
    """Start the process that the others are forked from, and do not wait for it."""
    shared_template(_WORK)


def ask(function: str, request: Mapping[str, Any], patience: float) -> Any:
    """Call a function in a process of its own, and return what it returns.

    Parameters
    ----------
    function : str
        ``module:function``; it takes the request.
    request : Mapping
    patience : float
        How long it may take [s].

    Raises
    ------
    TriviumError
        What the function raises.
    LostError
        When its process died.
    TimeoutError
        When it takes too long.
    """
    template = shared_template(_WORK)
    pid, sock = template.fork()
    with Connection(sock.detach()) as connection:
        try:
            connection.send((function, request))
            if not connection.poll(patience):
                raise TimeoutError(f"it took longer than {patience:g} s")
            reply, error = connection.recv()
        except (EOFError, ConnectionError):
            how, decided = how_it_ended(template.end(pid))
            raise LostError(f"its process ended with {how}", decided=decided) from None
        except BaseException:
            template.end(pid)
            raise
    with contextlib.suppress(LostError):  # the reply is there
        template.end(pid)
    if error is not None:
        raise error_of(**error)
    return reply


def prepare() -> None:
    """Import before processes are forked what each of them needs."""
    for name in _ANSWERS:
        importlib.import_module(name)


def serve(connection: Connection) -> None:
    """Answer a question."""
    name, request = connection.recv()
    module, _, attribute = name.partition(":")
    function: Callable[[Mapping[str, Any]], Any] = getattr(importlib.import_module(module), attribute)
    try:
        connection.send((function(request), None))
    except TriviumError as error:
        described = {"kind": type(error).__name__, "message": str(error), "field": getattr(error, "field", None)}
        connection.send((None, described))
