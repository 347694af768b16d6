"""A job's process and its lifeline."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

#: Watches the lifeline in a thread, as a job does, and prints a word once all that was written to it has been read.
CHILD = """
import array, fcntl, sys, termios, threading, time
from trivium.jobs.child import _watch
threading.Thread(target=_watch, args=(0, float(sys.argv[1])), daemon=True).start()
left = array.array("i", [1])
while left[0]:
    time.sleep(0.01)
    fcntl.ioctl(0, termios.FIONREAD, left)
print("alive", flush=True)
threading.Event().wait()
"""
PAST, FAR = 0.0, 1e9


@pytest.mark.parametrize(
    ("deadline", "renewals", "lives"),
    [
        (
            PAST,
            [FAR],
            True,
        ),  # it started so slowly that the lease it was started with has gone, but not the renewed one
        (FAR, [], True),
        (FAR, [PAST], False),
        (PAST, [FAR, PAST], False),
        (PAST, [], False),
    ],
)
def test_a_process_lives_as_long_as_its_lease(deadline: float, renewals: list[float], lives: bool) -> None:
    lifeline, renew = os.pipe()
    for renewal in renewals:
        os.write(renew, f"{renewal}\n".encode())
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(deadline)], stdin=lifeline, stdout=subprocess.PIPE, start_new_session=True
    )
    os.close(lifeline)
    if lives:
        assert child.stdout.readline() == b"alive\n"
        os.close(renew)  # its worker ends
    assert child.wait() == -signal.SIGKILL
    if not lives:
        os.close(renew)
    child.stdout.close()
