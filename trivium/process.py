"""What Linux reports on processes, and what a process can arrange for itself."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, Protocol

#: Bytes of a page, in which Linux counts memory.
PAGE = os.sysconf("SC_PAGE_SIZE")
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


class HasFileno(Protocol):
    """What has an open file, such as a socket."""

    def fileno(self) -> int:
        """Return the number of the file."""


def process_start(pid: int) -> int:
    """Return when a process started, in clock ticks since boot; 0 when there is none, or it is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])


def session_memory(leader: int) -> int:
    """Return the memory of all processes of a session [bytes]; what several share counts once for each."""
    total = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if os.getsid(int(entry.name)) == leader:
                total += resident(int(entry.name))
        except OSError:
            continue
    return total


def is_stopped(pid: int) -> bool:
    """Return whether a process was stopped by a signal, and does nothing until it is continued."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "Tt"
    except (OSError, IndexError):
        return False


def resident(pid: int) -> int:
    """Return the memory of a process [bytes]; 0 when there is none."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def readable(file: int | HasFileno, patience: float) -> bool:
    """Return whether something can be read from a file or socket, or its other side has ended, within a time [s].

    Unlike ``select.select`` it takes any number of open files.
    """
    poll = select.poll()
    poll.register(file, select.POLLIN)
    return bool(poll.poll(min(max(0.0, patience) * 1e3, 2**31 - 1)))  # it takes 24 days at most


def end_process(pid: int, started: int, number: signal.Signals = signal.SIGKILL, patience: float = 5.0) -> None:
    """Send a signal to a process and wait for its end, and never to another one that got its number.

    Parameters
    ----------
    pid : int
    started : int
        What `process_start` returned for it.
    number : signal.Signals
    patience : float
        How long it may take to end [s].
    """
    with contextlib.suppress(OSError):
        handle = os.pidfd_open(pid)
        try:
            if process_start(pid) == started:
                signal.pidfd_send_signal(handle, number)
                readable(handle, patience)
        finally:
            os.close(handle)


def die_with(parent: int) -> None:
    """Have this process killed when its parent ends, so that it holds no lock of the parent's any longer."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it has ended already
        os._exit(1)


def outlive_parent() -> None:
    """Take `die_with` back."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, 0)


def adopt_orphans() -> None:
    """Become the parent of grandchildren whose parent ends."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def in_child(work: Callable[[], bytes], patience: float) -> bytes:
    """Do something in a process that is forked, and return what it returns; the caller must have one thread.

    Parameters
    ----------
    work : Callable
    patience : float
        How long it may take [s].

    Raises
    ------
    ChildProcessError
        When the process ends before, or takes longer and is killed.
    """
    reading, writing = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:

        def send() -> None:
            die_with(parent)
            os.close(reading)
            data = memoryview(work())
            while data:
                data = data[os.write(writing, data) :]

        leave(send)
    os.close(writing)
    parts, deadline, late = [], time.monotonic() + patience, False
    while True:
        late = not readable(reading, deadline - time.monotonic())
        part = b"" if late else os.read(reading, 2**20)
        if not part:
            break
        parts.append(part)
    os.close(reading)
    if late:
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if late:
        raise ChildProcessError(f"it took longer than {patience:g} s and was ended")
    if code:
        how = f"exit code {code}" if code > 0 else signal.Signals(-code).name
        raise ChildProcessError(f"its process ended with {how}")
    return b"".join(parts)


def leave(work: Callable[[], None]) -> NoReturn:
    """Do something in a process that was forked, and end it, whatever happens."""
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # the child must not go on as its parent
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)  # native libraries may hang while they are unloaded
    raise AssertionError  # not reached
