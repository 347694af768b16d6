"""Many sub-steps are simulated a block at a time: the numbers of one block, and all or none of them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plant import FAILING, disturbance
from tests.unit.simulation.test_state import ACTIONS, everything
from trivium.errors import InvalidValueError, ModelError, StorageError
from trivium.simulation import inputs


@pytest.fixture(params=[1, 2, 3, 8, 16])
def block(request, monkeypatch):
    monkeypatch.setattr(inputs, "BLOCK", request.param)
    return request.param


@pytest.mark.parametrize(("step", "steps"), [(300, 8), (900, 8), (200, 8), (4800, 1)])
def test_blocks_give_what_one_gives(small_case, monkeypatch, block, step, steps):
    outcomes = []
    for size in (inputs.BLOCK, 4096):
        monkeypatch.setattr(inputs, "BLOCK", size)
        small_case.initialize(900)
        small_case.set_step(step)
        reply = small_case.advance_many(trajectory=ACTIONS[:steps])
        outcomes.append((everything(small_case), small_case.history_rows().tobytes()))
        assert reply.columns["time"].tolist() == [900.0 + step * k for k in range(1, steps + 1)]
        outcomes[-1] += ({name: column.tolist() for name, column in reply.columns.items()},)
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("can_snapshot", [True, False])
def test_a_late_block_that_fails_takes_the_earlier_ones_back(small_case, block, can_snapshot):
    small_case.stepper.model.can_snapshot = can_snapshot
    small_case.advance({})
    before, rows = everything(small_case), small_case.history_rows().tobytes()
    failing = [{}] * 9 + [{FAILING: 1}] + [{}] * 3
    with pytest.raises(ModelError):
        small_case.advance_many(trajectory=failing)
    assert everything(small_case) == before
    assert small_case.history_rows().tobytes() == rows
    after = small_case.advance_many(12).columns["Tchw_supply"]
    small_case.initialize(0)
    assert small_case.advance_many(13).columns["Tchw_supply"][1:] == pytest.approx(after, abs=1e-9)


def test_what_a_late_block_cannot_have_is_refused_before_the_first(small_case, block, monkeypatch):
    def stepped(*_):
        raise AssertionError("nothing may be simulated")

    before = everything(small_case)
    monkeypatch.setattr(small_case.stepper.model, "step", stepped)
    with pytest.raises(InvalidValueError, match="Tchws_set_CHI"):
        small_case.advance_many(20, action={"Tchws_set_CHI": disturbance(17)["Tchw_r"]})
    with pytest.raises(InvalidValueError, match="No boundary data"):
        small_case.advance_many(500)
    monkeypatch.undo()
    assert everything(small_case) == before


def test_a_disk_that_gets_full_leaves_everything_as_it_was(small_case, block, monkeypatch):
    from os import pwrite

    small_case.advance({})
    before, rows, calls = everything(small_case), small_case.history_rows().tobytes(), []

    def full(descriptor, data, offset):
        calls.append(offset)
        if len(calls) > 12 // (2 * block):
            raise OSError(28, "No space left on device")
        return pwrite(descriptor, data, offset)

    with monkeypatch.context() as patch:
        patch.setattr("os.pwrite", full)
        with pytest.raises(StorageError, match="No space left"):
            small_case.advance_many(12, action={"CHI02": 1})
    assert everything(small_case) == before
    assert small_case.history_rows().tobytes() == rows
    again = small_case.advance_many(12)
    assert np.isfinite(again.columns["Tchw_supply"]).all()
    assert len(small_case.history_rows()) == 14
