"""The process that supervises a program: ``python -I -S supervisor.py <report> <seconds> <program> ...``.

It kills all that the program started, whatever process group or session that is in by now, when the program ends, when
its time is over, or when the lifeline on stdin ends because the caller died or cancelled. Then it reports the outcome
as one line on the file descriptor ``report``. It needs the standard library only and starts in some 15 ms.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def main(arguments: list[str]) -> int:
    """Run the program that the arguments name; return this process's exit code."""
    report, seconds, program = int(arguments[0]), float(arguments[1]), arguments[2:]
    os.set_inheritable(report, False)
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1)  # grandchildren whose parent ends become children of this process
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the lifeline alone says when it is over
    deadline = time.monotonic() + seconds
    me = os.getpid()
    child = os.fork()
    if child == 0:
        _become(program, prctl, me)
    why, code = "ended", None
    while code is None:
        left = deadline - time.monotonic()
        if left <= 0:
            why = "timeout"
            break
        ready = select.select([0, woken], [], [], left)[0]
        if 0 in ready and not os.read(0, 1):
            why = "cancelled"
            break
        if woken in ready:
            os.read(woken, 1024)
        code = _reaped(child)
    _kill_all(child)
    os.write(report, f"{why} {code if code is not None else -int(signal.SIGKILL)}\n".encode())
    return 0


def _become(program: list[str], prctl: ctypes._NamedFuncPointer, parent: int) -> None:
    """Turn this forked process into the program, in a process group of its own."""
    try:
        os.setpgid(0, 0)
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(127)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.execvp(program[0], program)  # noqa: S606, without a shell
    except OSError as error:
        os.write(2, f"{program[0]} cannot be started: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def _reaped(child: int) -> int | None:
    """Wait for what has ended; return the child's exit code once it has, negative for a signal."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == child:
            code = os.waitstatus_to_exitcode(status)


def _kill_all(group: int) -> None:
    """Kill the program's process group and every descendant, until none is left."""
    _kill(-group)
    while True:
        for pid in _descendants():
            _kill(pid)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:  # none is left
            return
        time.sleep(0.002)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _descendants() -> list[int]:
    """Return all processes below this one, from /proc."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:  # it has ended
                continue
            children.setdefault(int(fields[1]), []).append(int(entry))
    pids, queue = [], [os.getpid()]
    while queue:
        below = children.get(queue.pop(), [])
        pids += below
        queue += below
    return pids


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
