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
from trivium.client.columns import Columns
from trivium.client.jobs import Job
from trivium.client.records import ClampedWarning, Parameter, Point, Steps
from trivium.client.session import Session

__all__ = ["ClampedWarning", "Client", "Columns", "Job", "Parameter", "Point", "Session", "Steps"]
