"""The FMU of AlphaDataCenterCooling in hosts of its own; skipped where its Resources are not at hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.session.tools import advance, kill, message_of, pid, results, same
from trivium.errors import InvalidValueError


@pytest.fixture
def manager(manage, reference_resources):
    return manage(reference_resources, TRIVIUM_ENGINE="fmpy")


def test_what_was_acknowledged_survives_kill_9_and_what_did_not_come_back_exactly_is_said(manager):
    replies = [advance(manager, Tchws_set_HEX=285 + 0.2 * k) for k in range(20)]
    before = results(manager)
    kill(manager)
    assert same(results(manager), before)
    told = manager.restored(None)
    assert told in ("exact", "inexact")
    after = advance(manager, Tchws_set_HEX=287)
    assert after.restored == told
    assert message_of(after) == "Advanced simulation successfully from 6000.0s to 6300.0s."
    assert after["Tchw_supply"] == pytest.approx(replies[-1]["Tchw_supply"], abs=2.0)


def test_an_input_that_breaks_the_fmu_changes_nothing(manager):
    advance(manager, steps=2)
    before, host = results(manager), pid(manager)
    with pytest.raises(InvalidValueError):
        advance(manager, CDWP01_rpm=1e6)
    assert same(results(manager), before)
    assert pid(manager) == host
    assert message_of(advance(manager)) == "Advanced simulation successfully from 600.0s to 900.0s."


def test_a_fork_goes_on_close_to_its_origin_and_says_how_it_came_there(manager):
    advance(manager, steps=12, Tchws_set_HEX=286)
    fork = manager.fork(None)
    theirs, ours = advance(manager, fork, steps=3), advance(manager, steps=3)
    assert theirs.restored in ("exact", "inexact")
    values = [np.array(list(reply.values())) for reply in (theirs, ours)]
    difference = np.abs(values[0] - values[1]) / np.maximum(np.abs(values[1]), 1.0)
    if theirs.restored == "exact":
        assert not difference.any()
    assert difference.max() < 0.05
