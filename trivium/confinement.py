"""A process that may write in few folders only, and reach no network: for programs that clients bring.

Linux's Landlock refuses to write elsewhere; a filter of system calls (seccomp) refuses sockets but those between
processes of this machine, and all connections. Both hold for what the process starts, and nothing takes them back. What
the kernel does not offer is left out, and reported.
"""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import stat
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
#: Landlock's system calls, on all platforms.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_WRITE_FILE, _TRUNCATE, _REFER = 1 << 1, 1 << 14, 1 << 13
#: Removal of folders and files; making of devices, folders, files, sockets, pipes, links.
_NAMES = sum(1 << bit for bit in range(4, 13))
#: Abstract sockets of other processes, and signals to them.
_SCOPES = 0b11
#: What is no file on a disk and may be written everywhere.
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full")
#: By processor: its number in audits, and of its system calls ``socket``, ``connect`` and ``io_uring_setup``.
_CALLS = {"x86_64": (0xC000003E, 41, 42, 425), "aarch64": (0xC00000B7, 198, 203, 425)}
#: Operations of the filter: load a word, jump where it is equal, or not less; end with a verdict.
_LOAD, _EQUAL, _NOT_LESS, _END = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 13  # EACCES
#: Where the filter finds the number of the call, the processor and the first argument.
_NUMBER, _PROCESSOR, _ARGUMENT = 0, 4, 16
#: Calls of x32 are numbered from here on.
_X32 = 0x40000000


class Confinement(NamedTuple):
    """How a process is confined.

    Attributes
    ----------
    files : bool
        Whether it can write in few folders only.
    network : bool
        Whether it reaches no network.
    """

    files: bool
    network: bool

    def __str__(self) -> str:
        parts = [name for name, holds in zip(("files", "network"), self, strict=True) if holds]
        return " and ".join(parts) or "nothing"


def available() -> Confinement:
    """Return what the kernel offers."""
    filters = platform.machine() in _CALLS and Path("/proc/sys/kernel/seccomp").exists()
    return Confinement(_landlock_version() > 0, filters)


def confine(writable: Iterable[Path]) -> Confinement:
    """Confine this process, which has one thread, and all that it starts, for good.

    Parameters
    ----------
    writable : iterable of Path
        Folders, with all that is in them, and files. Those that do not exist are left out.

    Returns
    -------
    Confinement
        What the kernel has taken on.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return Confinement(files=False, network=False)
    return Confinement(_confine_files(library, writable), _confine_network(library))


def _landlock_version() -> int:
    """Return Landlock's version; 0 or less where there is none."""
    return int(ctypes.CDLL(None).syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG))


def _confine_files(library: ctypes.CDLL, writable: Iterable[Path]) -> bool:
    version = _landlock_version()
    if version <= 0:
        return False
    rights = _WRITE_FILE | _NAMES | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    rules = struct.pack("=QQQ", rights, 0, _SCOPES)[: 24 if version >= 6 else 8]
    handle = library.syscall(_CREATE_RULESET, rules, len(rules), 0)
    if handle < 0:
        return False
    try:
        for path in (*writable, *map(Path, _DEVICES)):
            _allow(library, handle, path, rights)
        return bool(library.syscall(_RESTRICT_SELF, handle, 0) == 0)
    finally:
        os.close(handle)


def _allow(library: ctypes.CDLL, handle: int, path: Path, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _WRITE_FILE | _TRUNCATE
        library.syscall(_ADD_RULE, handle, _PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)


def _confine_network(library: ctypes.CDLL) -> bool:
    if platform.machine() not in _CALLS:
        return False
    program = _filter(*_CALLS[platform.machine()])
    code = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    return bool(library.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, head) == 0)


def _filter(processor: int, opens: int, connects: int, queues: int) -> bytes:
    """Return the filter: of sockets only those of this machine, no connections, no system calls by a queue."""
    steps = [
        (_LOAD, 0, 0, _PROCESSOR),
        (_EQUAL, 0, 8, processor),  # else refuse
        (_LOAD, 0, 0, _NUMBER),
        (_NOT_LESS, 6, 0, _X32),
        (_EQUAL, 5, 0, connects),
        (_EQUAL, 4, 0, queues),
        (_EQUAL, 0, 2, opens),  # else allow
        (_LOAD, 0, 0, _ARGUMENT),
        (_EQUAL, 0, 1, int(socket.AF_UNIX)),
        (_END, 0, 0, _ALLOW),
        (_END, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
