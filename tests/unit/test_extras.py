"""Missing packages, and the commands that install them."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import ROOT
from trivium import extras, locations
from trivium.errors import MissingExtraError


@pytest.fixture(autouse=True)
def installed_from_a_wheel(monkeypatch):
    monkeypatch.setattr(locations, "checkout", lambda: None)


def test_a_checkout_installs_its_own_sources(monkeypatch) -> None:
    """An index may hold another version, or another product, under this name."""
    monkeypatch.setattr(locations, "checkout", lambda: ROOT)
    assert shlex.split(extras.command("gym", "python")) == [
        "python",
        "-m",
        "pip",
        "install",
        "--editable",
        f"{ROOT}[gym]",
    ]


def test_a_missing_package_is_reported_with_a_command_that_can_be_typed() -> None:
    with pytest.raises(MissingExtraError) as caught:
        extras.require("no_such_package", "results")
    reason, _, command = str(caught.value).partition("; install it with: ")
    assert reason == "no_such_package is not installed"
    words = shlex.split(command)
    assert sys.executable in words
    assert words[-1] == "trivium[results]"


def test_a_path_with_spaces_is_quoted() -> None:
    assert extras.command("gym", "/my home/python") == "'/my home/python' -m pip install 'trivium[gym]'"


def test_an_environment_without_pip_is_served_by_uv(monkeypatch) -> None:
    monkeypatch.setattr(extras.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(extras.shutil, "which", lambda name: "/bin/uv")
    assert shlex.split(extras.command("gym")) == ["uv", "pip", "install", "--python", sys.executable, "trivium[gym]"]
    monkeypatch.setattr(extras.shutil, "which", lambda name: None)
    assert shlex.split(extras.command("gym")) == [sys.executable, "-m", "pip", "install", "trivium[gym]"]


@pytest.mark.parametrize("kind", ["ImportError", "RuntimeError", "SyntaxError"])
def test_a_broken_package_is_not_called_missing(kind, tmp_path, monkeypatch) -> None:
    file = tmp_path / f"broken_by_{kind}.py"
    file.write_text(f"raise {kind}('libfoo.so.3 is damaged')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtraError) as caught:
        extras.require(file.stem, "sweep")
    reason, _, command = str(caught.value).partition("; install it again with: ")
    assert reason == f"{file.stem} in {file} cannot be imported (libfoo.so.3 is damaged)"
    assert "trivium[sweep]" in command


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="matplotlib's folder is elsewhere")
def test_a_home_that_cannot_be_written_is_no_reason_for_a_warning_of_matplotlib(tmp_path) -> None:
    pytest.importorskip("matplotlib", reason="the extra results is not installed")
    (tmp_path / "home").touch()  # a file: no folder can be made in it, not even by root
    names = ("MPLCONFIGDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")
    inherited = {name: value for name, value in os.environ.items() if name not in names}
    program = "from trivium.extras import require; print(require('matplotlib', 'results').get_configdir())"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={**inherited, "HOME": str(tmp_path / "home")},
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    assert not Path(done.stdout.strip()).exists()  # it ends with the process


def test_no_other_module_writes_such_a_command() -> None:
    for path in (ROOT / "trivium").rglob("*.py"):
        if path.name != "extras.py":
            assert "pip install" not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize("module", ["llvmlite", "numba", "h5py", "distributed"])
@pytest.mark.parametrize("use", ["trivium.Study", "import trivium.study"])
def test_a_base_install_says_how_to_get_sweeps(module: str, use: str) -> None:
    program = f"import sys; sys.modules[{module!r}] = None; import trivium\n{use}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"trivium.errors.MissingExtraError: {module} is not installed; install it with: "), last
    assert shlex.split(last)[-1].endswith("[sweep]")


def test_a_package_whose_own_requirement_is_missing_is_not_there_either(tmp_path: Path) -> None:
    (tmp_path / "numba.py").write_text("raise ModuleNotFoundError(\"No module named 'llvmlite'\", name='llvmlite')")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from trivium.experiment.fmu import load_loop; load_loop()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert "trivium.errors.MissingExtraError: " in done.stderr.splitlines()[-1], done.stderr


@pytest.fixture
def site(tmp_path, monkeypatch):
    """An empty folder of packages in which distributions can be installed."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(module: str, metadata: str, **files: str) -> None:
        (tmp_path / module).mkdir(exist_ok=True)
        (tmp_path / module / "__init__.py").write_text("raise SystemError('imported')")
        folder = tmp_path / metadata
        folder.mkdir()
        name, _, version = metadata.rpartition(".")[0].partition("-")
        (folder / ("METADATA" if metadata.endswith("dist-info") else "PKG-INFO")).write_text(
            f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version.partition('-')[0]}\n"
        )
        for file, text in files.items():
            (folder / file.replace("__", ".")).write_text(text)

    return install


@pytest.mark.parametrize(
    ("metadata", "files", "version"),
    [
        ("{}-3.8.0.dist-info", {}, "3.8.0"),
        ("{}_testing-3.9.0b2.dist-info", {"RECORD": "{}/__init__.py,,\n"}, "3.9.0b2"),
        ("{}_testing-3.9.0b2.dist-info", {"RECORD": "{}_testing/__init__.py,,\n"}, "unknown"),  # a plug-in
        ("{}-2.21.0-py3.11.egg-info", {}, "2.21.0"),
        ("{}_old-2.21.0.egg-info", {"top_level__txt": "{}\n"}, "2.21.0"),
        ("other-1.0.dist-info", {}, "unknown"),
    ],
)
def test_a_module_has_the_version_of_what_brings_it(site, request, metadata, files, version) -> None:
    module = f"solver{abs(hash(request.node.name))}"  # what was found is kept
    site(module, metadata.format(module), **{name: text.format(module) for name, text in files.items()})
    assert extras.version_of(module) == version


def test_two_distributions_that_bring_a_module_are_both_named(site) -> None:
    site("twice", "twice-3.8.0.dist-info")
    site("twice", "twice_testing-3.9.0b2.dist-info", RECORD="twice/__init__.py,,\n")
    assert extras.version_of("twice") == "3.8.0 and 3.9.0b2"


def test_a_module_that_is_not_there_has_no_version(tmp_path, monkeypatch) -> None:
    (tmp_path / "left_over").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert extras.version_of("left_over") is None
    assert extras.version_of("no_such_package") is None


def test_the_versions_here_are_those_that_the_environment_names() -> None:
    from importlib.metadata import packages_distributions, version

    brought = packages_distributions()
    for module in ("assimulo", "numpy", "fmpy"):
        if module in brought:
            assert extras.version_of(module) == version(brought[module][0])
