"""The other end of `trivium.model.fmu.apart.Life`: the process in which an adapter is."""

from __future__ import annotations

import pickle
from multiprocessing.connection import Connection
from typing import Any

from trivium.errors import ModelError, TriviumError
from trivium.model.fmu.registry import adapter


def serve(connection: Connection) -> None:
    """Be the process of an adapter: do what its other end asks for."""
    model: Any = None
    while True:
        try:
            method, arguments = connection.recv()
        except (EOFError, OSError, pickle.UnpicklingError):
            return
        answer: tuple[str | None, Any]
        try:
            if method == "make":
                description, engine, solving = arguments
                model = adapter(engine, description)(description, solving)
                answer = None, None
            else:
                answer = None, getattr(model, method)(*arguments)
        except TriviumError as error:
            answer = type(error).__name__, str(error)
        except Exception as error:
            answer = ModelError.__name__, f"{type(error).__name__}: {error}"
        connection.send(answer)
