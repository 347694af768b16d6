"""The environment of this process: what the processes that it starts inherit, and what one library reads there.

Settings do not travel through it; see `trivium.settings.Settings.environment`.
"""

from __future__ import annotations

import os
from pathlib import Path

#: The folder that holds the package; processes that work elsewhere need it in PYTHONPATH.
ROOT = Path(__file__).resolve().parent.parent
_METRICS = "PROMETHEUS_MULTIPROC_DIR"


def child_environment(**variables: str) -> dict[str, str]:
    """Return the environment for a process that this one starts: its own, with further variables.

    PYTHONPATH is put before what it holds already.
    """
    inherited = os.environ.get("PYTHONPATH", "")
    if inherited and "PYTHONPATH" in variables:
        variables["PYTHONPATH"] += os.pathsep + inherited
    return {**os.environ, **variables}


def share_metrics(folder: Path) -> None:
    """Have prometheus_client count in files of a folder, in this process and those that are forked from it.

    The library chooses how it counts when it is imported, and looks only here.
    """
    os.environ[_METRICS] = str(folder)


def metrics_are_shared() -> bool:
    """Return whether several processes count together."""
    return bool(os.environ.get(_METRICS))
