import csv
from pathlib import Path

import numpy as np
import pytest

from trivium.errors import SettingsError, StorageError
from trivium.simulation.export import check_path, write_table

COLUMNS = ("time", "T", "P")
TABLE = np.random.default_rng(0).standard_normal((25, 3)) / 3
BLOCKS = [TABLE[:10], TABLE[10:11], TABLE[11:11], TABLE[11:]]


def read(path: Path) -> np.ndarray:
    """With the reader of each format."""
    if path.suffix == ".parquet":
        frame = pytest.importorskip("pandas").read_parquet(path)
        assert tuple(frame.columns) == COLUMNS
        return frame.to_numpy()
    if path.suffix == ".csv":
        with path.open() as file:
            heading, *rows = csv.reader(file)
        assert tuple(heading) == COLUMNS
        return np.array(rows, dtype=float)
    with pytest.importorskip("h5py").File(path) as file:
        return np.column_stack([file[name][:] for name in COLUMNS])


@pytest.mark.parametrize("name", ["a.parquet", "a.h5", "a.HDF5", "a.csv"])
def test_other_readers_find_the_same_numbers(tmp_path: Path, name: str) -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("h5py")
    write_table(tmp_path / name, COLUMNS, BLOCKS)
    assert np.array_equal(read(tmp_path / name), TABLE)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")

    def blocks():
        yield TABLE
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left"):
        write_table(path, COLUMNS, blocks())
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_wrong_path_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"must end in \.parquet"):
        check_path(tmp_path / "a.xls")
    with pytest.raises(StorageError, match="there is no folder"):
        check_path(tmp_path / "no" / "a.csv")
    check_path(tmp_path / "a.csv")
