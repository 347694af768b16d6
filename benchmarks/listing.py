"""What listing many sessions and jobs costs, and a look of an open page. ``python -m benchmarks.listing``."""

from __future__ import annotations

import sys
import tempfile
import time
import uuid
from pathlib import Path

from benchmarks.sessions import milliseconds
from trivium.application import create_app
from trivium.dashboard.context import Context
from trivium.dashboard.live import mark
from trivium.environment import ROOT
from trivium.jobs.store import Store
from trivium.session.folder import Folder
from trivium.settings import Settings

SESSIONS, JOBS = 1000, 5000
SPEC = {"start_time": 0.0, "end_time": 864000.0, "controller": "rules", "format": "csv"}
ADDRESSES = (
    "/sessions",
    "/sessions?limit=20&sort=-created",
    "/sessions?limit=20&offset=500&search=cooling&sort=-last_used",
    "/sessions?limit=20&state=hibernated&sort=-created",
    "/api/run?limit=20",
    "/api/run?limit=20&status=Pending",
    "/api/run?limit=20&offset=4000&search=rules&sort=created",
)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        settings = Settings(state_dir=Path(name), resources=ROOT / "Resources")
        app = create_app(settings)
        for place in range(SESSIONS):
            about = {"testcase": "AlphaDataCenterCooling_Gym", "created": time.time() + place}
            Folder(settings.state_dir, uuid.uuid4().hex).create(about)
        store = Store(settings)
        for _ in range(JOBS):
            store.submit("step", SPEC)
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
        with app.test_request_context("/dashboard/"):
            first, median = milliseconds(lambda: mark(context, "", "")), milliseconds(lambda: mark(context, "", ""), 9)
        sys.stdout.write(f"| a look of an open page | {first:.0f} | {median:.0f} | |\n")


if __name__ == "__main__":
    main()
