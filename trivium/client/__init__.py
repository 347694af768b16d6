"""Python client of the server.

::

    from trivium.client import Client

    with Client("http://127.0.0.1:5000") as client, client.select() as session:
        session.initialize(300_000)
        observation = session.advance({"an_input": 287.15})
        frame = session.results(["an_output", "an_input"]).frame()

It needs nothing of the server's parts, and pandas only for frames.
"""

from trivium.client.client import Client
from trivium.client.jobs import Job
from trivium.client.session import ClampedWarning, Session
from trivium.protocol import Advanced, Columns, Initialized, Steps

__all__ = ["Advanced", "ClampedWarning", "Client", "Columns", "Initialized", "Job", "Session", "Steps"]
