"""Make what lies beside this script anew, against a server that it starts and ends: ``python testing/record.py``.

Writes Pumps_P_Fmpy_mlp_restapi.csv (the replay of the recorded run by our plant) and runs test_REST_API.ipynb in place.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbclient
import nbformat
import validate_rest_api as validation

HERE = validation.HERE
RECORD = HERE / "Pumps_P_Fmpy_mlp_restapi.csv"
NOTEBOOK = HERE / "test_REST_API.ipynb"
PATIENCE = 60.0  # s until the server must answer


def wait(server: validation.Server, process: subprocess.Popen[bytes]) -> None:
    """Return when the server answers."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            server.get("version")
        except validation.ServerError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def run_notebook(url: str) -> None:
    """Execute the notebook and keep what does not change from run to run."""
    os.environ["TRIVIUM_URL"] = url
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    folder = {"metadata": {"path": str(HERE)}}
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3", resources=folder).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        progress = [o for o in cell.get("outputs", []) if o.get("name") == "stderr"]
        if progress:  # only how the bar ended
            last = "".join(o["text"] for o in progress).replace("\r", "\n").strip().splitlines()[-1]
            kept = [o for o in cell["outputs"] if o.get("name") != "stderr"]
            cell["outputs"] = [nbformat.v4.new_output("stream", name="stderr", text=f"{last}\n"), *kept]
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, NOTEBOOK)


def main() -> int:
    """Record against a server of our own."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with tempfile.TemporaryDirectory() as state:
        environment = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port), "TRIVIUM_STATE_DIR": state}
        command = [sys.executable, "-m", "trivium.cli", "serve"]
        process = subprocess.Popen(command, cwd=Path(HERE).parent, env=environment, start_new_session=True)
        try:
            url = f"http://127.0.0.1:{port}"
            wait(validation.Server(url), process)
            code = validation.main(["--url", url, "--record", str(RECORD)])
            run_notebook(url)
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(30)
    return code


if __name__ == "__main__":
    sys.exit(main())
