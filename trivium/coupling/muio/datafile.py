"""The data file of a run of MUIO: a case as GNU MathProg, with the sets that make its model sparse."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pandas as pd

from trivium.coupling.muio.case import COLUMNS, REGION, MuioCase, Row
from trivium.coupling.muio.parameters import Known
from trivium.coupling.og_clews.mathdata import Declarations, word
from trivium.coupling.og_clews.mathprog import annuity, recovery
from trivium.errors import InvalidValueError

#: Sets of technologies by mode: name, of what, and the parameters whose rows are members.
_MODES = (
    ("MODExTECHNOLOGYperFUELout", "fuel", ("OAR",)),
    ("MODExTECHNOLOGYperFUELin", "fuel", ("IAR",)),
    ("MODExTECHNOLOGYperEMISSION", "emission", ("EAR",)),
    ("MODExTECHNOLOGYperEMISSIONChange", "emission", ("EACR",)),
    ("MODExTECHNOLOGYperSTORAGEto", "storage", ("TTS",)),
    ("MODExTECHNOLOGYperSTORAGEfrom", "storage", ("TFS",)),
)
_CAPACITY = (("INPUTxNEWxCAPACITYperFUEL", "INCR"), ("INPUTxTOTALxCAPACITYperFUEL", "ITCR"))
#: Digits of CapitalRecoveryFactor and PvAnnuity in MUIO's own data files.
_DIGITS = 4


def write(case: MuioCase, run: str | None, model: str, declared: Declarations) -> str:
    """Return the data of a run, for a model.

    Only parameters and sets that the model declares are written, so that one case fits models of several versions. The
    factors of investments are rounded as MUIO does, so that a run costs to the digit what it costs there.

    Parameters
    ----------
    case : MuioCase
    run : str or None
        See `MuioCase.scenarios`.
    model : str
        Without comments.
    declared : Declarations
        Of the model.
    """
    rows = {key: (parameter, list(_kept(parameter, found))) for key, parameter, found in case.values(run)}
    sets = set(re.findall(r"\bset\s+(\w+)", model))
    parts = [*_sets(case, declared), *_conversions(case)]
    for parameter, found in rows.values():
        if parameter.name in declared.parameters:
            parts.append(_parameter(parameter, found, declared.parameters[parameter.name], case.years))
    parts += list(_factors(case, rows, declared))
    parts += list(_memberships(case, rows, sets))
    return "\n".join([*parts, "end;", ""])


def _kept(parameter: Known, rows: Iterable[Row]) -> Iterator[Row]:
    """Return the rows that say something; those of one value only, where it is not the default."""
    for row in rows:
        if any(value != parameter.default for value in row.values.values()):
            yield row


def _sets(case: MuioCase, declared: Declarations) -> Iterator[str]:
    members = {dim: list(case.codes(column).values()) for column, (dim, *_) in COLUMNS.items()}
    members |= {"region": [REGION], "year": case.years, "mode_of_operation": case.modes}
    for dim, name in declared.sets.items():
        if dim in members and name.isidentifier():
            yield f"set {name} := {' '.join(map(word, members[dim]))};"
    kinds = defaultdict(list)
    for storage in case.general.get("osy-stg", []):
        kinds[storage.get("Operation")].append(storage["Stg"])
    yearly = kinds.pop("Yearly", [])
    yield f"set STORAGEINTRAYEAR := {' '.join(map(word, yearly))};"
    yield f"set STORAGEINTRADAY := {' '.join(word(name) for names in kinds.values() for name in names)};"


def _conversions(case: MuioCase) -> Iterator[str]:
    """Return to which season, type of day and part of the day each time slice belongs."""
    for letter, column, key in (("s", "SeId", "SE"), ("d", "DtId", "DT"), ("h", "DtbId", "DTB")):
        codes = case.codes(column)
        pairs = " ".join(
            f"{word(each['Ts'])} {codes[each[key]]} 1" for each in case.general["osy-ts"] if each.get(key) in codes
        )
        yield f"param Conversionl{letter} default 0 := {pairs};"
    tags = " ".join(f"{REGION} {word(each['Con'])} {each['Tag']}" for each in case.general.get("osy-constraints", []))
    yield f"param UDCTag default -1 := {tags};"
    yield "param TradeRoute default 0 := ;"


def _parameter(parameter: Known, rows: Sequence[Row], dims: Sequence[str], years: Sequence[str]) -> str:
    lines = [f"param {parameter.name} default {parameter.default:.15g} :="]
    places = [dim for dim in dims if dim != "year"]
    for row in rows:
        key = [word({"region": REGION, **row.places}[dim]) for dim in places]
        if "year" in dims:
            cells = " ".join(f"{year} {row.values.get(year, parameter.default):.15g}" for year in years)
            lines.append(f"[{','.join([*key, '*'])}] {cells}")
        else:
            lines += [f"{' '.join(key)} {value:.15g}" for value in row.values.values()]
    return "\n".join([*lines, ";"])


def _factors(case: MuioCase, rows: Mapping[str, tuple[Known, list[Row]]], declared: Declarations) -> Iterator[str]:
    """Return what investments are multiplied by, where the model wants it ready."""
    wanted = [name for name in ("CapitalRecoveryFactor", "PvAnnuity") if name in declared.parameters]
    if not wanted:
        return
    technologies = list(case.codes("TechId").values())

    def by_technology(key: str) -> pd.Series:
        parameter, found = rows[key]
        known = {row.places["technology"]: next(iter(row.values.values())) for row in found}
        return pd.Series([float(known.get(technology, parameter.default)) for technology in technologies])

    life, own_rates = by_technology("OL"), by_technology("DRI")
    parameter, found = rows["DR"]
    rate = next((value for row in found for value in row.values.values()), parameter.default)
    if not rate > 0 or not (own_rates > 0).all():
        raise InvalidValueError("the discount rates of the case must be above 0", "case")
    factors = {
        "CapitalRecoveryFactor": [
            float(recovery(pd.Series([years]), own_rate)[0]) for years, own_rate in zip(life, own_rates, strict=True)
        ],
        "PvAnnuity": annuity(life, float(rate)),
    }
    for name in wanted:
        lines = "\n".join(
            f"{REGION} {word(technology)} {round(float(factor), _DIGITS)!r}"
            for technology, factor in zip(technologies, factors[name], strict=True)
        )
        yield f"param {name} default 0 :=\n{lines}\n;"


def _memberships(case: MuioCase, rows: Mapping[str, tuple[Known, list[Row]]], sets: set[str]) -> Iterator[str]:
    modes: dict[str, dict[str, None]] = {name: {} for name in case.codes("TechId").values()}
    for name, dim, keys in _MODES:
        pairs: dict[str, list[str]] = defaultdict(list)
        for key in keys:
            for row in rows.get(key, (None, []))[1]:
                technology, mode = row.places["technology"], row.places["mode_of_operation"]
                pairs[row.places[dim]].append(f"({mode},{word(technology)})")
                modes[technology][mode] = None
        column = next(column for column, (own, *_) in COLUMNS.items() if own == dim)
        if name in sets:
            for member in case.codes(column).values():
                yield f"set {name}[{word(member)}] := {' '.join(pairs[member])};"
    if "MODEperTECHNOLOGY" in sets:
        for technology, listed in modes.items():
            yield f"set MODEperTECHNOLOGY[{word(technology)}] := {' '.join(listed)};"
    fuels: dict[str, None] = {}
    using: dict[str, dict[str, list[str]]] = {}
    for name, key in _CAPACITY:
        using[name] = defaultdict(list)
        for row in rows.get(key, (None, []))[1]:
            using[name][row.places["fuel"]].append(row.places["technology"])
            fuels[row.places["fuel"]] = None
    if "INPUTxFUEL" in sets:
        for name, by_fuel in using.items():
            for fuel in fuels:
                yield f"set {name}[{word(fuel)}] := {' '.join(map(word, by_fuel[fuel]))};"
        yield f"set INPUTxFUEL := {' '.join(map(word, fuels))};"
