"""Run a command beside eight processes that keep all cores busy: ``python -m tests.busy COMMAND ...``."""

from __future__ import annotations

import subprocess
import sys

PROCESSES = 8


def main() -> int:
    """Run the command and return its exit code."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(PROCESSES)]
    try:
        return subprocess.call(sys.argv[1:])
    finally:
        for process in busy:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
