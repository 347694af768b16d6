"""Requests of so many sub-steps that rows are on disk before the request is done."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests import processes
from tests.small_plant import temperature
from tests.unit.session.tools import ALL, advance, kill, pid, results, same
from trivium.errors import ModelError
from trivium.simulation.inputs import BLOCK

#: Control step [s], and how many the data covers.
STEP, STEPS = 2.0, 59_000


def test_a_long_request_begins_a_generation_instead_of_a_record_of_all_rows(manage):
    manager = manage()
    manager.session(None).set_step(10)
    steps = 6000
    done = manager.session(None, key="long").advance_many(steps, point_names=["Tchw_supply"])
    assert done.time == 10.0 * steps
    rows = results(manager)
    assert len(rows["time"]) == 1 + steps
    (journal,) = manage.state_dir.rglob("journal-*")
    assert journal.stat().st_size < 8 * steps * len(ALL)
    kill(manager)
    assert same(results(manager), rows)
    assert manager.restored(None) == "exact"
    again = manager.session(None, key="long").advance_many(steps, point_names=["Tchw_supply"])
    assert again.columns["Tchw_supply"].tolist() == done.columns["Tchw_supply"].tolist()
    assert manager.session(None).time == done.time
    assert advance(manager)["Tchw_supply"] == pytest.approx(temperature(10.0 * steps + 10), abs=1e-5)


def interrupted(manager, session, folder):
    """Begin a request of many sub-steps and kill its process once a block of rows is written; return how it ended."""
    number, written = pid(manager), size(folder)
    with ThreadPoolExecutor(1) as pool:
        request = pool.submit(session.advance, {"CHI02": 0}, STEPS)
        while size(folder) - written < 8 * BLOCK * len(ALL) and not request.done():
            time.sleep(0.001)
        processes.kill(number)
        return request.exception()


def size(folder):
    """Return how large the rows of all sessions are [bytes]."""
    return sum(path.stat().st_size for path in folder.glob("sessions/*/rows/*"))


def test_a_process_killed_in_the_midst_of_a_step_leaves_none_of_its_rows(manage):
    manager = manage()
    session = manager.session(None)
    while True:
        session.initialize(0)
        session.set_step(STEP)
        advance(manager, CHI02=1, steps=3)
        before = results(manager)
        error = interrupted(manager, session, manage.state_dir)
        if error is not None:
            break
    assert isinstance(error, ModelError)
    assert same(results(manager), before)
    assert manager.restored(None) == "exact"
    after = session.advance({"CHI02": 0}, 100)
    assert after["Tchw_supply"] == pytest.approx(temperature(103 * STEP), abs=1e-5)
    assert {*STEP * np.arange(104)} == {*results(manager)["time"]}
