"""A state directory has a version; older ones are brought up to date."""

from __future__ import annotations

import threading

import pytest

from trivium.errors import StorageError
from trivium.session.layout import STEPS, prepare


def test_a_directory_of_before_is_taken_over(tmp_path):
    (tmp_path / "fmus" / "one").mkdir(parents=True)
    (tmp_path / "sessions").mkdir()
    prepare(tmp_path)
    assert int((tmp_path / "VERSION").read_text()) == len(STEPS)
    assert not (tmp_path / "fmus").exists()
    assert (tmp_path / "sessions").exists()


def test_an_interrupted_step_is_done_again_and_those_before_it_not(tmp_path):
    done = []

    def breaks(path):
        done.append("second")
        if len(done) < 3:
            raise OSError(28, "No space left on device")

    steps = [lambda path: done.append("first"), breaks, lambda path: done.append("third")]
    with pytest.raises(StorageError, match="No space"):
        prepare(tmp_path, steps)
    prepare(tmp_path, steps)
    prepare(tmp_path, steps)
    assert done == ["first", "second", "second", "third"]


def test_processes_that_come_at_once_do_each_step_once(tmp_path):
    done, start = [], threading.Barrier(8)

    def come():
        start.wait()
        prepare(tmp_path, [lambda path: done.append(1), lambda path: done.append(2)])

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [1, 2]


@pytest.mark.parametrize("content", ["99", "x", ""])
def test_what_a_newer_server_wrote_is_left_alone(tmp_path, content):
    (tmp_path / "VERSION").write_text(content)
    with pytest.raises(StorageError, match="version"):
        prepare(tmp_path)
    assert (tmp_path / "VERSION").read_text() == content
