"""A disk that is full ends a study with a sentence, and takes nothing from it."""

import h5py
import pytest

from trivium.errors import StorageError
from trivium.study.hdf5 import written


def test_a_full_disk_keeps_what_is_stored(tmp_path):
    path = tmp_path / "results.h5"
    with written(path) as file:
        file["numbers"] = [1, 2]
    (tmp_path / ".results.h5.unfinished").symlink_to("/dev/full")
    with (
        pytest.raises(StorageError, match=r"cannot take results\.h5: No space left on device; what is stored is kept"),
        written(path) as file,
    ):
        file["numbers"] = [3]
    with h5py.File(path) as file:
        assert file["numbers"][:].tolist() == [1, 2]
    assert [each.name for each in tmp_path.iterdir()] == ["results.h5"]
