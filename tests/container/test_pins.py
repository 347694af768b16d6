"""The lock of the images, for the processors that they are built for."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from trivium.environment import ROOT

LOCK = ROOT / "requirements/image.txt"


@pytest.mark.parametrize("processor", ["x86_64", "aarch64"])
def test_every_pin_has_a_wheel(processor, tmp_path):
    platform = (
        "--python-version",
        "3.11",
        "--python-platform",
        f"{processor}-manylinux_2_36",
        "--only-binary",
        ":all:",
    )
    what = ("--no-deps", "--target", tmp_path, "--requirement", LOCK)
    command = (sys.executable, "-m", "uv", "pip", "install", "--dry-run", *platform, *what)
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = re.findall(r"^ \+ (\S+?==\S+)", done.stderr, flags=re.MULTILINE)
    assert sorted(found) == sorted(LOCK.read_text(encoding="utf-8").split())
