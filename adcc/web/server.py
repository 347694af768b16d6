"""Configuration of gunicorn.

One worker by default; more (``-w 4``) serve the same sessions, which live in processes of their own.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import Any

from adcc.settings import Settings

_settings = Settings.from_env()

bind = f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"
worker_class = "gthread"
workers = 1
control_socket_disable = True
threads = _settings.threads
#: A worker that says nothing for so long is replaced [s]; a long simulation does not silence it, loading torch may.
timeout = 120
graceful_timeout = 5
#: Clients may keep a connection for so long between requests [s].
keepalive = 75
loglevel = "warning" if _settings.log_level == "info" else _settings.log_level
accesslog = None
errorlog = "-"


def post_worker_init(_worker: Any) -> None:
    """Say what to open next; the test case is loaded by now."""
    # Ctrl-C reaches master and worker, and the master then sends SIGQUIT for a quick end. gunicorn's own handler takes
    # locks that the interrupted thread may hold, and would then hang; there is nothing to save, so just leave.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGQUIT, lambda *_: os._exit(0))
    logging.basicConfig(level=_settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    print(  # noqa: T201, what the person at the terminal waits for
        f"Serving {_settings.resources.name} on {_settings.url}\n"
        f"  open {_settings.url}/ or try: curl {_settings.url}/measurements\n"
        f"  Ctrl-C stops the server.",
        flush=True,
    )


def worker_exit(_server: Any, worker: Any) -> None:
    """Leave at once: there is nothing to save, and native libraries may hang while they are unloaded."""
    if worker.booted:  # otherwise the exit code tells the master that it need not try again
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
