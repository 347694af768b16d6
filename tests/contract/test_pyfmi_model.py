"""The PyFMI adapters keep the contract, where PyFMI is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.contract.model_contract import ModelContract, inputs, output
from tests.contract.start_values_contract import StartValuesContract
from tests.optional import needs_engine
from tests.small_plant import temperature
from trivium.model.contract import Model
from trivium.model.fmu.description import FmuDescription, read_fmu
from trivium.model.fmu.fmu_model import Solving

needs_engine("pyfmi")


class TestPyfmiModel(ModelContract):
    @staticmethod
    def factory(fmu: Path, cache: Path) -> Model:
        from trivium.model.fmu.pyfmi_ import PyfmiModel

        return PyfmiModel(read_fmu(fmu, cache, "cs"))


class TestPyfmiExchangeModel(ModelContract):
    @staticmethod
    def factory(fmu: Path, cache: Path) -> Model:
        from trivium.model.fmu.pyfmi_ import PyfmiExchangeModel

        return PyfmiExchangeModel(read_fmu(fmu, cache, "me"))


class TestStartValuesOfPyfmiModel(StartValuesContract):
    @staticmethod
    def make(description: FmuDescription) -> Model:
        from trivium.model.fmu.pyfmi_ import PyfmiModel

        return PyfmiModel(description)


class TestStartValuesOfPyfmiExchangeModel(StartValuesContract):
    interface = "me"

    @staticmethod
    def make(description: FmuDescription) -> Model:
        from trivium.model.fmu.pyfmi_ import PyfmiExchangeModel

        return PyfmiExchangeModel(description)


def restarting(fmu: Path, cache: Path) -> Model:
    from trivium.model.fmu.pyfmi_ import PyfmiExchangeModel

    return PyfmiExchangeModel(read_fmu(fmu, cache, "me"), Solving(restart=True))


def test_a_simulation_at_every_step_follows_the_solution_as_far_as_the_references_numerics_do(
    small_resources, state_dir
):
    model = restarting(small_resources / "AlphaDataCenterCooling_FMU.fmu", state_dir / "fmu")
    model.initialize(0.0, inputs())
    for k in range(1, 5):
        outputs = model.step(300.0, inputs())
        assert output(outputs, "Tchw_supply") == pytest.approx(temperature(300 * k), abs=5e-3)
    snapshot = model.snapshot()
    ahead = model.step(300.0, inputs())
    model.restore(snapshot)
    assert np.array_equal(model.step(300.0, inputs()), ahead)
    model.close()


def test_no_file_is_left_in_the_working_directory(small_resources, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for factory in (TestPyfmiModel.factory, TestPyfmiExchangeModel.factory, restarting):
        model = factory(small_resources / "AlphaDataCenterCooling_FMU.fmu", tmp_path / "cache")
        model.initialize(0.0, inputs())
        assert np.isfinite(model.step(300.0, inputs())).all()
        model.close()
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]
