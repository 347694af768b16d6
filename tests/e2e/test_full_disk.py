"""A disk that runs full under a live server."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.server import ROOT


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["full", "reserve"])
def test_a_full_disk_is_507_and_nothing_acknowledged_is_lost(small_resources, tmp_path, kind):
    trial = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", str(tmp_path)]
    try:
        subprocess.run(trial, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"the kernel lets nobody mount a small file system here: {error}")
    command = ["unshare", "-rm", sys.executable, "-m", "tests.full_disk", str(small_resources), str(tmp_path), kind]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 24
