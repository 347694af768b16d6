"""What tests do with sessions."""

from __future__ import annotations

import numpy as np

from tests import processes
from trivium.server import wording

ALL = ["Tchw_supply", "P_CDWPs_sum", "Tchws_set_HEX", "Head_required"]


def pid(manager, testid=None):
    """Return the process id of a session's host."""
    return manager.session(testid).host_state().pid


def kill(manager, testid=None):
    """Kill the host of a session."""
    processes.kill(pid(manager, testid))


def advance(manager, testid=None, steps=1, **inputs):
    """Step a session and return the last reply."""
    session = manager.session(testid)
    for _ in range(steps):
        reply = session.advance(inputs)
    reply.restored = session.restored
    return reply


def message_of(advanced):
    """Return how the reference words a step."""
    return wording.advanced(advanced, boptest=False).message


def results(manager, testid=None):
    """Return some columns of all rows."""
    return manager.session(testid).results(ALL, 0, 1e9)


def same(a, b):
    """Tell whether columns are alike, bit by bit."""
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name], equal_nan=True) for name in a)


def children(number):
    """Return the process ids of a process's children."""
    with open(f"/proc/{number}/task/{number}/children") as file:
        return [int(child) for child in file.read().split()]
