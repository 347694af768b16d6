"""Python client of the server.

::

    from adcc.client import Client

    with Client("http://127.0.0.1:5000") as client, client.select() as session:
        session.initialize(300_000)
        observation = session.advance({"Tchws_set_CHI": 287.15})
        frame = session.results(["Tchw_supply", "P_Chillers_sum"]).frame()

It needs nothing of the server's parts, and pandas only for frames.
"""

from adcc.client.client import Client
from adcc.client.columns import Columns
from adcc.client.jobs import Job
from adcc.client.records import ClampedWarning, Parameter, Point, Steps
from adcc.client.session import Session

__all__ = ["ClampedWarning", "Client", "Columns", "Job", "Parameter", "Point", "Session", "Steps"]
