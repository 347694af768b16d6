"""The socket of the server, opened before gunicorn starts its workers: a refusal is one sentence."""

from __future__ import annotations

import errno
import socket

from trivium.errors import SettingsError


def listen(host: str, port: int, backlog: int = 2048) -> socket.socket:
    """Return a socket that listens.

    Parameters
    ----------
    host : str
        An address or a name of this machine.
    port : int
    backlog : int
        Most connections that wait to be accepted.

    Raises
    ------
    SettingsError
        When the address cannot be used, naming the option and the variable that choose another one.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        # a port is free although old connections of the server before linger
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(backlog)  # two sockets may be bound to a port, but only one can listen
    except OSError as error:
        listener.close()
        raise SettingsError(_sentence(host, port, error)) from error
    return listener


def _sentence(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use; choose another one with --port or PORT"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"port {port} needs the rights of root; choose one from 1024 on with --port or PORT"
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f"{host} is no address of this machine; choose another one with --host or HOST, such as 127.0.0.1"
    return f"the server cannot listen on port {port} of {host} (--port, --host): {error.strerror or error}"
