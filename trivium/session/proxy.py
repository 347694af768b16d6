"""A session in the process that owns it: the protocol of a simulation, each member of which calls that process."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, cast

from trivium.errors import ModelError
from trivium.protocol import OPERATIONS, Simulation, operations


class HostState(NamedTuple):
    """What a session reports of itself.

    Attributes
    ----------
    time : float
        Clock [s].
    restored : str
        ``new``, ``exact``, ``inexact`` or ``replayed``; see docs/sessions.md.
    memory : int
        Of its process [bytes].
    pid : int
        Of its process.
    changed : bool
        Whether the files of the test case are others than those that were opened.
    """

    time: float
    restored: str
    memory: int
    pid: int
    changed: bool


class SelfCheck(NamedTuple):
    """The outcome of a self-check.

    Attributes
    ----------
    steps : int
        Control steps that were really simulated.
    seconds : float
        Wall-clock time of all [s].
    restore : str
        ``exact`` when a step repeated after a restore gave the same numbers, ``inexact`` when it gave others, ``none``
        when the FMU cannot save its state.
    difference : float
        Largest relative difference after the restore [1].
    """

    steps: int
    seconds: float
    restore: str
    difference: float


class Hosted(Protocol):
    """What the process of a session offers beside the protocol of a simulation."""

    @property
    def interval(self) -> float | None:
        """Interval of the boundary data, where simulations begin with an observation or after actions [s]."""

    def host_state(self) -> HostState:
        """Return what the session reports of itself."""

    def acknowledge(self) -> float:
        """Go on from what is left of a session that lost something, and return its clock [s]."""

    def health(self) -> SelfCheck:
        """Step a copy of the model; the session stays as it is."""


#: All that a host serves, by name: whether it changes the session.
SERVED = {**OPERATIONS, **operations(Hosted)}
#: Calls a member in the host; returns its value, and how the session was brought back.
Call = Callable[[str, Sequence[Any], Mapping[str, Any], float | None, str | None], tuple[Any, str]]


class Session(Simulation, Hosted, Protocol):
    """A session in the process that owns it; any thread may call. `connect` makes one."""

    #: How the session was brought back when the host of the last reply started; see docs/sessions.md.
    restored: str


def connect(
    call: Call,
    end: Callable[[], None],
    clock: float | None = None,
    key: str | None = None,
    *,
    persistent: bool = False,
) -> Session:
    """Return a session in the process that owns it.

    Parameters
    ----------
    call : Callable
        See `Call`.
    end : Callable
        Ends the session.
    clock : float, optional
        Refuse changes when the session is elsewhere [s].
    key : str, optional
        Idempotency-Key: a second change with it returns the outcome of the first.
    persistent : bool
        Whether a request whose process dies is sent once more; it is never done twice.
    """
    return cast(Session, _Proxy(call, end, clock, key, persistent))


class _Proxy:
    """A session whose members, all but `close`, are made from the protocol below."""

    def __init__(
        self, call: Call, end: Callable[[], None], clock: float | None, key: str | None, persistent: bool
    ) -> None:
        self._call, self._clock, self._key, self._persistent = call, clock, key, persistent
        self.close, self.restored = end, ""

    def _do(self, name: str, /, *arguments: Any, **options: Any) -> Any:
        key = os.urandom(16).hex() if self._persistent else self._key
        try:
            value, self.restored = self._call(name, arguments, options, self._clock, key)
        except ModelError:  # a host that somebody killed is no fault of the model
            if not self._persistent:
                raise
            value, self.restored = self._call(name, arguments, options, self._clock, key)
        return value


def _forwarded(name: str, member: Any) -> Any:
    """Return a member of the protocol that is called in the host."""
    if isinstance(member, property):
        setter = None if member.fset is None else (lambda proxy, value: proxy._do(f"set_{name}", value))
        return property(lambda proxy: proxy._do(name), setter)

    @functools.wraps(member)
    def call(proxy: _Proxy, *arguments: Any, **options: Any) -> Any:
        return proxy._do(name, *arguments, **options)

    return call


for _name in SERVED:
    setattr(_Proxy, _name, _forwarded(_name, getattr(Simulation, _name, None) or getattr(Hosted, _name)))
