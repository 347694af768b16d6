"""The load of the chillers against balances done by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trivium.plants.cooling.head import chiller_load


def measurements(**changes: Any) -> dict[str, Any]:
    """Chillers 2 and 5 run; 5 in partial mode."""
    values: dict[str, Any] = {
        "on": np.array([0, 1, 0, 0, 1, 0.0]),
        "chw3": np.array([0, 0, 0, 0, 1, 0.0]),
        "cw3": np.array([0, 0, 0, 0, 1, 0.0]),
        "mchw": 200.0,
        "tchw_r": 293.0,
        "tchws_chi": np.full(6, 287.0),
        "tchws_hex": np.full(6, 290.0),
        "tcw_supply": 295.0,
        "tcwr_hex": np.full(6, 297.0),
    }
    return values | changes


def test_each_running_chiller_is_told_from_where_its_water_comes():
    result = chiller_load(**measurements())
    assert result.unit.tolist() == [2, 5]
    # 100 kg/s each; 6 K from the return, 3 K after the heat exchanger
    assert result.load == pytest.approx([100 * 4186 * 6, 100 * 4186 * 3])
    assert result.t_chw_leaving == pytest.approx([287, 287])
    assert result.t_cw_entering == pytest.approx([295, 297])


def test_no_running_chiller_gives_empty_arrays():
    assert all(part.size == 0 for part in chiller_load(**measurements(on=np.zeros(6))))


def test_a_load_is_never_negative():
    assert chiller_load(**measurements(tchw_r=280.0, tchws_hex=np.full(6, 280.0))).load.tolist() == [0, 0]
