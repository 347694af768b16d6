"""A running MUIOGO as the solver: ``POST /oglink/applyPatch``, whose results are read from the copy that it makes."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pandas as pd

from trivium.coupling import frames, tables
from trivium.coupling.muio.case import MuioCase
from trivium.coupling.muio.copies import changes
from trivium.coupling.og_clews import bridge
from trivium.coupling.og_clews.exchange import Solution
from trivium.coupling.og_clews.mathprog import Case
from trivium.errors import ComponentError, InvalidValueError

_ROUTE = "/oglink/applyPatch"


def patch(case: MuioCase, run: str | None, before: Case, after: Case) -> dict[str, Any]:
    """Return a ``clews_patch.json``: the new value of each parameter, code and year that differs.

    Raises
    ------
    InvalidValueError
        When the discount rate differs, which a patch cannot say.
    """
    if after.rate != before.rate:
        raise InvalidValueError(
            "MUIOGO's patches cannot change the discount rate; solve the case without server", "server"
        )
    scenario = case.scenarios(run)[-1]
    listed = [{"group": key, "code": code, "year": year, "value": value, "scenario": scenario}
              for key, code, year, value in changes(before, after)]  # fmt: skip
    return {"source": "Trivium", "case": case.folder.name, "changes": listed}


def solve(server: str, case: MuioCase, run: str | None, before: Case, after: Case, timeout: float) -> Solution:
    """Let a MUIOGO on this machine apply a patch and solve; return what it found.

    Where nothing differs, the run's own results are read, which MUIOGO has if it solved it.

    Raises
    ------
    InvalidValueError
        When a run is not named, or a patch cannot say what differs.
    ComponentError
        When MUIOGO cannot be reached or refuses.
    """
    if not server.startswith(("http://", "https://")):
        raise InvalidValueError(f"server: {server} is no address of a server", "server")
    if run is None:
        raise InvalidValueError("run: MUIOGO needs the name of a run", "run")
    body = patch(case, run, before, after)
    csv = case.folder / "res" / run / "csv"
    if body["changes"]:
        request = {
            "patch": body,
            "base_caserun": run,
            "caserun_name": f"{run}_coupled",
            "copy_name": f"{case.folder.name}_coupled",
            "overwrite_copy": True,
        }
        csv = Path(_post(f"{server.rstrip('/')}{_ROUTE}", request, timeout)["csv_dir"])
    return read(csv, after, before.demand)


def read(csv: Path, case: Case, demand: pd.DataFrame) -> Solution:
    """Return the solution that lies in a folder of MUIO's tables.

    Parameters
    ----------
    csv : Path
    case : Case
        As it was solved.
    demand : DataFrame
        Of the base.
    """
    found = tables.read_folder(csv)
    results = {name: found[name] for name in bridge.WANTED if name in found}
    made, used = (
        frames.aggregate(found[f"{side}ByTechnologyByMode"], ["mode_of_operation", "timeslice", "region"])
        for side in ("Production", "Use")
    )
    objective = float(found["ObjectiveValue"]["VALUE"].iloc[0])
    return Solution(objective + residual_cost(case), results, made, used, case.life, demand)


def residual_cost(case: Case) -> float:
    """Return the discounted fixed cost of residual capacity: the constant that MUIO's objective lacks."""
    cost = case.parameters["FixedCost"].times(case.everywhere("ResidualCapacity"))
    return float(frames.discount(cost, case.rate, case.years[0])["VALUE"].sum() / (1 + case.rate) ** 0.5)


def _post(url: str, body: dict[str, Any], timeout: float) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=timeout) as reply:  # noqa: S310  # nosec B310, the user's own server, by http
            answer = json.load(reply)
    except urllib.error.HTTPError as error:
        raise ComponentError(f"MUIOGO refused the patch: {error.read().decode(errors='replace')[:2000]}") from error
    except (OSError, ValueError) as error:
        raise ComponentError(f"MUIOGO at {url} cannot be reached: {error}") from error
    if answer.get("status_code") != "success":
        raise ComponentError(f"MUIOGO did not solve the case: {answer.get('message')}")
    return dict(answer)
