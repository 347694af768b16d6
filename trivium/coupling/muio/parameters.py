"""What MUIO calls the parameters of OSeMOSYS: in its files they have short ids.

Where a case lies in MUIO's DataStorage, ``Parameters.json`` beside it is read in addition, so that parameters and
defaults of other versions are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from trivium.errors import InvalidValueError

#: The file that has MUIO's own list.
_LIST = "Parameters.json"
_UNLIMITED = 999999.0


class Known(NamedTuple):
    """A parameter: OSeMOSYS's name, and its value where a case has none."""

    name: str
    default: float


KNOWN: Mapping[str, Known] = {
    "DR": Known("DiscountRate", 0.05),
    "TMPAU": Known("TotalTechnologyModelPeriodActivityUpperLimit", _UNLIMITED),
    "TMPAL": Known("TotalTechnologyModelPeriodActivityLowerLimit", 0.0),
    "OL": Known("OperationalLife", 1.0),
    "CAU": Known("CapacityToActivityUnit", 1.0),
    "DRI": Known("DiscountRateIdv", 0.05),
    "MPEL": Known("ModelPeriodEmissionLimit", _UNLIMITED),
    "UCC": Known("UDCConstant", 0.0),
    "CAM": Known("UDCMultiplierActivity", 0.0),
    "CNCM": Known("UDCMultiplierNewCapacity", 0.0),
    "CCM": Known("UDCMultiplierTotalCapacity", 0.0),
    "YS": Known("YearSplit", 1.0),
    "DS": Known("DaySplit", 1.0),
    "DIDT": Known("DaysInDayType", 1.0),
    "COTU": Known("CapacityOfOneTechnologyUnit", 0.0),
    "TAU": Known("TotalTechnologyAnnualActivityUpperLimit", _UNLIMITED),
    "TAL": Known("TotalTechnologyAnnualActivityLowerLimit", 0.0),
    "TAMinCI": Known("TotalAnnualMinCapacityInvestment", 0.0),
    "TAMinC": Known("TotalAnnualMinCapacity", 0.0),
    "TAMaxCI": Known("TotalAnnualMaxCapacityInvestment", _UNLIMITED),
    "TAMaxC": Known("TotalAnnualMaxCapacity", _UNLIMITED),
    "RC": Known("ResidualCapacity", 0.0),
    "FC": Known("FixedCost", 0.0),
    "CC": Known("CapitalCost", 0.0),
    "AF": Known("AvailabilityFactor", 1.0),
    "TAIML": Known("TechnologyActivityIncreaseByModeLimit", 0.0),
    "TADML": Known("TechnologyActivityDecreaseByModeLimit", 0.0),
    "TAMUL": Known("TechnologyActivityByModeUpperLimit", 99999.0),
    "TAMLL": Known("TechnologyActivityByModeLowerLimit", 0.0),
    "VC": Known("VariableCost", 0.0001),
    "ITCR": Known("InputToTotalCapacityRatio", 0.0),
    "INCR": Known("InputToNewCapacityRatio", 0.0),
    "OAR": Known("OutputActivityRatio", 0.0),
    "IAR": Known("InputActivityRatio", 0.0),
    "SLS": Known("StorageLevelStart", 1.0),
    "OLS": Known("OperationalLifeStorage", 1.0),
    "MSC": Known("MinStorageCharge", 0.0),
    "RSC": Known("ResidualStorageCapacity", 0.0),
    "CCS": Known("CapitalCostStorage", 0.0),
    "TFS": Known("TechnologyFromStorage", 0.0),
    "TTS": Known("TechnologyToStorage", 0.0),
    "CF": Known("CapacityFactor", 1.0),
    "SAD": Known("SpecifiedAnnualDemand", 0.0),
    "AAD": Known("AccumulatedAnnualDemand", 0.0),
    "SDP": Known("SpecifiedDemandProfile", 0.0),
    "EP": Known("EmissionsPenalty", 0.0),
    "AEL": Known("AnnualEmissionLimit", _UNLIMITED),
    "EACR": Known("EmissionToActivityChangeRatio", 0.0),
    "EAR": Known("EmissionActivityRatio", 0.0),
}


def known(case: Path) -> dict[str, Known]:
    """Return all parameters by id, for a case in a folder.

    Raises
    ------
    InvalidValueError
        When MUIO's own list is there and cannot be read.
    """
    found = dict(KNOWN)
    path = case.parent / _LIST
    if path.is_file():
        for group in read_json(path).values():
            for entry in group:
                name = str(entry.get("value", "")).replace(" ", "")
                default = entry.get("default", found.get(entry["id"], Known(name, 0.0)).default)
                found[entry["id"]] = Known(name, float(default))
    return found


def read_json(path: Path) -> dict[str, Any]:
    """Read a file of MUIO.

    Raises
    ------
    InvalidValueError
        When it is no JSON object.
    """
    try:
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        raise InvalidValueError(f"{path} cannot be read: {error.strerror}", "case") from error
    except orjson.JSONDecodeError as error:
        raise InvalidValueError(f"{path} is no JSON: {error}", "case") from error
    if not isinstance(content, dict):
        raise InvalidValueError(f"{path} is no JSON object", "case")
    return content
