"""What a worker calls itself shows to others whether it has ended."""

from __future__ import annotations

import subprocess
import sys

import pytest

from trivium.jobs.table import is_dead, process_name


def test_a_worker_of_this_machine_that_has_ended_is_dead():
    code = "from trivium.jobs.table import process_name; print(process_name())"
    name = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert is_dead(name)
    assert not is_dead(process_name())


@pytest.mark.parametrize("part", [0, 3])
def test_nothing_is_known_of_workers_elsewhere(part):
    parts = process_name().split(":")
    assert is_dead(":".join([*parts[:2], "1", parts[3]]))  # its number was used again
    parts[part], parts[2] = "elsewhere", "1"
    assert not is_dead(":".join(parts))


@pytest.mark.parametrize("name", ["", "node", "node:12", "a:b:c:d", ":::"])
def test_other_names_are_not_dead(name):
    assert not is_dead(name)
