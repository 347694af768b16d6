"""Fixtures for all tests."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.postgres import Postgres, empty_store
from tests.shared import FMUS, IDLE, kept_template, once, root, share_fmus
from tests.skips import Skips
from tests.trap_fmu import TrapFactory, TrapResources
from trivium.evaluation.testcase import TestCase
from trivium.model.fmu import trying
from trivium.session.local import open_testcase

# a deadline for each example would make a test depend on how busy the machine is
hypothesis.settings.register_profile("thorough", deadline=None)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=30)
hypothesis.settings.load_profile("quick")


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder of FMUs that all processes of a run share, and let those that it starts keep their bytecode.

    uv installs without bytecode. Where PYTHONDONTWRITEBYTECODE is set, as in many images of containers, each of the
    hundreds of processes that the tests start would compile all that it imports, two thirds of what it costs.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if not hasattr(config, "workerinput"):
        os.environ[FMUS] = tempfile.mkdtemp(prefix="trivium-fmus-")
        config.pluginmanager.register(Skips())


#: What takes a worker longest, or a compiler: it begins first, so that no worker is left with it at the end.
_FIRST = ("tests/e2e/test_docs_contract.py", "tests/unit/workshop/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put it first; all else keeps its order."""
    items.sort(key=lambda item: not item.nodeid.startswith(_FIRST))


def pytest_collection_finish() -> None:
    """Take what was collected out of the garbage collector's sight, and let it look at all else less often.

    Its rounds over everything took an eighth of a worker's time.
    """
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, 100)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove it."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(FMUS), ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def kept_templates() -> Iterator[None]:
    """Keep the interpreters in which FMUs are tried."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trying, "Template", kept_template)
        yield
    while IDLE:
        IDLE.pop().close()


@pytest.fixture(scope="session")
def small_resources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the test case with the small plant; see tests/small_plant.py."""

    def write(folder: Path) -> object:
        from tests.small_plant import write_resources

        return write_resources(folder)

    return once(root(tmp_path_factory) / "small" / "Resources", write)


@pytest.fixture(scope="session")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory for the whole session, so that an FMU is unpacked once."""
    folder = tmp_path_factory.mktemp("state")
    share_fmus(folder)
    return folder


@pytest.fixture(scope="session")
def trap_fmu(tmp_path_factory: pytest.TempPathFactory) -> TrapFactory:
    """Build an FMU that fails in a chosen way: trap_fmu(restore="none", ...); see tests/trap_fmu.py."""
    pytest.importorskip("ziglang", reason="ziglang compiles the FMU")
    return TrapFactory(root(tmp_path_factory) / "traps")


@pytest.fixture(scope="session")
def own_fmu(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, str], Path]:
    """Build an FMU of tests/own_fmus.py: own_fmu("linear", "3.0", "me"); the interface counts in FMI 1.0."""
    pytest.importorskip("ziglang", reason="ziglang compiles the FMU")
    folder = root(tmp_path_factory) / "own"

    def make(name: str, version: str, interface: str = "cs") -> Path:
        from tests import own_fmus

        path = folder / f"{name}-{version}-{interface if version == '1.0' else 'both'}.fmu"
        spec = getattr(own_fmus, name.upper())
        return once(path, lambda unfinished: own_fmus.build(spec, unfinished, version, interface))

    return make


@pytest.fixture(scope="session")
def trap_resources(tmp_path_factory: pytest.TempPathFactory, small_resources: Path) -> TrapResources:
    """Build a test case around such an FMU: trap_resources(brittle=True, ...); see tests/trap_fmu.py."""
    return TrapResources(root(tmp_path_factory) / "trap-cases", small_resources)


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
    """The Resources folder of AlphaDataCenterCooling, where TRIVIUM_REFERENCE_RESOURCES names it."""
    folder = os.environ.get("TRIVIUM_REFERENCE_RESOURCES", "")
    if not folder:
        pytest.skip("TRIVIUM_REFERENCE_RESOURCES does not name the Resources folder of AlphaDataCenterCooling")
    return Path(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL server; see tests/postgres.py."""
    pytest.importorskip("psycopg", reason="psycopg talks to PostgreSQL")
    try:
        server = Postgres()
    except RuntimeError as error:
        pytest.skip(str(error))
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def jobs_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store of jobs, once of each kind."""
    return empty_store(request, tmp_path)


#: How many files are printed.
_FILES = 10


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the files that take longest: a worker runs a file as a whole, so the longest bounds the run."""
    seconds: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[report.nodeid.partition("::")[0]] += report.duration
    if len(seconds) > _FILES:
        terminalreporter.section("slowest files", "-")
        for path, duration in seconds.most_common(_FILES):
            terminalreporter.write_line(f"{duration:6.1f}s {path}")
