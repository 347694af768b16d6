"""A copy of a case of MUIO in which demand, discount rates and emission penalties are others."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from trivium.coupling.muio.case import GENERAL, RUNS, MuioCase
from trivium.coupling.muio.parameters import read_json
from trivium.coupling.og_clews.mathprog import Case
from trivium.errors import ComponentError, InvalidValueError

#: Parameters by year that may change: id, file, column, dimension, and OSeMOSYS's name.
YEARLY = (
    ("SAD", "RYC", "CommId", "fuel", "SpecifiedAnnualDemand"),
    ("AAD", "RYC", "CommId", "fuel", "AccumulatedAnnualDemand"),
    ("EP", "RYE", "EmisId", "emission", "EmissionsPenalty"),
)
#: Marks a folder as a copy that may be written anew.
_MARK = "trivium.json"
#: Large files of solved runs that no screen of MUIO needs.
_LARGE = ("lp.lp", "results.txt", "data_processed.txt")


def changes(before: Case, after: Case) -> list[tuple[str, str, int, float]]:
    """Return what differs by year: id of the parameter, code, year and new value."""
    found = []
    for key, _, _, dim, name in YEARLY:
        old, new = (case.everywhere(name).groupby([dim, "year"])["VALUE"].sum() for case in (before, after))
        both = pd.concat([old.rename("old"), new.rename("new")], axis=1).fillna(0.0)
        for (code, year), value in both[both["old"] != both["new"]]["new"].items():
            found.append((key, str(code), int(year), float(value)))
    return found


def copy_with(case: MuioCase, target: Path, run: str | None, before: Case, after: Case) -> None:
    """Copy a case, with the values of another data file in the last scenario of a run.

    Parameters
    ----------
    case : MuioCase
    target : Path
        The new folder; one that an earlier run wrote is replaced.
    run : str or None
    before, after : Case
        The case as MathProg, and with other demand, rates or penalties.

    Raises
    ------
    InvalidValueError
        When there is a folder of that name that is no such copy, or the case lacks rows that are to change.
    """
    if target.exists():
        if not (target / _MARK).is_file():
            raise InvalidValueError(f"copy_to: {target} exists and is no copy that Trivium made", "copy_to")
        shutil.rmtree(target)
    try:
        shutil.copytree(case.folder, target, ignore=shutil.ignore_patterns(*_LARGE))
    except OSError as error:
        raise ComponentError(f"the case cannot be copied to {target}: {error}") from error
    _write(target / _MARK, {"copied_from": case.name})
    general = read_json(target / GENERAL)
    general["osy-casename"] = target.name
    _write(target / GENERAL, general)
    scenario = case.scenarios(run)[-1]
    for key, group, column, _, _ in YEARLY:
        own = [(code, year, value) for name, code, year, value in changes(before, after) if name == key]
        if own:
            _patch(target / f"{group}.json", key, scenario, column, {v: k for k, v in case.codes(column).items()}, own)
    if after.rate != before.rate:
        _set_rates(target, scenario, after.rate)


def _patch(
    path: Path, key: str, scenario: str, column: str, ids: Mapping[str, str], own: list[tuple[str, int, float]]
) -> None:
    content = read_json(path)
    rows = content[key].setdefault(scenario, [])
    by_id = {row[column]: row for row in rows}
    for code, year, value in own:
        if ids[code] not in by_id:
            by_id[ids[code]] = {column: ids[code]}
            rows.append(by_id[ids[code]])
        by_id[ids[code]][str(year)] = value
    _write(path, content)


def _set_rates(folder: Path, scenario: str, rate: float) -> None:
    """Set the discount rate, and that of every technology."""
    content = read_json(folder / "R.json")
    content["DR"][scenario] = [{"value": rate}]
    _write(folder / "R.json", content)
    content = read_json(folder / "RT.json")
    if "DRI" in content:
        first = next(iter(content["DRI"].values()))[0]
        content["DRI"][scenario] = [dict.fromkeys(first, rate)]
    _write(folder / "RT.json", content)


def register(folder: Path, run: str, scenarios: list[str]) -> None:
    """List a run among those of a case, so that MUIO shows it."""
    path = folder / RUNS
    content = read_json(path) if path.is_file() else {}
    listed = [each for each in content.get("osy-cases", []) if each["Case"] != run]
    general = read_json(folder / GENERAL)
    record = {
        "Case": run,
        "CaseId": f"CS_{run}",
        "Desc": "Fixed point of a coupled run, by Trivium",
        "Runtime": time.strftime("%Y-%m-%d %H:%M:%S"),
        "Scenarios": [{**each, "Active": each["ScenarioId"] in scenarios} for each in general["osy-scenarios"]],
    }
    path.parent.mkdir(exist_ok=True)
    _write(path, {**content, "osy-cases": [*listed, record]})


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
