"""Stores of jobs for tests."""

from __future__ import annotations

import pytest

from trivium.access import everybody
from trivium.jobs.store import Store
from trivium.settings import Settings
from trivium.space import Room


@pytest.fixture
def open_store(tmp_path, jobs_url):
    """Open the store once more: each is like that of another process."""
    stores = []

    def opened(present=everybody, **further):
        variables = {
            "TRIVIUM_STATE_DIR": str(tmp_path),
            "TRIVIUM_JOBS_URL": jobs_url,
            "TRIVIUM_JOB_LEASE": "3600",
            **further,
        }
        stores.append(Store(Settings(environ=variables), Room(tmp_path, present=present)))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(open_store):
    return open_store()
