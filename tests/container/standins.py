"""Stand-ins for the base images where no registry can be reached: the same names, made of Debian and of this machine's Python."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

from tests.container.engine import Engine

_HERE = Path(__file__).parent / "standins"
_DEBIAN = "trivium-test/debian"
#: The names that Dockerfile and docker-compose.yml ask for, and the files that make stand-ins of them.
NAMES = {
    "python": "python:3.11-slim",
    "micromamba": "mambaorg/micromamba:2.0.5",
    "postgres": "postgres:17",
    "prometheus": "prom/prometheus:v3.5.0",
}


def make(engine: Engine) -> None:
    """Make the stand-ins that are not there yet."""
    if engine.docker("image", "inspect", _DEBIAN, check=False).returncode != 0:
        engine.docker("import", engine.base, _DEBIAN)
    for name, tag in NAMES.items():
        if engine.docker("image", "inspect", tag, check=False).returncode == 0:
            continue
        context = engine.work / "standins" / name
        shutil.copytree(_HERE, context, dirs_exist_ok=True)
        if name == "python":
            _copy_interpreter(context / "usr/local")
        engine.docker("build", "--quiet", "--tag", tag, "--file", context / f"{name}.Dockerfile", context)


def _copy_interpreter(folder: Path) -> None:
    """Copy the interpreter that runs this, with its library and pip, as python:3.11-slim has them."""
    base, name = Path(sys.base_prefix), f"python{sys.version_info.major}.{sys.version_info.minor}"
    library = folder / "lib" / name
    left_out = shutil.ignore_patterns("__pycache__", "test", "tests", "config-*", "idlelib", "tkinter", "site-packages")
    shutil.copytree(base / "lib" / name, library, symlinks=True, ignore=left_out)
    for found in (base / "lib").glob("libpython*.so*"):
        shutil.copy2(found, folder / "lib", follow_symlinks=False)
    (folder / "bin").mkdir()
    shutil.copy2(base / "bin" / name, folder / "bin")
    for alias in ("python", "python3"):
        (folder / "bin" / alias).symlink_to(name)
    # the environment's pip: the interpreter of a distribution has none of its own
    target = library / "site-packages"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--target", target, "pip"], check=True
    )


def build_variables(folder: Path) -> dict[str, str]:
    """Return what a build needs to reach packages from here, as variables of docker-compose.yml.

    The certificates that this machine trusts, and the indexes that its pip asks; nothing of them stays in an image.
    """
    variables = {}
    paths = ssl.get_default_verify_paths()
    if paths.cafile and os.environ.get(paths.openssl_cafile_env):
        variables["BUILD_CA"] = shutil.copy(paths.cafile, folder / "ca.pem")
    for option in ("index-url", "extra-index-url"):
        addresses = " ".join(address for address in _pip(option).split() if address.startswith("http"))
        if addresses:
            variables[f"PIP_{option.replace('-', '_').upper()}"] = addresses
    return variables


def _pip(option: str) -> str:
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", f"global.{option}"], capture_output=True, text=True
    )
    return os.environ.get(f"PIP_{option.replace('-', '_').upper()}", asked.stdout.strip())
