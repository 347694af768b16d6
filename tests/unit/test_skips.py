"""A run that leaves out more tests than tests/skips.toml allows fails, and says which."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import ROOT
from tests.skips import Rule, faults, has, rules

SHELF = """
import pytest

def test_passes(): pass

@pytest.mark.skip(reason="there is no shelf")
@pytest.mark.parametrize("n", range(3))
def test_shelf(n): pass

@pytest.mark.xfail(reason="known")
def test_fails(): assert False
"""
CONFTEST = """
from pathlib import Path
from tests.skips import Skips

def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Skips(Path(__file__).with_name("skips.toml")))
"""
LIST = """
[[skip]]
reason = "there is no .helf"
where = "anywhere"
most = 2
"""


def run(folder: Path, *options: str, extra: str = "") -> subprocess.CompletedProcess[str]:
    """Run tests of which three skip with a list that allows two to."""
    files = {"test_shelf.py": SHELF + extra, "conftest.py": CONFTEST, "skips.toml": LIST, "pytest.ini": "[pytest]"}
    for name, text in files.items():
        (folder / name).write_text(text)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(folder)]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(words, cwd=ROOT, env=alone, capture_output=True, text=True, timeout=300)


def test_as_many_as_are_listed_may_skip_so_a_part_of_the_tests_may(tmp_path):
    done = run(tmp_path, "-k", "not 2")
    assert done.returncode == 0, done.stdout
    assert "   2  there is no shelf" in done.stdout


@pytest.mark.parametrize("options", [(), ("-p", "xdist", "--numprocesses", "2")])
def test_one_more_fails_the_run_in_workers_too(tmp_path, options):
    done = run(tmp_path, *options)
    assert done.returncode == 1
    assert 'FAILED: for "there is no .helf" 2 tests may skip at most, not 3: ' in done.stdout
    for n in range(3):
        assert f"test_shelf.py::test_shelf[{n}]" in done.stdout


@pytest.mark.parametrize(
    "extra",
    ['pytest.skip("not today", allow_module_level=True)', 'def test_today(): pytest.skip("not today")'],
)
def test_a_reason_that_is_not_listed_fails_the_run(tmp_path, extra):
    done = run(tmp_path, "-k", "today", extra=extra)
    assert done.returncode == 1
    assert 'tests/skips.toml does not list the reason "not today", for which skip: ' in done.stdout
    assert "test_shelf.py" in done.stdout.partition("for which skip: ")[2]


def test_what_is_there_is_no_reason():
    here, elsewhere = (Rule("r", "w", 9, ("program sh", f"module {name}")) for name in ("os", "no_such_module"))
    assert list(faults({"r": {"t"}}, [here])) == ['"r" is no reason on a machine that has program sh and module os: t']
    assert list(faults({"r": {"t"}}, [elsewhere])) == []


def test_what_a_machine_has(monkeypatch):
    monkeypatch.setenv("THERE", "")
    there = ("module json", "program sh", "variable THERE", "file /proc/sel*/fd")
    assert all(map(has, there))
    assert not any(has(f"{thing}-not") for thing in there)
    with pytest.raises(ValueError, match="moon is no module"):
        has("moon")


def test_packages_of_the_lock_are_found(tmp_path):
    (tmp_path / "some.txt").write_text("pytest==0\nnumpy==1.0\n")
    assert has(f"requirements {tmp_path / 'some.txt'}")
    (tmp_path / "some.txt").write_text("pytest==0\nno-such-package==1.0\n")
    assert not has(f"requirements {tmp_path / 'some.txt'}")


def test_every_reason_of_the_tests_is_listed():
    """Those that are put together while a test runs are seen only there."""
    listed = rules()
    found = [(path, reason) for path in (ROOT / "tests").rglob("*.py") for reason in reasons(path)]
    assert len(found) > 50
    for path, reason in found:
        if path != Path(__file__):
            assert any(re.fullmatch(rule.reason, reason) for rule in listed), f"{path}: {reason}"


def reasons(path: Path) -> Iterator[str]:
    """Yield the reasons of a file that it has as they are."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call):
            name = ast.unparse(call.func).rpartition(".")[2]
            named = [word.value for word in call.keywords if word.arg == "reason"]
            place = {"skip": 0, "needs": 1}.get(name)
            given = call.args[place : place + 1] if place is not None else []
            if name in ("skip", "skipif", "importorskip", "needs"):
                yield from (each.value for each in given + named if isinstance(each, ast.Constant))


def test_what_the_list_asks_for_can_be_looked_up():
    for rule in rules():
        assert rule.most > 0
        assert all(has(thing) in (True, False) for thing in rule.unless)
