"""A case of MUIO as it lies on the disk: its sets, its runs, and the values of its parameters in a run.

A case is a folder with ``genData.json``, which names everything by ids of its own, and a file for each shape of
parameters: ``RYT.json`` has those by region, year and technology. Every parameter has rows for each scenario; a run
chooses scenarios, of which later ones replace what they have values for. ``view/resData.json`` lists the runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from trivium.coupling.muio.parameters import Known, known, read_json
from trivium.errors import InvalidValueError
from trivium.suggestions import near_or_all

GENERAL, RUNS = "genData.json", "view/resData.json"
#: The only region of MUIO.
REGION = "RE1"
#: Our dimension of a column of rows; the list in ``genData.json``, and the keys of id and code there.
COLUMNS: Mapping[str, tuple[str, str, str, str]] = {
    "TechId": ("technology", "osy-tech", "TechId", "Tech"),
    "CommId": ("fuel", "osy-comm", "CommId", "Comm"),
    "EmisId": ("emission", "osy-emis", "EmisId", "Emis"),
    "StgId": ("storage", "osy-stg", "StgId", "Stg"),
    "ConId": ("constraint", "osy-constraints", "ConId", "Con"),
    "TsId": ("timeslice", "osy-ts", "TsId", "Ts"),
    "SeId": ("season", "osy-se", "SeId", "Se"),
    "DtId": ("daytype", "osy-dt", "DtId", "Dt"),
    "DtbId": ("dailytimebracket", "osy-dtb", "DtbId", "Dtb"),
}
#: Files whose rows have a value for each id in place of each year, and what the ids are.
_WIDE = {"RT": "TechId", "RE": "EmisId", "RS": "StgId"}
#: Where ``genData.json`` lists what belongs together, by parameter: the list, its key, and the column of the members.
_LISTED = {
    **dict.fromkeys(("IAR", "OAR", "INCR", "ITCR"), "CommId"),
    **dict.fromkeys(("EAR", "EACR"), "EmisId"),
}


class Row(NamedTuple):
    """Values of a parameter at some coordinates: by year, or one by the empty text."""

    places: Mapping[str, str]
    values: Mapping[str, float]


@dataclass(frozen=True)
class MuioCase:
    """A case.

    Attributes
    ----------
    folder : Path
    general : Mapping
        ``genData.json``.
    runs : Mapping[str, list of str]
        The ids of the scenarios of each run that are active, in their order.
    parameters : Mapping[str, Known]
        By id.
    """

    folder: Path
    general: Mapping[str, Any]
    runs: Mapping[str, list[str]]
    parameters: Mapping[str, Known]

    @classmethod
    def read(cls, folder: Path) -> MuioCase:
        """Read a case.

        Raises
        ------
        InvalidValueError
            When the folder is no case of MUIO.
        """
        if not is_case(folder):
            raise InvalidValueError(f"{folder} is no case of MUIO: it has no {GENERAL} with technologies", "case")
        runs: dict[str, list[str]] = {}
        if (folder / RUNS).is_file():
            for run in read_json(folder / RUNS).get("osy-cases", []):
                runs[run["Case"]] = [each["ScenarioId"] for each in run["Scenarios"] if each["Active"]]
        return cls(folder, read_json(folder / GENERAL), runs, known(folder))

    @property
    def name(self) -> str:
        """What MUIO calls the case."""
        return str(self.general["osy-casename"])

    @property
    def years(self) -> list[str]:
        """All years, in order."""
        return [str(year) for year in self.general["osy-years"]]

    @property
    def modes(self) -> list[str]:
        """All modes of operation."""
        return [str(mode + 1) for mode in range(int(self.general["osy-mo"]))]

    def codes(self, column: str) -> dict[str, str]:
        """Return codes by id, such as those of technologies for the column ``TechId``."""
        _, entries, key, code = COLUMNS[column]
        return {str(entry[key]): str(entry[code]) for entry in self.general.get(entries, [])}

    def scenarios(self, run: str | None) -> list[str]:
        """Return the active scenarios of a run; by default those that are active in the case.

        Raises
        ------
        InvalidValueError
            When there is no such run.
        """
        if run is None:
            return [each["ScenarioId"] for each in self.general["osy-scenarios"] if each.get("Active", True)]
        if run not in self.runs:
            hint = near_or_all(run, list(self.runs)) if self.runs else ""
            raise InvalidValueError(f"run: the case {self.name} has no run {run}.{hint}", "run")
        return self.runs[run]

    def model(self, named: Path | None) -> Path:
        """Return the file of the model: one that is named, or that of the case's version in MUIO's ``SOLVERs``.

        Raises
        ------
        InvalidValueError
            When there is none.
        """
        if named is not None:
            if not named.is_file():
                raise InvalidValueError(f"model: there is no file {named}", "model")
            return named
        solvers = (
            self.folder.absolute().parents[1] / "SOLVERs" if len(self.folder.absolute().parents) > 1 else self.folder
        )
        version = self.general.get("osy-version", "")
        found = sorted(solvers.glob("model.v.*.txt"), key=lambda path: [*map(_number, path.stem.split("."))])
        own = [path for path in found if path.name == f"model.v.{version}.txt"]
        if not found:
            reason = f"there is no model.v.*.txt in {solvers}; name MUIO's model file"
            raise InvalidValueError(f"model: {reason}", "model")
        return (own or found)[-1]

    def files(self) -> list[Path]:
        """Return all files that the values of parameters depend on."""
        groups = [path for path in sorted(self.folder.glob("R*.json")) if path.stem.isalpha()]
        return [self.folder / GENERAL, *([self.folder / RUNS] if self.runs else []), *groups]

    def values(self, run: str | None) -> Iterator[tuple[str, Known, list[Row]]]:
        """Return all parameters in a run: id, name with default, and rows.

        Raises
        ------
        InvalidValueError
            When a file has a parameter of which nothing is known.
        """
        scenarios = self.scenarios(run)
        codes = {column: self.codes(column) for column in COLUMNS}
        for path in self.files():
            if path.name in (GENERAL, Path(RUNS).name):
                continue
            for key, by_scenario in read_json(path).items():
                if key not in self.parameters:
                    reason = f"{path.name} has a parameter {key}, which is not known"
                    raise InvalidValueError(f"{reason}; put MUIO's Parameters.json beside the case", "case")
                merged: dict[tuple[tuple[str, str], ...], dict[str, float]] = {}
                for scenario in scenarios:
                    for raw in by_scenario.get(scenario, []):
                        if len(scenarios) == 1 and _says_nothing(raw, self.years, self.parameters[key].default):
                            continue
                        for places, values in _rows(path.stem, raw, codes):
                            if self._holds(key, raw):
                                given = {year: value for year, value in values.items() if value is not None}
                                merged.setdefault(tuple(places.items()), {}).update(given)
                yield key, self.parameters[key], [Row(dict(places), values) for places, values in merged.items()]

    def _holds(self, key: str, raw: Mapping[str, Any]) -> bool:
        """Return whether a row belongs to the case still: the lists of ``genData.json`` decide, as in MUIO."""
        if int(raw.get("MoId", 1)) > int(self.general["osy-mo"]):
            return False
        member = _LISTED.get(key)
        return member is None or raw[member] in self._members.get((key, raw["TechId"]), ())

    @property
    def _members(self) -> Mapping[tuple[str, str], list[str]]:
        if "_listed" not in self.__dict__:
            listed = {(key, tech["TechId"]): tech.get("EAR" if key == "EACR" else key, [])
                      for tech in self.general["osy-tech"] for key in _LISTED}  # fmt: skip
            self.__dict__["_listed"] = listed
        members: Mapping[tuple[str, str], list[str]] = self.__dict__["_listed"]
        return members


def is_case(folder: Path) -> bool:
    """Return whether a folder looks like a case of MUIO."""
    path = folder / GENERAL
    try:
        return path.is_file() and b'"osy-tech"' in path.read_bytes()
    except OSError:
        return False


def _rows(
    group: str, raw: Mapping[str, Any], codes: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[dict[str, str], dict[str, float | None]]]:
    """Return coordinates and values of a row; ids that the case does not have any more are left out."""
    if group in _WIDE:
        column = _WIDE[group]
        for key, value in raw.items():
            if key in codes[column]:
                yield {COLUMNS[column][0]: codes[column][key]}, {"": value}
        return
    places, values = {}, {}
    for key, value in raw.items():
        if key in COLUMNS:
            if str(value) not in codes[key]:
                return
            places[COLUMNS[key][0]] = codes[key][str(value)]
        elif key == "MoId":
            places["mode_of_operation"] = str(value)
        else:
            values[key if key.isdigit() else ""] = value
    yield places, values


def _says_nothing(raw: Mapping[str, Any], years: Sequence[str], default: float) -> bool:
    """Return whether a row by years has the default in all of them, as most have."""
    return years[0] in raw and [raw.get(year) for year in years].count(default) == len(years)


def _number(text: str) -> float:
    return float(text) if text.isdigit() else -1.0
