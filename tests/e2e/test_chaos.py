"""Some seconds of `make chaos`."""

from __future__ import annotations

import pytest

from tests.chaos import Chaos


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_or_doubled_whatever_happens(resources, tmp_path):
    chaos = Chaos(resources, tmp_path, seed=7)
    told = chaos.run(6.0, flips=3)
    assert sum(chaos.troubles.values()) > 3, told
