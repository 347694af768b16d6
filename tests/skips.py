"""What a run of the tests leaves out: tests/skips.toml says how much of it may, and a run that leaves out more fails."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

import pytest

#: The reasons that are allowed.
LIST = Path(__file__).with_name("skips.toml")
#: How many tests a sentence names.
_NAMED = 10


@dataclass(frozen=True)
class Rule:
    """What may be left out for one reason.

    Attributes
    ----------
    reason : str
        A regular expression: the whole reason that a skip gives.
    where : str
        What the machine lacks.
    most : int
        How many tests may be left out; a file that is skipped as a whole counts as one.
    unless : tuple of str
        What `has` understands. A machine that has all of it has no reason to skip.
    """

    reason: str
    where: str
    most: int
    unless: tuple[str, ...] = ()


def rules(path: Path = LIST) -> list[Rule]:
    """Read the list."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["skip"]
    return [Rule(**{**entry, "unless": tuple(entry.get("unless", ()))}) for entry in entries]


def has(thing: str) -> bool:
    """Return whether this machine has a thing: a ``module``, ``program``, ``variable``, ``file`` or ``requirements``."""
    kind, _, name = thing.partition(" ")
    match kind:
        case "module":
            return importlib.util.find_spec(name) is not None
        case "program":
            return shutil.which(name) is not None
        case "variable":
            return name in os.environ
        case "file":
            return any(Path("/").glob(name.removeprefix("/")))
        case "requirements":
            pins = LIST.parents[1].joinpath(name).read_text(encoding="utf-8").splitlines()
            installed = {
                found.metadata["Name"].lower().replace("_", "-") for found in importlib.metadata.distributions()
            }
            return {pin.partition("==")[0] for pin in pins} <= installed
    raise ValueError(f"{thing} is no module, program, variable, file or requirements")


def faults(skipped: Mapping[str, Set[str]], allowed: list[Rule]) -> Iterator[str]:
    """Say which skips the list does not allow.

    Parameters
    ----------
    skipped : Mapping
        Reason -> tests.
    allowed : list of Rule
    """
    by_rule: dict[Rule, set[str]] = defaultdict(set)
    for reason, tests in skipped.items():
        rule = next((rule for rule in allowed if re.fullmatch(rule.reason, reason)), None)
        if rule is None:
            yield f'tests/skips.toml does not list the reason "{reason}", for which skip: {_names(tests)}'
        else:
            by_rule[rule] |= tests
    for rule, tests in by_rule.items():
        if rule.unless and all(map(has, rule.unless)):
            yield f'"{rule.reason}" is no reason on a machine that has {" and ".join(rule.unless)}: {_names(tests)}'
        if len(tests) > rule.most:
            yield f'for "{rule.reason}" {rule.most} tests may skip at most, not {len(tests)}: {_names(tests)}'


class Skips:
    """A plugin of pytest that prints why tests were skipped, and fails the run if the list does not allow it.

    Parameters
    ----------
    path : Path
        The list.
    """

    def __init__(self, path: Path = LIST) -> None:
        self._rules = rules(path)
        self._skipped: dict[str, set[str]] = defaultdict(set)
        self._faults: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the reason of a test that was skipped."""
        self._keep(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep the reason of a file that was skipped."""
        self._keep(report)

    def _keep(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._skipped[report.longrepr[2].removeprefix("Skipped: ")].add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run."""
        self._faults = list(faults(self._skipped, self._rules))
        if self._faults and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print each reason once, with the number of tests."""
        if self._skipped:
            terminalreporter.section("skipped", "-")
        for reason, tests in sorted(self._skipped.items(), key=lambda item: -len(item[1])):
            terminalreporter.write_line(f"{len(tests):4}  {reason}")
        for fault in self._faults:
            terminalreporter.write_line(f"FAILED: {fault}", red=True)


def _names(tests: Set[str]) -> str:
    named = sorted(tests)
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return ", ".join(named[:_NAMED]) + more
