"""The server: gunicorn, configured by settings.

``trivium serve`` runs `Server`; ``gunicorn restapi:app`` reads gunicorn.conf.py, which has the same configuration. One
worker by default; more (``gunicorn -w 4``) serve the same sessions, which live in processes of their own.
"""

from __future__ import annotations

import functools
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import gunicorn.sock
from gunicorn import systemd
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from trivium import logs
from trivium.environment import ROOT, allocate_metrics, child_environment, share_metrics
from trivium.errors import TriviumError
from trivium.extras import is_installed
from trivium.jobs.worker import GRACE
from trivium.server import front, health
from trivium.server.guard import check_bind
from trivium.server.listen import listen
from trivium.session import layout
from trivium.settings import Settings, unknown_variables
from trivium.simulation.resources import Resources

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger(__name__)


def serve(settings: Settings, create_app: Callable[[Settings], Flask]) -> None:
    """Serve until interrupted; end the process with 1 and a sentence when the server cannot start.

    Parameters
    ----------
    settings : Settings
    create_app : callable
        Returns the application; called in each worker.
    """
    logging.getLogger("gunicorn.error").addFilter(_is_news)
    master = os.getpid()
    try:
        Server(settings, create_app).run()
    except SystemExit as ended:  # a worker's code, which passes here too, tells the master not to try again
        if ended.code == Arbiter.APP_LOAD_ERROR and os.getpid() == master:
            sys.exit(1)
        raise


def _is_news(record: logging.LogRecord) -> bool:
    """Return whether a record of gunicorn adds to the sentence about an application that cannot be loaded."""
    expected = (f"exited with code {Arbiter.APP_LOAD_ERROR}", "Shutting down: Master", "App failed to load")
    return not any(text in record.getMessage() for text in expected)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn with the configuration and the application of some settings.

    Parameters
    ----------
    settings : Settings
    create_app : callable
        Returns the application.
    """

    def __init__(self, settings: Settings, create_app: Callable[[Settings], Flask]) -> None:
        self._settings = settings
        self._create_app = create_app
        super().__init__(prog="trivium serve")

    def load_config(self) -> None:
        """Configure gunicorn; called again on SIGHUP."""
        for name, value in configuration(self._settings).items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Return the application; called in each worker."""
        try:
            return self._create_app(self._settings)
        except TriviumError as error:  # gunicorn would print a traceback
            print(f"trivium: {error}", file=sys.stderr, flush=True)  # noqa: T201, for the person at the terminal
            sys.exit(Arbiter.APP_LOAD_ERROR)


@functools.cache  # gunicorn reads it again on SIGHUP, and the hooks have the worker of jobs
def configuration(settings: Settings) -> MappingProxyType[str, Any]:
    """Return gunicorn's configuration by its own names."""
    hooks = Hooks(settings)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return MappingProxyType(
        {
            "bind": f"{host}:{settings.port}",
            "worker_class": front.configured(settings),
            "workers": 1,
            "control_socket_disable": True,
            "threads": settings.threads,
            # most connections of a worker; no thread waits for one
            "worker_connections": 4096,
            # a worker without a sign of life for so long is replaced [s]; its main thread waits for nothing
            "timeout": settings.worker_timeout,
            # what is in hand when the server is to end is finished, however long it may take [s]
            "graceful_timeout": settings.step_timeout,
            # clients may keep a connection for so long between requests [s]
            "keepalive": 75,
            "loglevel": "warning" if settings.log_level == "info" else settings.log_level,
            "accesslog": None,
            "errorlog": "-",
            "on_starting": hooks.on_starting,
            "when_ready": hooks.when_ready,
            "on_exit": hooks.on_exit,
            "post_fork": post_fork,
            "post_worker_init": hooks.post_worker_init,
            "worker_exit": worker_exit,
        }
    )


class Hooks:
    """Callbacks of gunicorn while a server starts, runs and ends.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._metrics = settings.state_dir / "metrics"
        self._worker_of_jobs: subprocess.Popen[bytes] | None = None

    def on_starting(self, arbiter: Any) -> None:
        """Refuse what cannot be served, with one sentence; listen; make room for metrics."""
        self._log()
        for warning in unknown_variables():
            log.warning("%s", warning)
        try:
            self._prepare(arbiter)
        except TriviumError as error:  # gunicorn would print a traceback
            print(f"trivium: {error}", file=sys.stderr)  # noqa: T201, for the person at the terminal
            sys.exit(1)
        print(f"Loading {self._settings.resources} ...", flush=True)  # noqa: T201, for the person at the terminal

    def _prepare(self, arbiter: Any) -> None:
        Resources.load(self._settings.resources)
        layout.prepare(self._settings.state_dir)
        _listen(arbiter)  # nothing is accepted yet
        for address in arbiter.cfg.address:
            if isinstance(address, tuple):  # a socket file has rights of its own
                check_bind(self._settings, address[0])
        self._make_room()

    def _make_room(self) -> None:
        """Make the folder in which all workers count, and remove those of servers that were killed.

        Raises
        ------
        StorageError
            When the state directory cannot be written.
        """
        for folder in self._metrics.glob("*"):  # in a container another server may have had the same number
            if folder.name == str(os.getpid()) or not Path("/proc", folder.name).exists():
                shutil.rmtree(folder, ignore_errors=True)
        mine = self._metrics / str(os.getpid())
        try:
            mine.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise layout.unwritable(self._settings.state_dir, error) from error
        share_metrics(mine)

    def when_ready(self, _arbiter: Any) -> None:
        """Start the worker that runs jobs; it ends with this process, however that ends."""
        if self._settings.worker_jobs:
            command = [sys.executable, "-m", "trivium.jobs.worker", "keep", str(os.getpid())]
            environment = child_environment(**self._settings.environment(), PYTHONPATH=str(ROOT))
            self._worker_of_jobs = subprocess.Popen(  # noqa: S603, arguments are ours
                command,
                env=environment,
                # Ctrl-C reaches it too, before it has a handler; the server ends it
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # noqa: PLW1509, one thread runs here
            )

    def on_exit(self, _arbiter: Any) -> None:
        """End the worker, which gives its jobs back."""
        shutil.rmtree(self._metrics / str(os.getpid()), ignore_errors=True)
        if self._worker_of_jobs is not None:
            self._worker_of_jobs.terminate()
            try:
                self._worker_of_jobs.wait(GRACE + 5)
            except subprocess.TimeoutExpired:
                self._worker_of_jobs.kill()

    def post_worker_init(self, worker: Any) -> None:
        """Print which address to open; the test case is loaded by now."""
        # Ctrl-C reaches master and worker, and the master then sends SIGQUIT for a quick end. gunicorn's own handler
        # takes locks that the interrupted thread may hold, and would then hang. There is nothing to save: just leave.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGQUIT, lambda *_: os._exit(0))
        sessions = worker.wsgi.extensions["trivium-sessions"]
        # the master ends with an exit code of its own when a worker leaves with this one
        end = partial(os._exit, Arbiter.APP_LOAD_ERROR)
        threading.Thread(target=health.end_when_hopeless, args=(sessions, end), daemon=True).start()
        self._log()
        address = worker.cfg.address[0]
        name = Resources.load(self._settings.resources).name
        page = "/dashboard/" if is_installed("dash") else "/"
        if not isinstance(address, tuple):
            print(f"Serving {name} on {address}", flush=True)  # noqa: T201
            return
        url = self._settings.model_copy(update=dict(zip(("host", "port"), address, strict=True))).url
        print(  # noqa: T201, what the person at the terminal waits for
            f"Serving {name} on {url}\n  open {url}{page} or try: curl {url}/measurements\n  Ctrl-C stops the server.",
            flush=True,
        )

    def _log(self) -> None:
        """Log gunicorn's own records as all others."""
        logs.set_up(self._settings.log_level, self._settings.log_format)
        of_gunicorn = logging.getLogger("gunicorn.error")
        of_gunicorn.handlers, of_gunicorn.propagate = [], True


def post_fork(_arbiter: Any, _worker: Any) -> None:
    """Prepare to count, before the application is loaded."""
    allocate_metrics()


def worker_exit(_arbiter: Any, worker: Any) -> None:
    """Leave at once: there is nothing to save, and native libraries may hang while they are unloaded."""
    if worker.booted:  # otherwise the master sees from the exit code that it need not try again
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _listen(arbiter: Any) -> None:
    """Open the sockets in gunicorn's place, which would try five times and log each.

    It keeps to itself what it inherits (SIGUSR2, systemd), and socket files.

    Raises
    ------
    SettingsError
        When an address cannot be used.
    """
    config = arbiter.cfg
    inherits = arbiter.master_pid or systemd.listen_fds(unset_environment=False)
    if inherits or config.reuse_port or not all(isinstance(address, tuple) for address in config.address):
        return
    sockets = [listen(host, port, config.backlog) for host, port in config.address]
    arbiter.LISTENERS = gunicorn.sock.create_sockets(config, arbiter.log, [socket.detach() for socket in sockets])
