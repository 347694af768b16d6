"""Temporary folders and what becomes of those that killed processes left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from trivium import scratch
from trivium.environment import ROOT
from trivium.scratch import Scratch

MAKES_ONE = """
import sys, time
from trivium.scratch import Scratch
folder = Scratch().path
(folder / "deep").mkdir()
(folder / "deep" / "file").write_text("x")
print(folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """A temporary directory of the test's own, in which any age is old, whatever was removed before."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(scratch, "_OLD", -1.0)
    scratch._remove_left.cache_clear()
    yield tmp_path
    scratch._remove_left.cache_clear()


@pytest.fixture
def process(temporary):
    with subprocess.Popen(
        [sys.executable, "-c", MAKES_ONE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:  # fmt: skip
        yield process
        process.kill()


def test_a_folder_lasts_as_long_as_the_block(temporary):
    with Scratch() as folder:
        (folder / "file").write_text("x")
        assert folder.parent == temporary
    assert not list(temporary.iterdir())


def test_closing_again_does_nothing(temporary):
    made = Scratch()
    made.close()
    made.path.mkdir()  # a folder of somebody who got the same name
    made.close()
    assert made.path.exists()


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not(process, temporary):
    folder = process.stdout.readline().strip()
    with Scratch():
        assert os.path.exists(folder)
    process.send_signal(signal.SIGKILL)
    process.wait()
    scratch._remove_left.cache_clear()
    with Scratch() as own:
        assert [str(path) for path in temporary.iterdir()] == [str(own)]


def test_new_folders_and_links_stay(temporary, monkeypatch, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (temporary / "trivium-work-link").symlink_to(elsewhere)
    (temporary / "trivium-work-file").write_text("x")
    new = temporary / "trivium-work-new"
    new.mkdir()
    monkeypatch.setattr(scratch, "_OLD", 60.0)
    with Scratch():
        assert new.exists()
    assert elsewhere.exists()
    assert (temporary / "trivium-work-file").exists()
