"""``import trivium`` is fast, typed, and says what there is."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import trivium

PUBLIC = sorted(set(trivium.__all__) - {"errors"})


def test_import_brings_nothing_heavy():
    program = (
        "import sys, trivium; dir(trivium); trivium.__version__; trivium.errors\n"
        "print([m for m in ('numpy', 'pandas', 'fmpy', 'pydantic', 'flask', 'dask') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.strip() == "[]"


def test_dir_lists_the_public_names():
    assert {"Client", "Coupling", "Study", "TestCase", "errors", "info", "open", "simulate"} <= set(dir(trivium))
    assert set(trivium.__all__) | {"__version__"} == set(dir(trivium))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_a_docstring_of_one_line_first(name):
    first, *rest = inspect.getdoc(getattr(trivium, name)).splitlines()
    assert first.endswith(".")
    assert not rest or rest[0] == ""


def test_a_misspelt_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'simulat'"):
        trivium.simulat  # noqa: B018


@pytest.mark.slow
def test_a_users_program_passes_strict_type_checking(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import trivium\n"
        "\n"
        "def energy(price: float = 1.0) -> dict[str, float]:\n"
        '    return {"demand": 10 - 2 * price}\n'
        "\n"
        'frame = trivium.simulate("x.fmu", stop_time=10, step=0.01, start_values={"g": 9.8})\n'
        'with trivium.open("x.fmu") as simulation:\n'
        "    simulation.step = 2.0\n"
        '    observed: dict[str, object] = simulation.advance({"u": 1.0}, steps=2)\n'
        "    kpis: dict[str, float | None] = simulation.kpis()\n"
        'results = trivium.Study("x.fmu", {"g": [9.8, 1.6]}, stop_time=10).run(workers=0)\n'
        'converged: bool = trivium.Coupling({"energy": energy}).converge(tolerance=1e-3).converged\n'
        'print(trivium.info("x.fmu").counts, trivium.Client("http://127.0.0.1").url, trivium.errors.TriviumError)\n'
        "reveal_type(trivium.open)\n"
    )
    wrong = tmp_path / "wrong.py"
    wrong.write_text('import trivium\n\ntrivium.simulate("x.fmu", stop=10)\ntrivium.info(3.5)\ntrivium.opne("x.fmu")\n')
    root = str(Path(trivium.__file__).parents[1])

    def check(path: Path) -> str:
        command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(path)]
        environment = {"MYPYPATH": root, "PATH": ""}
        options = ["--config-file", str(Path(root) / "pyproject.toml"), "--follow-imports", "silent"]
        done = subprocess.run([*command, *options], cwd=tmp_path, env=environment, capture_output=True, text=True)
        return done.stdout + done.stderr

    found = check(program)
    assert "Success" in found, found
    assert "TestCase" in found
    refused = check(wrong)
    assert 'Unexpected keyword argument "stop"' in refused
    assert "incompatible type" in refused
    assert '"opne"' in refused
