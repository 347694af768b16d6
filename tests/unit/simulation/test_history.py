"""The history on disk."""

from __future__ import annotations

import os

import numpy as np
import pytest

from trivium.errors import DamagedError, StorageError
from trivium.simulation.checksums import BLOCK
from trivium.simulation.history import History


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


def long(start, count):
    return rows(300.0 * np.arange(start, start + count))


def test_a_history_goes_on_from_the_files_of_others_and_they_stay_as_they_are(history, tmp_path):
    history.append(long(0, 3))
    history.keep(tmp_path / "kept")
    history.append(long(3, 5000))
    begun = history.parts()
    history.append(long(5003, 10))
    heirs = []
    try:
        for k in range(40):  # each goes on where the one before did, by some rows
            heir = History(tmp_path / "other", ["time", "a", "b"])
            heir.keep(tmp_path / "kept")
            heir.adopt(heirs[-1].parts() if heirs else begun)
            heir.append(long(5003 + 100 * k, 100))
            heirs.append(heir)
        expected = long(0, 5003 + 4000)
        for k, heir in enumerate(heirs):
            count = 5003 + 100 * (k + 1)
            assert len(heir) == count
            assert np.array_equal(heir.rows(), expected[:count])
            assert np.array_equal(heir.rows(5000), expected[5000:count])
            assert np.array_equal(heir.rows(count - 2), expected[count - 2 : count])
            assert np.array_equal(
                [heir.row(i) for i in (0, 5002, 5003, count - 1)], expected[[0, 5002, 5003, count - 1]]
            )
            window = heir.window(["b"], 300 * 4990, 300 * 5020)
            assert np.array_equal(window["b"], expected[4990:5021, 2])
            assert np.array_equal(window["time"], expected[4990:5021, 0])
        assert np.array_equal(history.rows(), long(0, 5013))
        assert len(heirs[-1].parts()) < 8  # they do not pile up
        size = sum(part.path.stat().st_size for part in heirs[-1].parts()[1:])
        assert size < 24 * 5000  # the first part is shared, not copied
        for cut in (6000, 5003, 5002, 10, 0):
            heirs[-1].cut(cut)
            assert np.array_equal(heirs[-1].rows(), expected[:cut])
        heirs[-1].append(expected[:2])
        assert np.array_equal(heirs[-1].rows(), expected[:2])
    finally:
        for heir in heirs:
            heir.close()


def test_files_that_are_missing_or_too_short_are_refused_and_nothing_changes(history, tmp_path):
    history.keep(tmp_path / "kept")
    history.append(rows([0, 300]))
    (part,) = history.parts()
    for other in (part._replace(rows=3), part._replace(path=tmp_path / "nowhere"), part._replace(checksums=b"")):
        with pytest.raises(DamagedError):
            history.adopt([other])
    assert np.array_equal(history.rows(), rows([0, 300]))


def test_a_history_without_names_cannot_be_taken_over(history):
    history.append(rows([0]))
    with pytest.raises(StorageError, match="without names"):
        history.parts()


def test_a_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        History(tmp_path / "file" / "history", ["time"])


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_bit_is_noticed_by_whatever_reads_it_and_harms_nothing_else(history, tmp_path, seed):
    random = np.random.default_rng(seed)
    history.keep(tmp_path / "kept")
    history.append(long(0, 5000))
    history.append(long(5000, 300))
    history.withdraw(200)
    (part,) = history.parts()
    heir = History(tmp_path / "other", ["time", "a", "b"])
    heir.keep(tmp_path / "kept")
    heir.adopt([part])
    heir.append(long(5100, 10))
    assert np.array_equal(heir.rows(), long(0, 5110))
    at = int(random.integers(24 * 5100))
    with part.path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1 << int(random.integers(8))]))
    row, block = at // 24, at // BLOCK
    for reader in (history, heir):
        for read in (
            lambda: reader.rows(),  # noqa: B023
            lambda: reader.table(),  # noqa: B023
            lambda: reader.row(row),  # noqa: B023
            lambda: reader.window(["a"], 0, 1e9),  # noqa: B023
            lambda: reader.cut(row + 1),  # noqa: B023
        ):
            with pytest.raises(DamagedError, match=f"{part.path} is damaged: rows "):
                read()
    far = (block * BLOCK // 24 + 2 * (BLOCK // 24 + 1)) % 5100
    assert np.array_equal(heir.row(far), long(far, 1)[0])
    assert np.array_equal(heir.row(5105), long(5105, 1)[0])
    heir.close()
