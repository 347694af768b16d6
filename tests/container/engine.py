"""A container engine for the tests: Debian's Docker in a root folder and in namespaces of its own.

Nothing of the machine is changed: the engine's mounts, network, firewall and processes end with their namespaces, and its
network reaches outwards through slirp4netns, a program without privileges. Root is needed, and debootstrap.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from trivium.environment import ROOT

#: A release that has Docker 26 with BuildKit and Compose, and PostgreSQL 17.
RELEASE, MIRROR = "trixie", "http://deb.debian.org/debian"
_PACKAGES = "docker.io docker-cli docker-buildx docker-compose iptables iproute2 procps slirp4netns"
_INIT = Path(__file__).with_name("init.sh")
#: No command takes longer than this, not even a build [s].
_LONGEST = 1800
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET


def missing() -> str | None:
    """Return why no engine can be had here; None where it can."""
    if not sys.platform.startswith("linux") or os.getuid() != 0:
        return "no container engine: that needs root on Linux"
    wanted = [name for name in ("debootstrap", "unshare", "nsenter", "setpriv") if shutil.which(name) is None]
    if not Path("/dev/net/tun").exists():
        wanted.append("/dev/net/tun")
    return f"no container engine: {', '.join(wanted)} not found" if wanted else None


class Engine:
    """The engine; a context manager that starts it and leaves nothing of it.

    Parameters
    ----------
    folder : Path
        Where everything of it lies.
    keep : bool
        Whether the folder stays, for a quicker start the next time.
    """

    def __init__(self, folder: Path, *, keep: bool = False) -> None:
        self.folder, self._keep = folder, keep
        self._root, self.work = folder / "root", folder / "work"
        self._cgroup = f"trivium-container-{os.getpid()}"
        self._log = folder / "engine.log"

    def __enter__(self) -> Engine:
        with contextlib.ExitStack() as stack:
            self.work.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context((self.folder / "lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails where another run of these tests has the folder
            if not self._keep:
                stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self._make_root()
            stack.callback(self._remove_cgroups)
            stack.enter_context(self._started())
            self._undo = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def _make_root(self) -> None:
        if self.base.exists():
            return
        shutil.rmtree(self._root, ignore_errors=True)
        run("debootstrap", "--variant=minbase", "--include=ca-certificates", RELEASE, self._root, MIRROR)
        run("chroot", self._root, "apt-get", "clean")
        run(
            "tar",
            "-C",
            self._root,
            "--exclude=./var/lib/apt/lists/*",
            "--exclude=./usr/share/doc/*",
            "-cf",
            self.folder / "debian.tar",
            ".",
        )
        prohibit = self._root / "usr/sbin/policy-rc.d"  # the packages of Docker start it
        prohibit.write_text("#!/bin/sh\nexit 101\n")
        prohibit.chmod(0o755)
        install = f"DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends {_PACKAGES}"
        run("chroot", self._root, "sh", "-c", install)
        (self.folder / "debian.tar").rename(self.base)

    @property
    def base(self) -> Path:
        """The root folder of Debian alone, from which stand-ins of images are made."""
        return self.work / "debian.tar"

    @contextlib.contextmanager
    def _started(self):
        with self._log.open("wb") as log:
            spaces = ("--mount", "--net", "--pid", "--uts", "--ipc", "--propagation", "private")
            # it dies with this process however that ends, and with it everything in its namespaces
            unshare = ("setpriv", "--pdeathsig", "KILL", "unshare", *spaces, "--fork", "--kill-child")
            init = ("bash", _INIT, self._root, self.work, ROOT, self._cgroup)
            outer = subprocess.Popen((*unshare, *init), stdout=log, stderr=log)
            try:
                self._pid = wait_for(lambda: _child(outer.pid), 10)
                wait_for(self._answers, 60)
                with self._network(log):
                    yield
            finally:
                outer.kill()
                outer.wait()

    def _answers(self) -> bool:
        return (self.work / "docker.sock").exists() and self.docker("version", check=False).returncode == 0

    @contextlib.contextmanager
    def _network(self, log):
        """Let the engine's network reach outwards."""
        enter = ("setpriv", "--pdeathsig", "KILL", "nsenter", "--target", str(self._pid), "--mount")
        reach = ("slirp4netns", "--configure", "--mtu=65520", "--netns-type=path", "/proc/1/ns/net", "tap0")
        slirp = subprocess.Popen((*enter, *reach), stdout=log, stderr=log)
        try:
            wait_for(lambda: "tap0" in self.run("ip", "-4", "addr").stdout, 10)
            yield
        finally:
            slirp.kill()
            slirp.wait()

    def _remove_cgroups(self) -> None:
        """Remove the engine's groups, and those of an earlier one that was killed."""
        groups = Path("/sys/fs/cgroup")  # of version 2, or a folder for each controller
        for top in (*groups.glob("trivium-container-*"), *groups.glob("*/trivium-container-*")):
            for folder in sorted(top.glob("**/"), reverse=True):
                with contextlib.suppress(TimeoutError):  # of an engine that runs
                    wait_for(lambda folder=folder: _removed(folder), 5 if self._cgroup in str(top) else 0)

    def run(self, *command: object, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the engine's namespaces, in the folder of the sources."""
        enter = (
            "nsenter",
            "--target",
            str(self._pid),
            "--mount",
            "--net",
            "--pid",
            "sh",
            "-c",
            'cd "$0" && exec "$@"',
            ROOT,
        )
        environment = {"PATH": "/usr/sbin:/usr/bin", "HOME": "/root", "DOCKER_HOST": f"unix://{self.work}/docker.sock"}
        return run(*enter, *command, check=check, env=environment | variables)

    def docker(self, *command: object, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Docker; ``variables`` are those of its environment."""
        return self.run("docker", *command, check=check, **variables)

    def inspect(self, name: str) -> dict:
        """Return what the engine knows of a container or an image."""
        return json.loads(self.docker("inspect", name).stdout)[0]

    @contextlib.contextmanager
    def inside(self):
        """Let this thread open its connections in the engine's network, where ports are published."""
        with open("/proc/self/ns/net") as own, open(f"/proc/{self._pid}/ns/net") as other:
            _enter_network(other.fileno())
            try:
                yield
            finally:
                _enter_network(own.fileno())


def default_folder() -> Path:
    """Return where the engine lies."""
    return Path(tempfile.gettempdir(), "trivium-container")


def run(*command: object, check: bool = True, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command; a failure tells what it wrote, and so does one that hangs."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, env=env, timeout=_LONGEST)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}")
    return done


def wait_for(condition, seconds: float, interval: float = 0.2):
    """Return the first true value of a condition.

    Raises
    ------
    TimeoutError
        When there is none in this time.
    """
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(interval)
    return value


def _child(pid: int) -> int | None:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(text[0]) if text else None


def _removed(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        folder.rmdir()
    return not folder.exists()


def _enter_network(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "setns")
