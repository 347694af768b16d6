"""Validate a live server as its users do: query it, replay a recorded run over HTTP, compare.

``python testing/validate_rest_api.py [--url URL] [--steps N] [--start ROW] [--plot PNG] [--record CSV]`` replays the
actions of RealWorld_Actions_Observations.csv, prints the errors against the observations recorded with them, and exits
with 1 when one exceeds its limit (2 when the server cannot be used). test_REST_API.ipynb does the same, step by step.

A row of the recorded run holds the observations at its time and the actions from its time to 300 s later; so the reply
to the action of row i is compared with the observations of row i + 1.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import requests
from matplotlib.figure import Figure
from tqdm import tqdm

URL = os.environ.get("TRIVIUM_URL", "http://127.0.0.1:5000")
HERE = Path(__file__).resolve().parent
RECORDED_RUN = HERE / "RealWorld_Actions_Observations.csv"
INTERVAL = 300
STEPS = 2000
#: A start after 0 warms up for one interval only, while the recorded run had a longer past: so many steps are left out
#: of the errors then.
SETTLE = 36


@dataclass(frozen=True)
class Limit:
    """Largest errors that pass: root mean square, and at a single step.

    Parameters
    ----------
    rmse, worst : float
        The limits; of a power as shares of its mean and of its maximum in the record, else in the unit of the point.
    relative : bool
        Whether the point is a power.
    """

    rmse: float
    worst: float
    relative: bool

    def of(self, recorded: pd.Series) -> tuple[float, float]:
        """Return both limits in the unit of the point."""
        if not self.relative:
            return self.rmse, self.worst
        return self.rmse * max(float(recorded.mean()), 1000.0), self.worst * max(float(recorded.max()), 1000.0)


POWER = Limit(rmse=0.005, worst=0.05, relative=True)
TEMPERATURE = Limit(rmse=0.02, worst=0.2, relative=False)
LIMITS = {
    "P_CDWPs_sum": POWER,
    "P_CHWPs_sum": POWER,
    "P_Chillers_sum": POWER,
    "P_CTfans_sum": POWER,
    "Tchw_supply": TEMPERATURE,
}


class ServerError(Exception):
    """The server answered with something that is no success."""


class Server:
    """The REST API of a server.

    Parameters
    ----------
    url : str
        Where it listens.
    """

    def __init__(self, url: str = URL) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()

    def get(self, route: str) -> Any:
        """Payload of a GET request."""
        return self._request("GET", route, None)

    def put(self, route: str, body: dict[str, Any]) -> Any:
        """Payload of a PUT request."""
        return self._request("PUT", route, body)

    def post(self, route: str, body: dict[str, Any]) -> Any:
        """Payload of a POST request."""
        return self._request("POST", route, body)

    def _request(self, method: str, route: str, body: dict[str, Any] | None) -> Any:
        try:
            reply = self._session.request(method, f"{self.url}/{route}", json=body, timeout=60)
            answer = reply.json()
        except requests.RequestException as error:
            raise ServerError(f"{method} {self.url}/{route}: {error}") from error
        if reply.status_code != 200:
            raise ServerError(f"{method} {self.url}/{route}: {reply.status_code} {answer.get('message', answer)}")
        return answer["payload"]


def query(server: Server) -> dict[str, Any]:
    """Ask for everything that a test case says about itself.

    Returns
    -------
    dict
        Answers by route.
    """
    return {route: server.get(route) for route in ("version", "name", "step", "inputs", "measurements")}


def read_recorded_run(path: Path = RECORDED_RUN) -> pd.DataFrame:
    """Read the recorded run, a row every 300 s from time 0."""
    return pd.read_csv(path)


def replay(
    server: Server, recorded: pd.DataFrame, inputs: Sequence[str], *, steps: int = STEPS, start: int = 0
) -> pd.DataFrame:
    """Send recorded actions, one a step.

    Parameters
    ----------
    server : Server
    recorded : DataFrame
        The recorded run.
    inputs : sequence of str
        Control inputs of the server; columns of the run.
    steps : int
        Number of steps.
    start : int
        Row to start at; the server is initialized to its time.

    Returns
    -------
    DataFrame
        The server's observations, indexed by the row of the run that they belong to; ``time`` is the end of the step
        [s].

    Raises
    ------
    ValueError
        When the run is too short.
    """
    if not 0 <= start <= len(recorded) - 1 - steps:
        raise ValueError(f"the recorded run has {len(recorded)} rows: too few for {steps} steps from row {start} on")
    server.put("step", {"step": INTERVAL})
    server.put("initialize", {"start_time": start * INTERVAL})
    actions = recorded.loc[start : start + steps - 1, list(inputs)].to_dict("records")
    points = [server.post("advance", action) for action in tqdm(actions, unit="step", mininterval=0.5)]
    rows = pd.DataFrame(points, index=range(start + 1, start + steps + 1))
    return rows.assign(time=rows.index * INTERVAL)


def compare(simulated: pd.DataFrame, recorded: pd.DataFrame) -> pd.DataFrame:
    """Tell the errors of a replay.

    Returns
    -------
    DataFrame
        A row for each of `LIMITS`: mean of the record, root mean square, mean and worst error, the two limits in the
        same unit, and whether both are kept.
    """
    first = simulated.index[0] - 1
    compared = simulated.iloc[SETTLE if first > 0 else 0 :]
    table = {}
    for name, limit in LIMITS.items():
        truth = recorded.loc[compared.index, name]
        error = compared[name] - truth
        rmse, worst = float(np.sqrt((error**2).mean())), float(error.abs().max())
        rmse_limit, worst_limit = limit.of(truth)
        table[name] = {
            "mean": float(truth.mean()),
            "RMSE": rmse,
            "bias": float(error.mean()),
            "worst": worst,
            "RMSE limit": rmse_limit,
            "worst limit": worst_limit,
            "kept": rmse <= rmse_limit and worst <= worst_limit,
        }
    return pd.DataFrame(table).T


def plot(simulated: pd.DataFrame, recorded: pd.DataFrame) -> Figure:
    """Draw powers and supply temperature of a replay over those of the recorded run."""
    figure = Figure(figsize=(11, 12), layout="constrained")
    panels = figure.subplots(len(LIMITS), sharex=True)
    days = simulated.index * INTERVAL / 86_400.0
    for panel, (name, limit) in zip(panels, LIMITS.items(), strict=True):
        truth = recorded.loc[simulated.index, name]
        shown, unit = (lambda x: x / 1000.0, "kW") if limit.relative else (lambda x: x - 273.15, "°C")
        panel.plot(days, shown(truth), label="recorded run", linewidth=2.5, color="0.75")
        panel.plot(days, shown(simulated[name]), label="server", linewidth=0.9)
        panel.set_ylabel(f"{name} [{unit}]")
        panel.grid(alpha=0.3)
    panels[0].legend(loc="upper right")
    panels[-1].set_xlabel("time [days]")
    return figure


def write_record(simulated: pd.DataFrame, path: Path) -> None:
    """Write what a replay gave, in the form of the reference's record: time is the start of the step."""
    columns = simulated[list(LIMITS)].reset_index(drop=True)
    columns.insert(0, "time", (simulated.index - 1) * INTERVAL)
    columns.to_csv(path, float_format="%.9g")


def main(arguments: Sequence[str] | None = None) -> int:
    """Validate a server; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default=URL, help="default: TRIVIUM_URL of the environment, or %(default)s")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--start", type=int, default=0, metavar="ROW", help="row of the recorded run to start at")
    parser.add_argument("--plot", type=Path, metavar="PNG")
    parser.add_argument("--record", type=Path, metavar="CSV")
    options = parser.parse_args(arguments)
    server = Server(options.url)
    recorded = read_recorded_run()
    try:
        said = query(server)
        print(f"{said['name']['name']} {said['version']['version']} at {server.url}: ", end="")
        print(f"{len(said['inputs'])} inputs, {len(said['measurements'])} measurements")
        simulated = replay(server, recorded, list(said["inputs"]), steps=options.steps, start=options.start)
    except (ServerError, ValueError, KeyError) as error:
        print(f"cannot validate: {error}", file=sys.stderr)
        return 2
    errors = compare(simulated, recorded)
    print(errors.to_string(float_format=lambda x: f"{x:.5g}"))
    if options.plot:
        plot(simulated, recorded).savefig(options.plot, dpi=110)
    if options.record:
        write_record(simulated, options.record)
    if not errors["kept"].all():
        print(f"over the limit: {', '.join(errors.index[~errors['kept'].astype(bool)])}", file=sys.stderr)
        return 1
    print("all errors within their limits")
    return 0


if __name__ == "__main__":
    sys.exit(main())
