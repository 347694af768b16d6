"""The services of docker-compose.yml, started by the engine of the tests."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

from tests.container.engine import Engine, wait_for
from trivium.client import Client

URL = "http://127.0.0.1:5000"
#: How long the slowest start and the slowest recovery may take here [s]: other programs run beside the tests.
PATIENCE = 300.0


class Compose:
    """One project of docker compose.

    Parameters
    ----------
    engine : Engine
    profiles : str
        Names of profiles, separated by blanks.
    **variables : str
        Variables that docker-compose.yml reads.
    """

    def __init__(self, engine: Engine, profiles: str = "", **variables: str) -> None:
        self._engine, self._variables = engine, {"COMPOSE_PROJECT_NAME": "test", **variables}
        self._profiles = [word for profile in profiles.split() for word in ("--profile", profile)]

    def __call__(self, *command: object, check: bool = True):
        """Run a command of docker compose."""
        return self._engine.docker("compose", *self._profiles, *command, check=check, **self._variables)

    @contextlib.contextmanager
    def up(self, *arguments: str):
        """Start the services and wait until the API is healthy; at the end remove them with their volumes."""
        try:
            self("up", "--detach", "--no-build", *arguments)
            self.wait_until_healthy("api")
            yield self
        finally:
            self("down", "--volumes", "--timeout", "5")

    def id(self, service: str) -> str:
        """Return the id of one container of a service, always the same one."""
        return min(self("ps", "--all", "--quiet", service).stdout.split())

    def state(self, service: str) -> dict:
        """Return the state of a service's container."""
        return self._engine.inspect(self.id(service))["State"]

    def restarts(self, service: str) -> int:
        """Return how often the engine has started a service's container anew."""
        return int(self._engine.inspect(self.id(service))["RestartCount"])

    def wait_until_healthy(self, service: str) -> float:
        """Return how long that took [s]."""
        started = time.monotonic()
        wait_for(lambda: self.state(service).get("Health", {}).get("Status") == "healthy", PATIENCE)
        return time.monotonic() - started

    def init(self, service: str) -> int:
        """Return the process id, in the engine's namespace, of the init of a service's container, once that runs."""
        return wait_for(lambda: self.state(service)["Pid"], PATIENCE)

    def processes(self, service: str) -> list[int]:
        """Return the process ids, in the engine's namespace, of a service's container."""
        rows = self._engine.docker("top", self.id(service), "-eo", "pid").stdout.split()[1:]
        return [int(pid) for pid in rows]

    def signal(self, service: str, signal: str, *, everything: bool = False) -> None:
        """Send a signal to what a service's container runs below its init, as something else than its engine would."""
        init = self.init(service)
        if everything:
            pids = [pid for pid in self.processes(service) if pid != init]
        else:
            pids = self._engine.run("pgrep", "-P", init).stdout.split()[:1]
        self._engine.run("kill", f"-{signal}", *pids, check=not everything)  # a health check may have ended meanwhile

    def exhaust_memory(self, service: str) -> None:
        """Fill the memory that a service may have, so that the kernel ends its processes, and its init at last."""
        self.init(service)
        for pid in self.processes(service):
            self._engine.run("sh", "-c", f"echo 1000 >/proc/{pid}/oom_score_adj", check=False)
        hog = "import time; held = [bytearray(16 * 2**20) for _ in range(10**4)]; time.sleep(60)"
        program = (
            "perl -e 'my @held; push @held, \"x\" x 16777216 while 1'"
            if service == "database"
            else f'python -c "{hog}"'
        )
        self._engine.docker("exec", self.id(service), "sh", "-c", program, check=False)

    def logs(self, service: str) -> str:
        """Return what a service wrote."""
        done = self("logs", "--no-color", service)
        return done.stdout + done.stderr


def client() -> Client:
    """Return a client of the API."""
    return Client(URL, patience=PATIENCE, timeout=PATIENCE)


def study(runs: int = 200, variant: int = 0) -> dict:
    """Return the shipped study of the fuel cycle as a job, with more breeding ratios; each variant has others."""
    folder = Path("examples/fuel_cycle")
    specification = json.loads((folder / "study-small.json").read_text(encoding="utf-8"))
    count = runs // 100
    specification["simulation_parameters"]["bz.TBR"] = [
        1.05 + 0.15 * (i + variant / 1000) / (count - 1) for i in range(count)
    ]
    return {"folder": folder.name, **specification}
