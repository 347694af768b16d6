"""Configuration of gunicorn.

One worker by default; more (``-w 4``) serve the same sessions, which live in processes of their own.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from trivium import logs
from trivium.errors import TriviumError
from trivium.jobs.worker import GRACE
from trivium.settings import ROOT, Settings, child_environment, set_environment
from trivium.web.guard import check_bind

_settings = Settings.from_env()

bind = f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"
worker_class = "gthread"
workers = 1
control_socket_disable = True
threads = _settings.threads
#: A worker that says nothing for so long is replaced [s]; a long simulation does not silence it, loading torch may.
timeout = 120
#: What is in hand when the server is to end is finished, however long it may take [s].
graceful_timeout = int(_settings.step_timeout)
#: Clients may keep a connection for so long between requests [s].
keepalive = 75
loglevel = "warning" if _settings.log_level == "info" else _settings.log_level
accesslog = None
errorlog = "-"


_worker_of_jobs: list[subprocess.Popen[bytes]] = []


def on_starting(server: Any) -> None:
    """Refuse to listen where strangers are without tokens; -b of the command line counts. Make room for figures."""
    _log()
    for address in server.cfg.address:
        if isinstance(address, tuple):  # a socket file has rights of its own
            try:
                check_bind(_settings, address[0])
            except TriviumError as error:
                print(f"trivium: {error}", file=sys.stderr)  # noqa: T201, for the person at the terminal
                sys.exit(1)
    folder = _settings.state_dir / "metrics"
    for left in folder.glob("*"):  # of a server that was killed, in a container perhaps of the same number
        if left.name == str(os.getpid()) or not Path("/proc", left.name).exists():
            shutil.rmtree(left, ignore_errors=True)
    (folder / str(os.getpid())).mkdir(parents=True, exist_ok=True)
    set_environment(PROMETHEUS_MULTIPROC_DIR=folder / str(os.getpid()))


def when_ready(_server: Any) -> None:
    """Start the worker that runs jobs; it ends with this process, however that ends."""
    if _settings.worker_jobs:
        command = [sys.executable, "-m", "trivium.cli", "worker", "--parent", str(os.getpid())]
        environment = child_environment(PYTHONPATH=str(ROOT))
        _worker_of_jobs.append(subprocess.Popen(command, env=environment))  # noqa: S603, arguments are ours


def on_exit(_server: Any) -> None:
    """End the worker, which gives its jobs back."""
    shutil.rmtree(_settings.state_dir / "metrics" / str(os.getpid()), ignore_errors=True)
    for worker in _worker_of_jobs:
        worker.terminate()
        try:
            worker.wait(GRACE + 5)
        except subprocess.TimeoutExpired:
            worker.kill()


def post_worker_init(_worker: Any) -> None:
    """Say what to open next; the test case is loaded by now."""
    # Ctrl-C reaches master and worker, and the master then sends SIGQUIT for a quick end. gunicorn's own handler takes
    # locks that the interrupted thread may hold, and would then hang; there is nothing to save, so just leave.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGQUIT, lambda *_: os._exit(0))
    _log()
    print(  # noqa: T201, what the person at the terminal waits for
        f"Serving {_settings.resources.name} on {_settings.url}\n"
        f"  open {_settings.url}/dashboard/ or try: curl {_settings.url}/measurements\n"
        f"  Ctrl-C stops the server.",
        flush=True,
    )


def worker_exit(_server: Any, worker: Any) -> None:
    """Leave at once: there is nothing to save, and native libraries may hang while they are unloaded."""
    if worker.booted:  # otherwise the exit code tells the master that it need not try again
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _log() -> None:
    """Log gunicorn's own records as all others."""
    logs.set_up(_settings.log_level, _settings.log_format)
    of_gunicorn = logging.getLogger("gunicorn.error")
    of_gunicorn.handlers, of_gunicorn.propagate = [], True
