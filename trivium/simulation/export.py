"""Tables of results as files that other tools read: Parquet, HDF5, CSV; written in blocks, so memory stays flat.

====================  =================================================================================================
ending                content
====================  =================================================================================================
``.parquet``          a column of float64 each, row groups of the blocks, compressed by zstd (needs pyarrow)
``.h5``, ``.hdf5``    a dataset of float64 each, chunked and compressed by gzip (needs h5py)
``.csv``              a heading and a line a row, numbers as Python writes them, which come back exactly
====================  =================================================================================================
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from trivium.errors import SettingsError, StorageError
from trivium.extras import require
from trivium.model.contract import FloatArray

_HDF5 = (".h5", ".hdf5")
ENDINGS = (".parquet", *_HDF5, ".csv")


#: Columns of texts: a number of theirs is the place of the text.
Texts = Mapping[str, Sequence[str]]


def write_table(
    path: Path, columns: Sequence[str], blocks: Iterable[FloatArray], texts: Texts = MappingProxyType({})
) -> None:
    """Write a table; the file appears when it is whole.

    Parameters
    ----------
    path : Path
        Its ending chooses the format.
    columns : sequence of str
    blocks : iterable of FloatArray, shape (k, n_columns)
        Rows, one after the other.
    texts : Mapping[str, sequence of str]
        Of columns whose numbers are places in it.

    Raises
    ------
    SettingsError
        When the ending is not known.
    MissingExtraError
        When the format's package is not installed.
    StorageError
        When the file cannot be written; what was there before stays.
    """
    write = _writer(path)
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        write(unfinished, columns, blocks, texts)
        unfinished.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def check_path(path: Path) -> None:
    """Refuse a path that `write_table` would refuse, before anything is computed for it.

    Raises
    ------
    SettingsError, MissingExtraError, StorageError
        As there.
    """
    _writer(path)
    folder = path.absolute().parent
    if not folder.is_dir():
        raise StorageError(f"{path} cannot be written: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise StorageError(f"{path} cannot be written: the folder {folder} is read-only")


def _writer(path: Path) -> Any:
    ending = path.suffix.lower()
    if ending == ".parquet":
        require("pyarrow", "results")
        return _write_parquet
    if ending in _HDF5:
        require("h5py", "results")
        return _write_hdf5
    if ending == ".csv":
        return _write_csv
    raise SettingsError(f"{path.name} must end in {', '.join(ENDINGS)}")


def _columns(names: Sequence[str], block: FloatArray, texts: Texts) -> list[Any]:
    """Return the columns of a block, texts as lists."""
    return [
        [texts[name][place] for place in column.astype(int)] if name in texts else np.ascontiguousarray(column)
        for name, column in zip(names, block.T, strict=True)
    ]


def _write_parquet(path: Path, columns: Sequence[str], blocks: Iterable[FloatArray], texts: Texts) -> None:
    import pyarrow
    import pyarrow.parquet

    kinds = [pyarrow.string() if name in texts else pyarrow.float64() for name in columns]
    schema = pyarrow.schema(list(zip(columns, kinds, strict=True)))
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for block in blocks:
            writer.write_table(pyarrow.table(_columns(columns, block, texts), schema=schema))


def _write_hdf5(path: Path, columns: Sequence[str], blocks: Iterable[FloatArray], texts: Texts) -> None:
    import h5py

    kinds = [h5py.string_dtype() if name in texts else "f8" for name in columns]
    with h5py.File(path, "w") as file:
        datasets = [
            file.create_dataset(name, (0,), kind, maxshape=(None,), chunks=(4096,), compression="gzip", shuffle=True)
            for name, kind in zip(columns, kinds, strict=True)
        ]
        written = 0
        for block in blocks:
            for dataset, column in zip(datasets, _columns(columns, block, texts), strict=True):
                dataset.resize((written + len(block),))
                dataset[written:] = column
            written += len(block)


def _write_csv(path: Path, columns: Sequence[str], blocks: Iterable[FloatArray], texts: Texts) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for block in blocks:
            rows = zip(*_columns(columns, block, texts), strict=True) if texts else block.tolist()
            writer.writerows(rows)
