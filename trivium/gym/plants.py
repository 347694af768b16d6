"""Where the plant of an environment runs: in this process, in a host process, or at a server.

All three implement `trivium.protocol.Simulation` and give the same numbers to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trivium.client import Client
from trivium.errors import InvalidValueError
from trivium.protocol import Simulation
from trivium.session.local import open_testcase
from trivium.session.manager import SessionManager
from trivium.settings import Settings


def open_plant(
    place: str, resources: Path | None, state_dir: Path | None, testcase: str | None, token: str | None = None
) -> tuple[Simulation, Callable[[], None]]:
    """Open a plant.

    Parameters
    ----------
    place : str
        ``in-process``, ``host``, or the address of a server.
    resources : Path or None
        Test case of a plant without a server: a folder or an FMU; None for that of the settings.
    state_dir : Path or None
        Where such a plant keeps its files; None for that of the settings.
    testcase : str or None
        Test case of a server, or of a host; None for the first.
    token : str, optional
        For a server that asks for one.

    Returns
    -------
    plant : Simulation
    close : Callable
        Ends it.

    Raises
    ------
    InvalidValueError
        When `where` is none of these.
    TriviumError
        When the plant cannot be opened.
    """
    if place.startswith(("http://", "https://")):
        return _remote(place, testcase, token)
    settings = Settings(resources=resources, state_dir=state_dir)
    if place == "in-process":
        case = open_testcase(settings.resources, settings.state_dir, settings.engine)
        return case, case.close
    if place == "host":
        return _host(settings, testcase)
    raise InvalidValueError(
        f"Invalid value {place} for parameter plant. It must be in-process, host or the address of a server.", "plant"
    )


def _host(settings: Settings, testcase: str | None) -> tuple[Simulation, Callable[[], None]]:
    manager = SessionManager(settings)
    try:
        session = manager.session(manager.select(testcase or manager.testcases()[0]), persistent=True)
    except BaseException:
        manager.close()
        raise

    def close() -> None:
        session.close()
        manager.close()

    return session, close


def _remote(url: str, testcase: str | None, token: str | None) -> tuple[Simulation, Callable[[], None]]:
    client = Client(url, token=token)
    try:
        session = client.select(testcase)
    except BaseException:
        client.close()
        raise

    def close() -> None:
        session.close()
        client.close()

    return session, close
