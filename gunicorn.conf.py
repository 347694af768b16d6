"""Configuration that ``gunicorn restapi:app`` reads by itself; see trivium/web/server.py."""

from trivium.web.server import (  # noqa: F401
    accesslog,
    bind,
    control_socket_disable,
    errorlog,
    graceful_timeout,
    keepalive,
    loglevel,
    on_exit,
    on_starting,
    post_worker_init,
    threads,
    timeout,
    when_ready,
    worker_class,
    worker_exit,
    workers,
)
