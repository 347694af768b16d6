"""A session whose client wrote down what it was answered, and what may happen to its files."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.unit.session.tools import ALL, results
from trivium.session.folder import Folder
from trivium.session.journal import read

#: Control steps of the session.
STEPS = 300


class Client:
    """A session and what its client knows of it."""

    def __init__(self, manager):
        self.manager = manager
        self.testid = manager.select(manager.testcases()[0])
        self.rows = [[0.0, *self._start()]]
        for k in range(8):
            self._note(
                manager.session(self.testid).advance_many(steps=STEPS // 10, action=self.action(k), point_names=ALL)
            )
        self.snapshot = manager.session(self.testid).snapshot()
        self.at_snapshot = len(self.rows)
        for k in range(4):
            self._note(
                manager.session(self.testid).advance_many(steps=STEPS // 20, action=self.action(k + 1), point_names=ALL)
            )
        self._note(manager.session(self.testid).advance_many(steps=1, action=self.action(3), point_names=ALL))

    def _start(self):
        return [results(self.manager, self.testid)[name][0] for name in ALL]

    def _note(self, steps):
        self.rows.extend(
            [time, *(steps.columns[name][k] for name in ALL)] for k, time in enumerate(steps.columns["time"])
        )

    @staticmethod
    def action(k):
        return {"Tchws_set_HEX": 285.0 + k % 3, "CHI02": k % 2}

    def agrees(self, testid, count=None):
        """Return whether the results of a session are the replies that were acknowledged, bit by bit."""
        columns = results(self.manager, testid)
        table = np.column_stack([columns["time"], *(columns[name] for name in ALL)])
        return np.array_equal(table, np.array(self.rows[:count]), equal_nan=True)


def copy(folder: Folder, state_dir: Path, name: str) -> Folder:
    """Copy a session as it lies on the disk: files that share an inode do so in the copy."""
    copied = Folder(state_dir, name)
    inodes: dict[int, str] = {}

    def one(source: str, target: str) -> None:
        inode = os.stat(source).st_ino
        if inode in inodes:
            os.link(inodes[inode], target)
        else:
            shutil.copy2(source, target)
            inodes[inode] = target

    shutil.copytree(folder.path, copied.path, copy_function=one)
    return copied


def flip(path: Path, at: int, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << bit
    os.truncate(path, 0)
    path.write_bytes(data)


def truncations(name: str) -> dict[str, Callable[[Path], None]]:
    return {
        f"{name} cut to nothing": lambda path: os.truncate(path, 0),
        f"{name} cut to its half": lambda path: os.truncate(path, path.stat().st_size // 2),
        f"{name} without its last byte": lambda path: os.truncate(path, path.stat().st_size - 1),
        f"{name} removed": os.unlink,
    }


def faults(folder: Folder, seed: int) -> dict[str, Callable[[Folder], None]]:
    """Return faults by name, each of one file."""
    chance = random.Random(seed)
    made: dict[str, Callable[[Folder], None]] = {}

    def add(name: str, file: Path, apply: Callable[[Path], None]) -> None:
        inside = file.relative_to(folder.path)
        made[f"{inside}: {name}"] = lambda copied: apply(copied.path / inside)

    def flips(file: Path, count: int, first: int = 0, end: int | None = None) -> None:
        end = file.stat().st_size if end is None else end
        for _ in range(count):
            at, bit = chance.randrange(first, end), chance.randrange(8)
            add(f"bit {bit} of byte {at}", file, lambda path, at=at, bit=bit: flip(path, at, bit))

    (journal,) = folder.journal.glob("journal-*")
    records = list(read(journal.read_bytes()))
    ends = np.cumsum([40 + len(record.body) for record in records])
    flips(journal, 3, 0, 40)  # header of the first record
    flips(journal, 4, 40, int(ends[0]))
    if len(ends) > 2:
        flips(journal, 4, int(ends[0]), int(ends[-2]))
    flips(journal, 3, int(ends[-2]), int(ends[-2]) + 40)
    flips(journal, 4, int(ends[-2]) + 40, int(ends[-1]))
    for end in ends[:-1]:
        add(f"cut after {end} bytes", journal, lambda path, end=int(end): os.truncate(path, end))
    files = [journal, folder.path / "about.json", folder.path / "status", folder.journal / "lock"]
    files += [*folder.rows.iterdir(), *(folder.path / "snapshots").glob("*/state")]
    for file in files:
        if file is not journal:
            flips(file, 6)
        for name, apply in truncations("it").items():
            add(name, file, apply)
    for content in ("[]", "null", "{}", '"text"', "1", "{"):
        about = folder.path / "about.json"
        add(f"replaced by {content}", about, lambda path, content=content: path.write_text(content))
    add("a letter in it", folder.journal / "lock", lambda path: path.write_text("1x"))
    return made


def journal_of(folder):
    (path,) = folder.journal.glob("journal-*")
    return path
