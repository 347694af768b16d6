"""An adapter in a process of its own: whatever the FMU does there ends with that process.

Such a process, a `Life`, lasts from the making of an instance to its end. So a crash is a finding, and static memory of
a binary, which some FMUs carry from one initialization to the next, is new in every life.
"""

from __future__ import annotations

import os
import time
from multiprocessing.connection import Connection
from typing import Any

from trivium.errors import EndedError, ModelError, ResourcesError
from trivium.forks import LostError, Template, how_it_ended
from trivium.model.fmu.description import FmuDescription
from trivium.model.fmu.fmu_model import Solving

#: What the processes of a template for adapters do.
WORK = "trivium.model.fmu.adapting:serve"
#: Errors that cross the pipe as they are; all others become a ModelError.
_ERRORS = {each.__name__: each for each in (ModelError, EndedError, ResourcesError)}


class Life:
    """An adapter in a process of its own.

    Parameters
    ----------
    template : Template
    description : FmuDescription
    engine : str
    solving : Solving

    Raises
    ------
    ResourcesError, ModelError
        When the adapter cannot be made.
    """

    def __init__(self, template: Template, description: FmuDescription, engine: str, solving: Solving) -> None:
        self._template = template
        self._pid, sock = template.fork()
        self._connection = Connection(sock.detach())
        try:
            self.call("make", description, engine, solving)
        except BaseException:
            self.end()
            raise

    def call(self, method: str, *arguments: Any, deadline: float | None = None) -> Any:
        """Call a method of the adapter.

        Parameters
        ----------
        method : str
        arguments
            What can be pickled.
        deadline : float, optional
            When to give up, on the clock of ``time.monotonic`` [s].

        Raises
        ------
        ModelError, ResourcesError
            What the adapter raises.
        LostError
            When the process ends, or the time is over; it is of no use then.
        """
        try:
            self._connection.send((method, arguments))
            if deadline is not None and not self._connection.poll(max(0.0, deadline - time.monotonic())):
                self.end()
                raise LostError("it does not answer in time", decided=False, late=True)
            error, value = self._connection.recv()
        except (OSError, EOFError):
            raise self._lost() from None
        if error is not None:
            raise _ERRORS.get(error, ModelError)(value)
        return value

    def end(self) -> int:
        """End the process, whatever it does; return how it ended."""
        self._connection.close()
        pid, self._pid = self._pid, 0
        return self._template.end(pid) if pid and self._template.owner == os.getpid() else 0

    def _lost(self) -> LostError:
        how, decided = how_it_ended(self.end())
        return LostError(f"its process ended with {how}", decided=decided)
