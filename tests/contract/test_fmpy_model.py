"""The FMPy adapter keeps the contract."""

from __future__ import annotations

from pathlib import Path

from adcc.core.model import Model
from adcc.fmu.description import read_fmu
from adcc.fmu.fmpy_ import FmpyModel
from adcc.fmu.fmpy_me import FmpyExchangeModel
from tests.contract.model_contract import ModelContract
from tests.contract.start_values_contract import StartValuesContract


class TestFmpyModel(ModelContract):
    @staticmethod
    def factory(fmu: Path, cache: Path) -> Model:
        return FmpyModel(read_fmu(fmu, cache))


class TestFmpyExchangeModel(ModelContract):
    @staticmethod
    def factory(fmu: Path, cache: Path) -> Model:
        return FmpyExchangeModel(read_fmu(fmu, cache, "me"))


class TestStartValuesOfFmpyModel(StartValuesContract):
    make = staticmethod(TestFmpyModel.factory)


class TestStartValuesOfFmpyExchangeModel(StartValuesContract):
    make = staticmethod(TestFmpyExchangeModel.factory)
