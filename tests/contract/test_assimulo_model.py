"""The adapter for Assimulo's solvers keeps the contract, in every version of FMI."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.model_contract import ModelContract
from tests.contract.start_values_contract import StartValuesContract
from tests.contract.test_fmpy_model import WithoutState
from trivium.model.contract import Model
from trivium.model.fmu.assimulo_ import AssimuloExchangeModel
from trivium.model.fmu.description import FmuDescription, read_fmu
from trivium.model.fmu.fmu_model import Solving


class TestAssimuloModel(ModelContract):
    # where states grow to infinity, the solvers give up before the FMU does
    reason = "the FMU failed to step: .+"

    @staticmethod
    def factory(fmu: Path, cache: Path) -> Model:
        return AssimuloExchangeModel(read_fmu(fmu, cache, "me"))


@pytest.mark.slow
class TestAssimuloModelWithCvode(TestAssimuloModel):
    @staticmethod
    def factory(fmu: Path, cache: Path) -> Model:
        return AssimuloExchangeModel(read_fmu(fmu, cache, "me"), Solving(solver="CVode"))


@pytest.mark.slow
class TestAssimuloModelWithLsodar(TestAssimuloModel):
    @staticmethod
    def factory(fmu: Path, cache: Path) -> Model:
        return AssimuloExchangeModel(read_fmu(fmu, cache, "me"), Solving(solver="LSODAR"))


@pytest.mark.slow
class TestAssimuloModelOfFmi3(TestAssimuloModel):
    declares_bounds = False

    @pytest.fixture
    def fmu(self, own_fmu):
        return own_fmu("plant", "3.0")


class TestAssimuloModelOfFmi1(WithoutState, TestAssimuloModel):
    declares_bounds = False

    @pytest.fixture
    def fmu(self, own_fmu):
        return own_fmu("plant", "1.0", "me")


class TestStartValuesOfAssimuloModel(StartValuesContract):
    interface = "me"

    @staticmethod
    def make(description: FmuDescription) -> Model:
        return AssimuloExchangeModel(description)


class TestStartValuesOfAssimuloModelOfFmi1(TestStartValuesOfAssimuloModel):
    version = "1.0"
    test_a_snapshot_carries_them = None  # there is none


class TestStartValuesOfAssimuloModelOfFmi3(TestStartValuesOfAssimuloModel):
    version = "3.0"
