"""A server."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlencode

from trivium.client.connection import Connections
from trivium.client.jobs import Job
from trivium.client.session import Session
from trivium.errors import UnknownSessionError


class Client:
    """A server; any thread may use it, a session though is for one at a time.

    Parameters
    ----------
    url : str
        Address of the server.
    timeout : float
        How long a reply may take [s]; longer than the server lets a step take (``TRIVIUM_STEP_TIMEOUT``).
    patience : float
        How long to go on asking a server that is away or has no room [s]; 0 asks once.
    token : str, optional
        For a server that asks for one (docs/security.md).

    Raises
    ------
    InvalidValueError
        When that is no address.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:5000",
        *,
        timeout: float = 90.0,
        patience: float = 60.0,
        token: str | None = None,
    ) -> None:
        self._connections = Connections(url, timeout, patience, token)

    @property
    def url(self) -> str:
        """Address of the server."""
        return self._connections.url

    def __repr__(self) -> str:
        return f"Client({self.url})"

    def testcases(self) -> list[str]:
        """Return the ids of the test cases."""
        return [record["testcaseid"] for record in self._connections.request("GET", "/testcases").json()]

    def add_testcase(self, file: str, testcaseid: str | None = None) -> str:
        """Register a folder or FMU that lies in the server's folder of test cases; return its id."""
        asked = {"file": file, **({} if testcaseid is None else {"testcaseid": testcaseid})}
        reply = self._connections.request("POST", "/testcases", asked, again="never").json()
        return str(reply["payload"]["testcaseid"])

    def remove_testcase(self, testcaseid: str) -> int:
        """Remove a test case from the server; return how many sessions of it were ended."""
        reply = self._connections.request("DELETE", f"/testcases/{quote(testcaseid, safe='')}", again="never").json()
        return int(reply["payload"]["stopped"])

    def select(self, testcaseid: str | None = None) -> Session:
        """Make a session of a test case, at t = 0.

        Parameters
        ----------
        testcaseid : str, optional
            Default: the first that there is.

        Raises
        ------
        InvalidValueError
            When there is no such test case.
        BusyError
            When there are as many sessions as the server takes, for as long as the patience lasts.
        UnreachableError
            Also when the reply was lost: the session that may have been made is not used.
        """
        name = self.testcases()[0] if testcaseid is None else testcaseid
        route = f"/testcases/{quote(name, safe='')}/select"
        reply = self._connections.request("POST", route, {}, again="keyed").json()
        session = self.session(str(reply["testid"]))
        session._time = 0.0
        return session

    def session(self, testid: str) -> Session:
        """Return a session that there is already."""
        return Session(self._connections, testid)

    def default_session(self) -> Session:
        """Return the session that requests without test id are about; everybody shares it.

        Raises
        ------
        UnknownSessionError
            When it has been stopped and nobody used it since.
        """
        for record in self.sessions():
            if record["default"]:
                return self.session(record["testid"])
        raise UnknownSessionError("default")

    def sessions(self) -> list[dict[str, Any]]:
        """Return what is known of every session: ``testid``, ``testcaseid``, ``time``, ``state`` and more."""
        return list(self._connections.request("GET", "/sessions").json()["payload"])

    def stop_all(self) -> int:
        """Stop all sessions, those of others too; return how many there were."""
        return int(self._connections.request("PUT", "/stop", {}).json()["payload"]["stopped"])

    def submit(self, kind: str, specification: Mapping[str, Any]) -> Job:
        """Have the server run something long; `Job.wait` waits for it.

        Parameters
        ----------
        kind : str
            ``step``, ``sweep``, ...; `job_kinds` lists them all.
        specification : Mapping
            As the kind takes it.

        Raises
        ------
        InvalidValueError, RequestError
            Naming every field that is wrong.
        """
        path = f"/api/run/{quote(kind, safe='')}"
        reply = self._connections.request("POST", path, dict(specification), again="keyed").json()
        return self.job(str(reply["task_id"]))

    def job(self, task_id: str) -> Job:
        """Return a job that there is already."""
        return Job(self._connections, task_id)

    def jobs(self, kind: str | None = None, status: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
        """Return the status of jobs, the newest first."""
        query = urlencode({key: value for key, value in {"kind": kind, "status": status}.items() if value is not None})
        return list(self._connections.request("GET", f"/api/run?limit={limit}&{query}").json()["payload"])

    def job_kinds(self) -> dict[str, Any]:
        """Return what can run as a job: ``about`` and the JSON ``schema`` of the specification, by kind."""
        return dict(self._connections.request("GET", "/api/run/kinds").json()["payload"])

    def close(self) -> None:
        """Close the connections; sessions stay."""
        self._connections.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
