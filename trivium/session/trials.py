"""Test cases that clients may select once they have really been stepped, in a process of their own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from trivium.errors import InvalidValueError, ModelError, ResourcesError
from trivium.protocol import Simulation
from trivium.session.admission import Admission
from trivium.session.catalogue import Catalogue
from trivium.session.folder import Folder
from trivium.session.handles import Handles
from trivium.session.termination import end_session
from trivium.space import Room


class Trials:
    """Adds test cases to those that clients may select.

    Parameters
    ----------
    state_dir : Path
    catalogue : Catalogue
    handles : Handles
    admission : Admission
    room : Room
    """

    def __init__(
        self, state_dir: Path, catalogue: Catalogue, handles: Handles, admission: Admission, room: Room
    ) -> None:
        self._state_dir = state_dir
        self._catalogue = catalogue
        self._handles = handles
        self._admission = admission
        self._room = room

    def add(self, file: str, testcaseid: str | None = None) -> str:
        """Let clients select a test case from the folder of test cases, once it has really been stepped.

        Parameters
        ----------
        file : str
            Name of a folder or FMU in ``TRIVIUM_TESTCASES``.
        testcaseid : str, optional
            Default: the name without its suffix.

        Returns
        -------
        str
            The id.

        Raises
        ------
        InvalidValueError
            When there is no such file, the id is taken, or the test case cannot be opened or stepped.
        StorageError
            When it cannot be kept.
        """
        path = self._catalogue.inside(file)
        name = self._catalogue.free_id(file, testcaseid)
        folder = Folder(self._state_dir, f".trial-{os.urandom(8).hex()}")
        folder.create({"testcase": name})
        handle = self._handles.trial(folder.testid, path)
        try:
            handle.call(Simulation.advance.__name__)
        except (ModelError, ResourcesError, InvalidValueError) as error:
            raise InvalidValueError(f"The test case {file} cannot be used: {error}", "file") from error
        finally:
            handle.close()
            end_session(self._state_dir, folder)
        with self._admission.alone():
            self._catalogue.register(file, name)
        return name

    def upload(self, testcaseid: str, content: IO[bytes]) -> str:
        """Store an FMU in the folder of test cases and let clients select it, once it has really been stepped.

        Raises
        ------
        InvalidValueError
            When the id is not acceptable or taken, or the FMU cannot be opened or stepped; it is not kept then.
        StorageError
            When it cannot be stored.
        """
        file = self._catalogue.receive(testcaseid, content, self._room.check)
        try:
            return self.add(file, testcaseid)
        except BaseException:
            self._catalogue.discard(file)
            raise
