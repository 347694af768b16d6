"""Files written as a whole, locks between processes, and the cache, with real processes, forks and files."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from trivium.errors import StorageError
from trivium.storage import Cache, LockedError, acquire, is_locked, locked, replace_file

_HOLDER = """
import sys, time
from pathlib import Path
from trivium.storage import acquire
lock = acquire(Path(sys.argv[1]))
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the lock of the file ``lock``."""
    with subprocess.Popen([sys.executable, "-c", _HOLDER, str(tmp_path / "lock")], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        yield process
        process.kill()


def test_a_lock_is_held_until_its_process_is_killed(holder, tmp_path):
    path = tmp_path / "lock"
    assert is_locked(path)
    with pytest.raises(LockedError):
        acquire(path)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert not is_locked(path)
    acquire(path).release()
    assert path.exists()


def test_a_lock_excludes_other_parts_of_the_same_process_and_any_thread_releases_it(tmp_path):
    lock = acquire(tmp_path / "lock")
    with pytest.raises(LockedError):
        acquire(tmp_path / "lock")
    thread = threading.Thread(target=lock.release)
    thread.start()
    thread.join()
    acquire(tmp_path / "lock").release()


def test_a_fork_does_not_hold_the_lock_and_does_not_release_it(tmp_path):
    path = tmp_path / "lock"
    lock = acquire(path)
    if (pid := os.fork()) == 0:
        lock.release()
        signal.pause()
    try:
        time.sleep(0.1)
        assert is_locked(path)
        lock.release()
        assert not is_locked(path)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_who_waits_gets_the_lock_when_it_is_free(holder, tmp_path):
    times = {}

    def wait():
        with locked(tmp_path / "lock"):
            times["locked"] = time.monotonic()

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.2)
    times["killed"] = time.monotonic()
    holder.kill()
    thread.join(300)
    assert times["locked"] >= times["killed"]


def test_the_descriptor_of_a_locked_file_keeps_its_content(tmp_path):
    path = tmp_path / "lock"
    path.write_text("7")
    seen = []
    acquire(path, opened=lambda file: seen.append(os.pread(file, 10, 0))).release()
    assert seen == [b"7"]
    assert path.read_text() == "7"


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_is_replaced_as_a_whole(tmp_path, durable):
    path = tmp_path / "file"
    replace_file(path, b"first", durable=durable)
    with path.open("rb") as reader:
        replace_file(path, b"second", durable=durable)
        assert reader.read() == b"first"
    assert path.read_bytes() == b"second"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(StorageError, match="folder cannot be written: Is a directory"):
        replace_file(path, b"data")
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(StorageError, match="No such file"):
        replace_file(tmp_path / "missing" / "file", b"data")


def test_the_cache_makes_room_and_finds_damage(tmp_path):
    cache = Cache(tmp_path / "cache.sqlite", 400_000)
    data = bytes(40_000)
    for i in range(20):
        cache.put({b"%d" % i: data})
        cache.get([b"0"])
        time.sleep(0.001)
    keys = [b"%d" % i for i in range(20)]
    entries = cache.get(keys)
    assert {b"0", b"19"} <= entries.keys()
    assert 3 <= len(entries) < 12
    assert entries[b"19"] == data
    assert cache.content() == (len(entries), len(entries) * (40_000 + 64), 400_000)
    with sqlite3.connect(tmp_path / "cache.sqlite") as database:
        database.execute("UPDATE entries SET data = zeroblob(100) WHERE key = CAST('19' AS BLOB)")
    assert b"19" not in cache.get(keys)
    cache.close()


def test_the_cache_counts_the_bytes_it_holds(tmp_path):
    cache = Cache(tmp_path / "cache.sqlite", 1000)
    cache.put({b"a": bytes(100), b"b": bytes(10)})
    cache.put({b"a": bytes(50)})
    assert cache.content() == (2, 50 + 10 + 2 * 64, 1000)
    cache.put({b"c": bytes(1000 - 63)})  # with its row larger than the cache
    assert cache.get([b"c"]) == {}
    cache.put({b"c": bytes(1000 - 64 - 188)})
    assert cache.content().size == 1000
    cache.clear()
    assert cache.content() == (0, 0, 1000)
    cache.close()


def test_a_cache_of_no_bytes_stores_nothing(tmp_path):
    cache = Cache(tmp_path / "cache.sqlite", 0)
    cache.put({b"a": b""})
    assert cache.get([b"a"]) == {}
    cache.close()


def test_many_keys_are_asked_for_at_once_and_by_many_threads(tmp_path):
    cache = Cache(tmp_path / "cache.sqlite")
    entries = {b"%d" % i: b"data %d" % i for i in range(1201)}

    def put(part):
        cache.put({key: data for key, data in entries.items() if int(key) % 4 == part})

    threads = [threading.Thread(target=put, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.get([*entries, b"missing"]) == entries
    cache.close()


def test_a_cache_that_is_no_database(tmp_path):
    (tmp_path / "cache.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(StorageError, match="cannot be used"):
        Cache(tmp_path / "cache.sqlite")
