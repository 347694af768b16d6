"""Fixtures for all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from adcc.core.testcase import TestCase
from adcc.session.local import open_testcase
from tests.linear_fmu import build_linear
from tests.trap_fmu import TrapFactory, TrapResources


@pytest.fixture(scope="session")
def small_resources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the test case with the small plant; see tests/small_plant.py."""
    from tests.small_plant import write_resources

    return write_resources(tmp_path_factory.mktemp("small") / "Resources")


@pytest.fixture(scope="session")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory for the whole session, so that an FMU is unpacked once."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="session")
def trap_fmu(tmp_path_factory: pytest.TempPathFactory) -> TrapFactory:
    """Build an FMU that fails in a chosen way: trap_fmu(restore="none", ...); see tests/trap_fmu.py."""
    pytest.importorskip("ziglang", reason="ziglang compiles the FMU")
    return TrapFactory(tmp_path_factory.mktemp("traps"))


@pytest.fixture(scope="session")
def linear_fmu(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a linear system with parameters of every type of FMI 2.0; see tests/linear_fmu.py."""
    pytest.importorskip("ziglang", reason="ziglang compiles the FMU")
    return build_linear(tmp_path_factory.mktemp("linear") / "linear.fmu")


@pytest.fixture(scope="session")
def trap_resources(tmp_path_factory: pytest.TempPathFactory, small_resources: Path) -> TrapResources:
    """Build a test case around such an FMU: trap_resources(brittle=True, ...); see tests/trap_fmu.py."""
    return TrapResources(tmp_path_factory.mktemp("trap-cases"), small_resources)


@pytest.fixture
def small_case(small_resources: Path, state_dir: Path) -> Iterator[TestCase]:
    """A test case with the small plant, at t = 0."""
    case = open_testcase(small_resources, state_dir)
    yield case
    case.close()


@pytest.fixture(scope="session")
def resources() -> Path:
    """The Resources folder of the repository."""
    return Path(__file__).resolve().parent.parent / "Resources"


@pytest.fixture(scope="session")
def reference_resources() -> Path:
    """The Resources folder of AlphaDataCenterCooling, where ADCC_REFERENCE_RESOURCES names it."""
    folder = os.environ.get("ADCC_REFERENCE_RESOURCES", "")
    if not folder:
        pytest.skip("ADCC_REFERENCE_RESOURCES does not name the Resources folder of AlphaDataCenterCooling")
    return Path(folder)
