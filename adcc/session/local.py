"""A session in this process: one test case, owned by one long-lived thread.

FMUs keep memory for every thread that ever calls them, and two calls at a time would tear a state apart. So all calls,
from whatever thread, are done one after the other by the session's own thread.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from adcc.core.resources import Resources
from adcc.core.testcase import Reply, TestCase
from adcc.fmu.registry import open_model
from adcc.fmu.selfcheck import SelfCheck, self_check


def open_testcase(resources: Path, state_dir: Path) -> TestCase:
    """Open the test case of a folder.

    Parameters
    ----------
    resources : Path
        Folder of the test case.
    state_dir : Path
        Folder for unpacked FMUs and the history.

    Raises
    ------
    ResourcesError, ModelError, StorageError
        When a file is wrong, the FMU cannot be loaded, the folder cannot be written.
    """
    case = Resources.load(resources)
    model = open_model(case, state_dir / "fmu")
    return TestCase.open(case, model, state_dir / "history")


class LocalSession:
    """A test case and the thread that owns it.

    Parameters
    ----------
    opener : Callable[[], TestCase]
        Makes the test case; runs on the session's thread. Its errors are raised here.
    """

    def __init__(self, opener: Callable[[], TestCase]) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
        try:
            self._case = self._thread.submit(opener).result()
        except BaseException:
            self._thread.shutdown(wait=False)
            raise

    def call(self, method: str, *arguments: Any) -> Reply:
        """Call a method of the test case and return what it answers.

        Parameters
        ----------
        method : str
            ``advance``, ``initialize`` ...; see `TestCase`.
        *arguments : Any
            Its arguments.

        Raises
        ------
        AdccError
            What the method raises.
        """
        reply: Reply = self._thread.submit(getattr(self._case, method), *arguments).result()
        return reply

    def health(self) -> SelfCheck:
        """Step a copy of the plant; the session stays as it is.

        Raises
        ------
        AdccError
            When the plant cannot be stepped.
        """
        return self._thread.submit(self_check, self._case).result()

    def close(self) -> None:
        """Free the test case and end the thread."""
        self._thread.submit(self._case.close).result()
        self._thread.shutdown()
