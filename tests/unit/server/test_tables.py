"""Columns over time as files."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
from pyarrow import parquet

from trivium.server import tables

COLUMNS = {"a": np.array([0.1, np.nan, 1e300]), "time": np.array([0.0, 1 / 3, 2.0]), 'b,"c"': np.arange(3.0)}


def test_numbers_are_read_as_they_were_written():
    text = b"".join(tables.file(COLUMNS, "csv").response).decode()
    head, *rows = text.splitlines()
    assert head == 'time,a,"b,""c"""'
    assert [[float(cell) if cell else None for cell in row.split(",")] for row in rows] == [
        [0.0, 0.1, 0.0],
        [1 / 3, None, 1.0],
        [2.0, 1e300, 2.0],
    ]
    found = parquet.read_table(io.BytesIO(tables.file(COLUMNS, "parquet").data))
    assert found.column_names[0] == "time"
    for name, values in COLUMNS.items():
        np.testing.assert_array_equal(found[name].to_numpy(), values)


def test_parquet_is_written_without_pandas():
    code = (
        "import sys, numpy as np; from trivium.server import tables\n"
        "tables.file({'time': np.arange(3.0)}, 'parquet'); print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
