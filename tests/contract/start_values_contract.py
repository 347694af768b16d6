"""What every `Model` must do with start values and parameters, on the linear FMU of tests/own_fmus.py."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.own_fmus import state
from trivium.errors import ModelError
from trivium.model.contract import Model, Snapshot, State
from trivium.model.fmu.description import FmuDescription, Interface, read_fmu
from trivium.model.horizon import DefaultExperiment

U = np.array([0.5])
ALL = {"x": 3.0, "tau": 20.0, "gain": 7.0, "inverted": 1.0, "label": "größer"}


def outputs(model: Model, values: np.ndarray) -> dict[str, float]:
    """Outputs by name."""
    return dict(zip([v.name for v in model.outputs], values.tolist(), strict=True))


class StartValuesContract(ABC):
    """The contract; an adapter passes by subclassing it in a test module."""

    version = "2.0"
    interface: Interface = "cs"

    @staticmethod
    @abstractmethod
    def make(description: FmuDescription) -> Model:
        """Make a model of an FMU."""

    @pytest.fixture
    def model(self, own_fmu: Callable[..., Path], state_dir: Path) -> Iterator[Model]:
        fmu = own_fmu("linear", self.version, self.interface)
        model = self.make(read_fmu(fmu, state_dir / "fmu", self.interface))
        yield model
        model.close()

    def test_what_may_be_set(self, model):
        there = {v.name: v for v in model.parameters}
        assert {name: (v.kind, v.start, v.text) for name, v in there.items()} == {
            "x": ("real", 1.0, None),
            "tau": ("real", 10.0, None),
            "gain": ("integer", 2.0, None),
            "inverted": ("boolean", 0.0, None),
            "label": ("text", None, "cooling"),
        }
        assert (there["tau"].minimum, there["tau"].unit, there["gain"].maximum) == (0.1, "s", 100.0)
        assert [v.name for v in model.inputs] == ["u"]
        assert {v.name for v in model.outputs} == {"x", "y", "tenfold", "high"}
        step = None if self.version == "1.0" else 0.5  # FMI 1.0 proposes none
        assert model.experiment == DefaultExperiment(start=0.0, stop=100.0, step=step, tolerance=1e-9)

    def test_without_any_the_fmu_has_its_own(self, model):
        model.initialize(0.0, U)
        seen = outputs(model, model.step(4.0, U))
        x = state(4.0, 0.5)
        assert seen == pytest.approx({"x": x, "y": 2 * x, "tenfold": 20.0, "high": 0.0}, abs=1e-6)
        assert model.texts() == {"echo": "cooling"}
        assert model.start_values == {}

    def test_they_change_the_course(self, model):
        model.initialize(0.0, U, ALL)
        seen = outputs(model, model.step(4.0, U))
        x = state(4.0, 0.5, start=3.0, tau=20.0)
        assert seen == pytest.approx({"x": x, "y": -7 * x, "tenfold": 70.0, "high": 1.0}, abs=1e-6)
        assert model.texts() == {"echo": "größer"}
        assert model.start_values == ALL

    def test_they_end_with_the_next_initialization(self, model):
        model.initialize(0.0, U, ALL)
        model.initialize(0.0, U)
        assert outputs(model, model.step(4.0, U))["x"] == pytest.approx(state(4.0, 0.5), abs=1e-6)
        model.reset()
        assert model.start_values == {}

    @pytest.mark.parametrize(
        ("bad", "said"),
        [
            ({"nobody": 1.0}, "nobody"),
            ({"u": 1.0}, "no parameter u"),
            ({"tau": "long"}, "tau"),
            ({"label": 1.0}, "label"),
        ],
    )
    def test_wrong_ones_change_nothing(self, model, bad, said):
        model.initialize(0.0, U, {"tau": 20.0})
        with pytest.raises(ModelError, match=said):
            model.initialize(0.0, U, bad)
        assert (model.state, model.start_values) == (State.READY, {"tau": 20.0})
        assert outputs(model, model.step(4.0, U))["x"] == pytest.approx(state(4.0, 0.5, tau=20.0), abs=1e-6)

    def test_a_snapshot_carries_them(self, model):
        """The FMU's own state has none of them."""
        model.initialize(0.0, U, ALL)
        model.step(4.0, U)
        snapshot = model.snapshot()
        assert snapshot.start_values == ALL
        ahead = model.step(4.0, U)
        model.initialize(0.0, U)
        model.restore(snapshot)
        assert model.start_values == ALL
        assert np.array_equal(model.step(4.0, U), ahead)
        assert model.texts() == {"echo": "größer"}

    def test_a_fresh_snapshot_has_none(self, model):
        fresh = model.snapshot()
        assert fresh == Snapshot(0.0, None)
        model.initialize(0.0, U, ALL)
        model.restore(fresh)
        assert model.start_values == {}
