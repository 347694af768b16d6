"""The FMPy adapters keep the contract, in every version of FMI."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.model_contract import ModelContract, inputs
from tests.contract.start_values_contract import StartValuesContract
from tests.small_plant import FAILING
from trivium.errors import ModelError
from trivium.model.contract import Model
from trivium.model.fmu.description import FmuDescription, read_fmu
from trivium.model.fmu.fmpy_ import FmpyModel
from trivium.model.fmu.fmpy_me import FmpyExchangeModel


class TestFmpyModel(ModelContract):
    @staticmethod
    def factory(fmu: Path, cache: Path) -> Model:
        return FmpyModel(read_fmu(fmu, cache))


class TestFmpyExchangeModel(ModelContract):
    @staticmethod
    def factory(fmu: Path, cache: Path) -> Model:
        return FmpyExchangeModel(read_fmu(fmu, cache, "me"))


class TestFmpyModelOfFmi3(TestFmpyModel):
    declares_bounds = False

    @pytest.fixture
    def fmu(self, own_fmu):
        return own_fmu("plant", "3.0")


class TestFmpyExchangeModelOfFmi3(TestFmpyExchangeModel):
    declares_bounds = False

    @pytest.fixture
    def fmu(self, own_fmu):
        return own_fmu("plant", "3.0")


class WithoutState:
    """What is left of the contract's failures where no snapshot can be had."""

    can_snapshot = False
    test_a_snapshot_brings_back_exactly_what_was = None
    test_a_snapshot_goes_on_in_another_process = None
    test_a_failed_step_says_why_and_a_restore_goes_on = None
    test_nonsense_is_no_snapshot = None

    def test_a_failed_step_says_why(self, model):
        model.initialize(0.0, inputs())
        with pytest.raises(ModelError, match=f"The FMU says: .*{FAILING} makes it fail"):
            model.step(300.0, inputs(**{FAILING: 1.0}))
        with pytest.raises(ModelError, match="failed"):
            model.snapshot()

    def test_no_snapshot(self, model):
        model.initialize(0.0, inputs())
        with pytest.raises(ModelError, match="cannot serialize"):
            model.snapshot()


class TestFmpyModelOfFmi1(WithoutState, TestFmpyModel):
    declares_bounds = False

    @pytest.fixture
    def fmu(self, own_fmu):
        return own_fmu("plant", "1.0", "cs")


class TestFmpyExchangeModelOfFmi1(WithoutState, TestFmpyExchangeModel):
    declares_bounds = False

    @pytest.fixture
    def fmu(self, own_fmu):
        return own_fmu("plant", "1.0", "me")


class TestStartValuesOfFmpyModel(StartValuesContract):
    @staticmethod
    def make(description: FmuDescription) -> Model:
        return FmpyModel(description)


class TestStartValuesOfFmpyModelOfFmi1(TestStartValuesOfFmpyModel):
    version = "1.0"
    test_a_snapshot_carries_them = None  # there is none


class TestStartValuesOfFmpyModelOfFmi3(TestStartValuesOfFmpyModel):
    version = "3.0"


class TestStartValuesOfFmpyExchangeModel(StartValuesContract):
    interface = "me"

    @staticmethod
    def make(description: FmuDescription) -> Model:
        return FmpyExchangeModel(description)


class TestStartValuesOfFmpyExchangeModelOfFmi1(TestStartValuesOfFmpyExchangeModel):
    version = "1.0"
    test_a_snapshot_carries_them = None  # there is none


class TestStartValuesOfFmpyExchangeModelOfFmi3(TestStartValuesOfFmpyExchangeModel):
    version = "3.0"
