"""The history on disk."""

from __future__ import annotations

import os

import numpy as np
import pytest

from adcc.core.history import History
from adcc.errors import StorageError


def rows(times):
    return np.array([[t, t + 0.5, -t] for t in times], dtype=float)


@pytest.fixture
def history(tmp_path):
    history = History(tmp_path / "history", ["time", "a", "b"])
    yield history
    history.close()


def test_rows_come_back_in_windows(history):
    history.append(rows([0, 300]))
    history.append(rows([600]))
    assert len(history) == 3
    window = history.window(["b", "a", "b", "time"], 300, 600)
    assert list(window) == ["b", "a", "time"]
    assert {name: values.tolist() for name, values in window.items()} == {
        "b": [-300, -600],
        "a": [300.5, 600.5],
        "time": [300, 600],
    }
    assert history.window(["a"], 1, 299)["a"].size == 0


def test_an_empty_history_has_empty_windows(history):
    assert {name: values.tolist() for name, values in history.window(["a"], 0, 1).items()} == {"a": [], "time": []}


def test_who_reads_keeps_what_was_read(history):
    history.append(rows([0, 300]))
    table = history.table()
    history.append(rows([600]))
    history.replace(rows([900]))
    assert table[:, 0].tolist() == [0, 300]
    assert history.table()[:, 0].tolist() == [900]


def test_a_write_that_fails_half_way_leaves_the_rows_before(history, monkeypatch):
    history.append(rows([0]))
    write = os.pwrite
    calls = []

    def half(descriptor, data, offset):
        calls.append(offset)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:10], offset)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", half)
        with pytest.raises(StorageError, match="No space left"):
            history.append(rows([300, 600]))
    assert len(calls) == 2
    assert history.table()[:, 0].tolist() == [0]
    history.append(rows([900]))
    assert history.table().tolist() == rows([0, 900]).tolist()


def test_nothing_is_left_in_the_directory(history, tmp_path):
    history.append(rows([0]))
    assert list((tmp_path / "history").iterdir()) == []


def test_a_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        History(tmp_path / "file" / "history", ["time"])
