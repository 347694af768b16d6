"""What every `Model` must do, whatever runs the FMU. An adapter passes by subclassing `ModelContract` in a test module.

The FMU is the small plant of tests/small_plant.py, or the same in another version of FMI (tests/own_fmus.py); its
solution is known.
"""

from __future__ import annotations

import multiprocessing
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.small_plant import FAILING, INPUT_NAMES, OUTPUT_NAMES, SET_POINT, START, temperature
from trivium.errors import ModelError
from trivium.model.contract import Model, Snapshot, State

ModelFactory = Callable[[Path, Path], Model]


def inputs(**values: float) -> np.ndarray:
    """Inputs of the plant, zero where nothing is said and physics allows."""
    base = dict.fromkeys(INPUT_NAMES, 0.0) | {
        "Tchws_set_HEX": SET_POINT,
        "Tchws_set_CHI": 287.0,
        "Twb_outside": 283.0,
        "Tchw_r": 293.0,
        "Mchw": 100.0,
        "Head_required": 12.0,
        "CWP_activatedNumber": 1.0,
    }
    return np.array([(base | values)[name] for name in INPUT_NAMES])


def output(outputs: np.ndarray, name: str) -> float:
    """One output by name."""
    return float(outputs[OUTPUT_NAMES.index(name)])


def _go_on_elsewhere(factory: ModelFactory, fmu: Path, cache: Path, snapshot: Snapshot, queue: object) -> None:
    model = factory(fmu, cache)
    model.restore(snapshot)
    queue.put([model.step(300.0, inputs()).tolist() for _ in range(3)])  # type: ignore[attr-defined]
    model.close()


class ModelContract(ABC):
    """The contract; `factory` must be a function of a module, so that another process can have it."""

    @staticmethod
    @abstractmethod
    def factory(fmu: Path, cache: Path) -> Model:
        """Make a model of an FMU that is unpacked in a cache."""

    #: Whether this kind of model can save its state.
    can_snapshot = True
    #: What the error of a failed step says.
    reason = "The FMU says: .+"
    #: Whether the FMU declares bounds of all its inputs; a model invents none.
    declares_bounds = True

    @pytest.fixture
    def fmu(self, small_resources: Path) -> Path:
        return small_resources / "AlphaDataCenterCooling_FMU.fmu"

    @pytest.fixture
    def model(self, fmu: Path, state_dir: Path) -> Iterator[Model]:
        model = self.factory(fmu, state_dir / "fmu")
        assert model.can_snapshot == self.can_snapshot
        yield model
        model.close()

    def test_variables(self, model):
        assert [v.name for v in model.inputs] == INPUT_NAMES
        assert [v.name for v in model.outputs] == OUTPUT_NAMES
        for variable in model.inputs:
            if self.declares_bounds:
                assert variable.minimum < variable.maximum
            else:
                assert (variable.minimum, variable.maximum) == (None, None)
        by_name = {v.name: v for v in model.inputs}
        assert by_name["Tchws_set_HEX"].unit == "K"
        assert by_name["CHI01"].description

    def test_steps_follow_the_analytic_solution(self, model):
        assert model.state is State.FRESH
        model.initialize(600.0, inputs())
        assert (model.state, model.time) == (State.READY, 600.0)
        for k in range(1, 5):
            outputs = model.step(300.0, inputs())
            assert model.time == 600.0 + 300.0 * k
            assert output(outputs, "Tchw_supply") == pytest.approx(temperature(300 * k), abs=1e-4)

    def test_inputs_arrive_at_their_variables(self, model):
        values = {f"CHI0{i}": float(i % 2) for i in range(1, 7)}
        model.initialize(0.0, inputs())
        outputs = model.step(300.0, inputs(**values, Mchw=123.0, Twb_outside=281.5, Head_required=-3.25))
        assert [output(outputs, f"Pchi{i}") for i in range(1, 7)] == [1e5, 0, 1e5, 0, 1e5, 0]
        assert output(outputs, "VolumeFlowRate_cw") == 123.0
        assert output(outputs, "Tcw_supply") == 281.5
        assert output(outputs, "P_CDWPs_sum") == -3250.0

    def test_steps_may_differ_in_length(self, model):
        model.initialize(0.0, inputs())
        for duration in (1.0, 599.0, 1200.0):
            outputs = model.step(duration, inputs())
        assert output(outputs, "Tchw_supply") == pytest.approx(temperature(1800), abs=1e-4)

    def test_a_step_returns_an_array_of_its_own(self, model):
        model.initialize(0.0, inputs())
        first = model.step(300.0, inputs())
        copy = first.copy()
        model.step(300.0, inputs(Mchw=300.0))
        assert np.array_equal(first, copy)

    def test_outputs_are_there_without_a_step(self, model):
        model.initialize(0.0, inputs(Mchw=123.0))
        first = model.read()
        assert (output(first, "Tchw_supply"), output(first, "VolumeFlowRate_cw")) == (START, 123.0)
        stepped = model.step(300.0, inputs())
        assert np.array_equal(model.read(), stepped)
        assert model.read() is not stepped
        model.reset()
        with pytest.raises(ModelError, match="fresh"):
            model.read()

    def test_initialize_starts_anew(self, model):
        model.initialize(0.0, inputs())
        first = model.step(300.0, inputs())
        model.step(900.0, inputs(Tchws_set_HEX=280.0))
        model.initialize(0.0, inputs())
        assert np.array_equal(model.step(300.0, inputs()), first)

    def test_a_fresh_model_must_be_initialized_before_a_step(self, model):
        with pytest.raises(ModelError, match="fresh"):
            model.step(300.0, inputs())

    def test_a_snapshot_brings_back_exactly_what_was(self, model):
        model.initialize(0.0, inputs())
        model.step(300.0, inputs())
        snapshot = model.snapshot()
        ahead = [model.step(300.0, inputs(Tchws_set_HEX=280.0)) for _ in range(3)]
        model.restore(snapshot)
        assert model.time == 300.0
        assert np.array_equal(ahead, [model.step(300.0, inputs(Tchws_set_HEX=280.0)) for _ in range(3)])

    def test_a_snapshot_of_a_fresh_model_is_fresh(self, model):
        snapshot = model.snapshot()
        model.initialize(0.0, inputs())
        model.restore(snapshot)
        assert model.state is State.FRESH

    def test_a_snapshot_goes_on_in_another_process(self, model, fmu, state_dir):
        model.initialize(0.0, inputs())
        model.step(300.0, inputs())
        snapshot = model.snapshot()
        here = [model.step(300.0, inputs()).tolist() for _ in range(3)]
        context = multiprocessing.get_context("spawn")
        queue = context.Queue()
        arguments = (
            type(self).factory,
            fmu,
            state_dir / "fmu",
            snapshot,
            queue,
        )
        process = context.Process(target=_go_on_elsewhere, args=arguments)
        process.start()
        there = queue.get(timeout=300)
        process.join(300)
        assert there == here

    @pytest.mark.parametrize("bad", [{FAILING: 1.0}, {"Tchws_set_HEX": np.nan}, {"Mchw": np.inf}])
    def test_a_failed_step_says_why_and_a_restore_goes_on(self, model, bad):
        model.initialize(0.0, inputs())
        model.step(300.0, inputs())
        snapshot = model.snapshot()
        for _ in range(3):
            with pytest.raises(ModelError, match=self.reason):
                model.step(300.0, inputs(**bad))
            assert model.state is State.FAILED
            for refused in (lambda: model.step(300.0, inputs()), model.snapshot):
                with pytest.raises(ModelError, match="failed"):
                    refused()
            model.restore(snapshot)
            assert (model.state, model.time) == (State.READY, 300.0)
        assert output(model.step(300.0, inputs()), "Tchw_supply") == pytest.approx(temperature(600), abs=1e-4)

    def test_a_failed_model_can_be_initialized(self, model):
        with pytest.raises(ModelError):
            model.initialize(0.0, inputs(Tchws_set_HEX=np.nan))
        assert model.state is State.FAILED
        model.initialize(0.0, inputs())
        assert output(model.step(300.0, inputs()), "Tchw_supply") == pytest.approx(temperature(300), abs=1e-4)

    def test_nonsense_is_no_snapshot(self, model):
        model.initialize(0.0, inputs())
        with pytest.raises(ModelError):
            model.restore(Snapshot(0.0, b"nonsense"))
        assert model.state is State.FAILED
        model.initialize(0.0, inputs())
        assert model.state is State.READY

    def test_a_twin_goes_its_own_way(self, model):
        model.initialize(0.0, inputs())
        first = model.step(300.0, inputs())
        twin = model.twin()
        assert twin.state is State.FRESH
        twin.initialize(0.0, inputs())
        assert np.array_equal(twin.step(300.0, inputs()), first)
        twin.step(900.0, inputs(Tchws_set_HEX=280.0))
        twin.close()
        assert output(model.step(300.0, inputs()), "Tchw_supply") == pytest.approx(temperature(600), abs=1e-4)

    def test_a_closed_model_answers_nothing_more(self, model):
        model.initialize(0.0, inputs())
        model.close()
        model.close()
        with pytest.raises(ModelError, match="closed"):
            model.initialize(0.0, inputs())
        with pytest.raises(ModelError, match="closed"):
            model.step(300.0, inputs())
