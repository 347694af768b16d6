"""Serving loads no PyTorch: not for reading the surrogates, nor for evaluating them, in none of its processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import ROOT, Server

LIBRARIES = ("libtorch", "/torch/")

#: What each process of a server imports, and a step of the plant; an import of torch anywhere ends the program.
SERVING = """
import sys
from pathlib import Path
import trivium.server.app
from trivium.session.local import open_testcase
from trivium.session.zygote import warm_up
warm_up()
case = open_testcase(Path(sys.argv[1]), Path(sys.argv[2]))
case.initialize(300000.0)
print(case.advance({"CHI01": 1, "CHI01_CW3": 1})["P_CDWPs_sum"])
case.close()
assert "torch" not in sys.modules
"""


def test_serving_imports_no_torch(resources: Path, state_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise AssertionError('torch is imported')\n")
    path = f"{tmp_path}:{ROOT}"
    for program, message in ((SERVING, ""), ("import torch", "torch is imported")):
        done = subprocess.run(
            [sys.executable, "-c", program, str(resources), str(state_dir)],
            env={"PYTHONPATH": path}, capture_output=True, text=True,
        )  # fmt: skip
        assert bool(done.returncode) == bool(message), done.stderr
        assert message in done.stderr
        if not message:
            assert float(done.stdout) > 0.0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what a process has loaded")
def test_no_process_of_a_server_has_loaded_it(resources: Path, tmp_path: Path) -> None:
    with Server(resources, tmp_path / "state") as server:
        assert server.request("POST", "/advance", {})[0] == 200
        hosts = server.hosts()
        parents = [_parent(pid) for pid in hosts]  # templates, or the zygote
        processes = {server.process.pid, *server.workers(), *hosts, *parents}
        assert len(processes) >= 4
        for pid in processes:
            loaded = Path(f"/proc/{pid}/maps").read_text()
            assert "numpy" in loaded or pid == server.process.pid
            assert not any(name in loaded for name in LIBRARIES)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
