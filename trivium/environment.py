"""The environment of this process: what the processes that it starts inherit, and what one library reads there.

Settings do not travel through it; see `trivium.settings.Settings.environment`.
"""

from __future__ import annotations

import atexit
import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

#: The folder that holds the package; processes that work elsewhere need it in PYTHONPATH.
ROOT = Path(__file__).resolve().parent.parent
_METRICS = "PROMETHEUS_MULTIPROC_DIR"
#: Kinds of figures that are counted, and what is allocated for those of a kind [bytes]: labels have few values.
_KINDS, _ALLOCATED = ("counter", "histogram"), 2**20
_PLOTS = "MPLCONFIGDIR"


def child_environment(**variables: str) -> dict[str, str]:
    """Return the environment for a process that this one starts: its own, with further variables.

    PYTHONPATH is put before what it holds already.
    """
    inherited = os.environ.get("PYTHONPATH", "")
    if inherited and "PYTHONPATH" in variables:
        variables["PYTHONPATH"] += os.pathsep + inherited
    return {**os.environ, **variables}


def tool(variable: str) -> list[str]:
    """Return the words of a command that a variable of all programs names, such as ``CC``; empty for none."""
    return shlex.split(os.environ.get(variable, ""))


def folders(variable: str) -> list[Path]:
    """Return the folders that a variable of all programs names, such as ``MODELICAPATH``; empty for none."""
    return [Path(path) for path in os.environ.get(variable, "").split(os.pathsep) if path]


def share_metrics(folder: Path) -> None:
    """Have prometheus_client count in files of a folder, in this process and those that are forked from it.

    The library chooses how it counts when it is imported, and looks only here.
    """
    os.environ[_METRICS] = str(folder)


def allocate_metrics() -> None:
    """Allocate the files in which prometheus_client counts in this process, before it makes them.

    It maps them, and leaves them sparse: on a full disk the first count would end the process by SIGBUS. Where there is
    no space, this process counts for itself.
    """
    folder = os.environ.get(_METRICS)
    for kind in _KINDS if folder else ():
        try:
            file = os.open(f"{folder}/{kind}_{os.getpid()}.db", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(file, 0, _ALLOCATED)
            finally:
                os.close(file)
        except OSError:
            del os.environ[_METRICS]
            return


def metrics_are_shared() -> bool:
    """Return whether several processes count together."""
    return bool(os.environ.get(_METRICS))


def use_temporary(folder: Path) -> None:
    """Have this process, what it loads and what it starts put temporary files into a folder."""
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


def settle_plots() -> None:
    """Give matplotlib a temporary folder for its files where it cannot write its own, which it would warn about.

    The library chooses the folder when it is imported, and looks only here. The folder is removed as the process ends.
    """
    if os.environ.get(_PLOTS) or not sys.platform.startswith(("linux", "freebsd")):  # elsewhere it is another folder
        return
    bases = [os.environ.get("XDG_CONFIG_HOME") or "~/.config", os.environ.get("XDG_CACHE_HOME") or "~/.cache"]
    if all(_is_writable(Path(os.path.expanduser(base)) / "matplotlib") for base in bases):
        return
    folder = tempfile.mkdtemp(prefix="trivium-plots-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[_PLOTS] = folder


def _is_writable(folder: Path) -> bool:
    """Return whether files can be written in a folder, which may have to be made first."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
