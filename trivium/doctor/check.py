"""One line of the doctor's table, and how a check that breaks becomes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from trivium.errors import MissingExtraError

Status = Literal["ready", "note", "missing", "failed"]


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes
    ----------
    name : str
    status : {"ready", "note", "missing", "failed"}
        A note is worth knowing; what is missing is optional and not installed. Neither is a failure.
    text : str
        What was found; for what is missing, the command that installs it.
    """

    name: str
    status: Status
    text: str


def guarded(name: str, checks: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """Yield checks; an error that ends them becomes a check of this name.

    Parameters
    ----------
    name : str
    checks : callable
        Yields checks. A `MissingExtraError` says that the verb is not installed, or that its package is broken.
    """
    try:
        yield from checks()
    except MissingExtraError as error:
        broken = error.__cause__ is not None and not isinstance(error.__cause__, ModuleNotFoundError)
        yield Check(name, "failed" if broken else "missing", str(error))
    except Exception as error:  # a broken package or file may raise anything, and the other checks go on
        yield Check(name, "failed", f"{name}: {reason(error)}")


def reason(error: BaseException) -> str:
    """Return an error in one line."""
    from trivium.errors import TriviumError

    text = " ".join(str(error).split())
    return text if isinstance(error, TriviumError) else f"{type(error).__name__}: {text}".rstrip(": ")
