"""What listing many sessions and jobs costs, and a look of an open page. ``python -m benchmarks.listing``.

The rows of the page *Runs* are its table as it is sent to the browser.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
import uuid
from functools import partial
from pathlib import Path
from typing import Any

from flask import Response
from flask.testing import FlaskClient

from benchmarks.sessions import milliseconds
from trivium.application import create_app
from trivium.dashboard.context import Context
from trivium.dashboard.live import marks
from trivium.environment import ROOT
from trivium.jobs.store import Store
from trivium.jobs.table import connect
from trivium.session.folder import Folder
from trivium.settings import Settings

SESSIONS, JOBS = 1000, 5000
SPEC = {"start_time": 0.0, "end_time": 864000.0, "controller": "rules", "format": "csv"}
ADDRESSES = (
    "/sessions",
    "/sessions?limit=20&sort=-created",
    "/sessions?limit=20&offset=500&search=cooling&sort=-last_used",
    "/sessions?limit=20&state=hibernated&sort=-created",
    "/sessions?limit=20&state=hibernated&search=cooling&sort=kpi:ener_tot",
    "/api/run?limit=20",
    "/api/run?limit=20&status=Pending",
    "/api/run?limit=20&offset=4000&search=rules&sort=created",
    "/api/run?limit=20&status=Pending&search=rules&sort=-kpi:ener_tot",
)
#: Kind of runs, state and order on the page *Runs*.
TABLES = (
    ("session", "any", "-created"),
    ("session", "hibernated", "kpi:ener_tot"),
    ("job", "any", "-created"),
    ("job", "Pending", "-kpi:ener_tot"),
)


def _table(client: FlaskClient, kind: str, state: str, sort: str) -> Response:
    """Ask for the table of the page *Runs*, as a browser does."""
    outputs = [
        ("runs-table", "children"),
        ("runs-place", "children"),
        ("runs-back", "disabled"),
        ("runs-on", "disabled"),
    ]
    chosen: dict[str, Any] = {"kind": kind, "search": "", "state": state, "sort": sort}
    inputs = [{"id": f"runs-{name}", "property": "value", "value": value} for name, value in chosen.items()]
    inputs += [
        {"id": f"runs-{name}", "property": "data", "value": value} for name, value in (("offset", 0), ("pinned", []))
    ]
    inputs.append({"id": "changed", "property": "data", "value": None})
    body = {
        "output": f"..{'...'.join('.'.join(each) for each in outputs)}..",
        "outputs": [{"id": name, "property": each} for name, each in outputs],
        "inputs": inputs,
        "changedPropIds": ["runs-kind.value"],
    }
    response = client.post("/dashboard/_dash-update-component", json=body)
    if response.status_code != 200:
        raise SystemExit(response.text)
    return response


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        settings = Settings(state_dir=Path(name), resources=ROOT / "Resources")
        app = create_app(settings)
        chance = random.Random(0)  # noqa: S311, no secret
        for place in range(SESSIONS):
            about = {"testcase": "AlphaDataCenterCooling_Gym", "created": time.time() + place}
            folder = Folder(settings.state_dir, uuid.uuid4().hex)
            folder.create(about)
            folder.note_indicators(0, {"ener_tot": chance.random(), "cost_tot": chance.random()})
        store = Store(settings)
        for _ in range(JOBS):
            store.submit("step", SPEC)
        with connect(settings.jobs_url, settings.state_dir / "jobs").connect() as connection:
            connection.exec_driver_sql(
                "UPDATE trivium_jobs SET results = json_object('ener_tot', abs(random()) / 1e18)"
            )
        client = app.test_client()
        sys.stdout.write(
            f"{SESSIONS} sessions, {JOBS} jobs\n\n| request | first [ms] | median of 9 [ms] | reply [kB] |\n"
        )
        sys.stdout.write("|---|--:|--:|--:|\n")
        for address in ADDRESSES:
            first = milliseconds(lambda address=address: client.get(address))  # type: ignore[misc]
            median = milliseconds(lambda address=address: client.get(address), 9)  # type: ignore[misc]
            size = len(client.get(address).data) / 1e3
            sys.stdout.write(f"| `{address}` | {first:.0f} | {median:.0f} | {size:.1f} |\n")
        context = Context.open(settings, app.extensions["trivium-sessions"], store)
        for kind, state, sort in TABLES:
            ask = partial(_table, client, kind, state, sort)
            first, median, size = milliseconds(ask), milliseconds(ask, 9), len(ask().data) / 1e3
            sys.stdout.write(f"| Runs: {kind}s, {state}, `{sort}` | {first:.0f} | {median:.0f} | {size:.1f} |\n")
        with app.test_request_context("/dashboard/"):
            first, median = (
                milliseconds(lambda: marks(context, "", "")),
                milliseconds(lambda: marks(context, "", ""), 9),
            )
        sys.stdout.write(f"| a look of an open page | {first:.0f} | {median:.0f} | |\n")


if __name__ == "__main__":
    main()
