"""What clients call a session: its name, tags, notes, whose baseline it is, which controller drives it.

They are no part of the simulation: neither a step nor a restore changes them, and a fork begins without them. The
controller alone is that of the present test: a session that is initialized has none until one drives it.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from trivium.errors import BusyError, StorageError
from trivium.names import is_id
from trivium.session.folder import Folder, described, undescribed
from trivium.storage import locked, replace_file

#: How long the labels of a session may be in the hands of another process [s].
_PATIENCE = 5.0


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("Value must be one line of printable characters")
    return text.strip()


def _id(text: str) -> str:
    if text and not is_id(text):
        raise ValueError("Value must be the id of a session, or empty")
    return text


Line = Annotated[str, Field(max_length=100), AfterValidator(_printable)]
Tags = Annotated[list[Annotated[Line, Field(min_length=1)]], Field(max_length=20)]
Notes = Annotated[str, Field(max_length=10_000)]
TestId = Annotated[str, AfterValidator(_id)]


class Labels(BaseModel):
    """What clients call a session; each is empty at first."""

    name: Line = ""
    tags: Tags = []
    notes: Notes = ""
    baseline_of: TestId = ""
    controller: Line = ""


def read_labels(folder: Folder) -> Labels:
    """Return the labels of a session; empty ones where they are damaged."""
    try:
        return Labels.model_validate(undescribed(folder.labels.read_bytes()))
    except (OSError, ValueError, ValidationError):
        return Labels()


def label(folder: Folder, changes: dict[str, Any]) -> Labels:
    """Change some labels of a session, and return all.

    Raises
    ------
    BusyError
        When another process has them in hand for too long.
    StorageError
        When they cannot be written.
    """
    try:
        with locked(folder.path / ".labels.lock", _PATIENCE):
            labels = Labels.model_validate({**read_labels(folder).model_dump(), **changes})
            replace_file(folder.labels, described(labels.model_dump()), durable=True)
    except TimeoutError as error:
        raise BusyError("The labels of the session are being changed; try again.", 1, 1) from error
    except OSError as error:
        raise StorageError(f"the labels of the session cannot be written: {error.strerror}") from error
    return labels
