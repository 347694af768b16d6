"""A process that has opened a test case and forks hosts of it, so that they need not: the zygote keeps one a test case.

It holds the binary of the FMU, but no instance that was ever started, and no thread. It may die of the FMU: then hosts
open the test case themselves, and tell what is wrong with it.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from adcc.core.resources import Resources
from adcc.errors import AdccError
from adcc.session.process import die_with_parent, leave

#: How long it may take to open a test case [s].
PATIENCE = 100
_READY = b"ready"

Signature = tuple[object, ...]


def signature(config: Mapping[str, Any]) -> Signature | None:
    """Return what must be the same for two hosts to be of one template; None when the test case is not whole."""
    try:
        files = Resources.load(Path(config["resources"]))
        paths = (getattr(files, field.name) for field in fields(files))
        stats = [(path, path.stat()) for path in paths if isinstance(path, Path)]
    except (AdccError, OSError):
        return None
    told = ((str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns) for path, stat in stats)
    return (config["resources"], config["engine"], *told)


class Template:
    """The zygote's end of a template.

    Parameters
    ----------
    config : Mapping
        Of the first host that is wanted; see `adcc.session.config.Config`.
    detach : Callable
        Called in the new process: lets go of what is the zygote's.
    """

    def __init__(self, config: Mapping[str, Any], detach: Callable[[], None]) -> None:
        #: Readable when there is news.
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ready = False
        if os.fork() == 0:
            detach()
            self.control.close()
            leave(lambda: _serve(theirs, config))
        theirs.close()
        self.control.setblocking(False)

    def pass_on(self, config: Mapping[str, Any], sock: socket.socket) -> bool:
        """Have a host made for a client; return whether the template took it."""
        try:
            socket.send_fds(self.control, [json.dumps(config).encode()], [sock.fileno()])
        except OSError:
            return False
        return True

    def lives(self) -> bool:
        """Take the news: whether the template is still there."""
        try:
            news = self.control.recv(len(_READY))
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.ready = self.ready or news == _READY
        return bool(news)

    def close(self) -> None:
        """Need no more hosts of it."""
        self.control.close()


def _serve(control: socket.socket, config: Mapping[str, Any]) -> None:
    """Be a template until the zygote needs it no more."""
    from adcc.session import host
    from adcc.session.config import Config
    from adcc.session.local import prepare

    die_with_parent()
    signal.alarm(PATIENCE)
    prepared = prepare(Path(config["resources"]), Path(config["state_dir"]), config["engine"])
    signal.alarm(0)
    gc.collect()
    gc.freeze()  # the pages of what is there stay shared with the hosts
    control.send(_READY)
    while True:
        data, handles, _, _ = socket.recv_fds(control, 2**16, 1)
        if not handles:
            return
        wanted = Config(**json.loads(data))
        with socket.socket(fileno=handles[0]) as sock:
            between = os.fork()
            if between == 0:
                if os.fork() == 0:  # the zygote becomes its parent, and tells how it ended
                    control.close()
                    leave(partial(host.run, wanted, sock, prepared))
                os._exit(0)
            os.waitpid(between, 0)
