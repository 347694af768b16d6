"""A window of a history, for indicators of a part of a test."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from trivium.model.contract import FloatArray


def cut(table: FloatArray, begin: float, end: float, metered: Collection[int] = ()) -> FloatArray:
    """Return rows cut to a window, also where it begins or ends between two of them.

    A row stands for the interval that it ends, so its values hold over any part of that interval. A meter of energy
    changes during it, as if its power were constant.

    Parameters
    ----------
    table : FloatArray, shape (k, n_columns)
        ``time`` [s] first, growing; the first row stands for no interval.
    begin, end : float
        [s]
    metered : collection of int
        Columns of meters.

    Returns
    -------
    FloatArray, shape (m, n_columns)
        At least one row; the first stands for no interval.
    """
    time = table[:, 0]
    first = max(int(np.searchsorted(time, begin, side="right")) - 1, 0)
    last = min(int(np.searchsorted(time, end)), len(time) - 1)  # of the interval in which the window ends
    if end <= time[first] or first == last:
        return table[first : first + 1]
    window = np.array(table[first : last + 1])
    if begin > time[first]:
        window[0] = window[1]  # what holds there
        window[0, 0] = begin
    window[-1, 0] = min(end, time[last])
    for place in metered:
        window[[0, -1], place] = np.interp(window[[0, -1], 0], time, table[:, place])
    return window
