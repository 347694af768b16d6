"""A member of the family of data centres: its boundary data, and the folder that is its test case.

A member is named ``climate-size-load``, with ``+storage`` where it has a tank, a battery and flexible work, ``+faults``
where its equipment wears and trips, ``@grid`` where its grid is not that of its climate, and ``#seed`` where its seed
is not 0: ``5A-5MW-mixed``, ``2B-20MW-training+storage#3``. The same name and version give the same bytes.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trivium.errors import InvalidValueError
from trivium.plants.data_center.family import grid, load, weather
from trivium.plants.data_center.family.climates import climate
from trivium.plants.data_center.family.epw import read_epw
from trivium.plants.data_center.family.sizes import nominal_load
from trivium.plants.data_center.family.testcase import testcase_toml
from trivium.plants.data_center.faults import draw_year
from trivium.storage import locked, replace_file

FloatArray = NDArray[np.float64]
#: Version of the members: of the figures and the laws that boundary data is drawn by.
VERSION = "2"
DAYS, DAY, INTERVAL, HOUR = 365, 86400.0, 300.0, 3600.0
#: Inputs of the plant that follow the data, and the health of the equipment, which is 1.
DISTURBANCES = ("PItDem1", "PItDem2", "TDryBul", "TWetBul")
CONDITIONS = ("kChi1", "kChi2", "kChi3", "kChi4", "kCon", "kTow", "kEco", "kPumChiWat", "kPumConWat")
#: Parameters of a member with storage.
STORAGE: Mapping[str, float] = {"tan.mNom": 2e-5, "bat.PNom": 0.15}
_NAME = re.compile(
    r"(?P<climate>\w+)-(?P<size>\w+)-(?P<load>\w+)(?P<storage>\+storage)?(?P<faults>\+faults)?(@(?P<grid>\w+))?(#(?P<seed>\d+))?"
)


@dataclass(frozen=True)
class Member:
    """A member of the family.

    Attributes
    ----------
    climate, size, load : str
        Names in `climates.CLIMATES`, `sizes.SIZES` and `load.PROFILES`.
    storage : bool
        Whether the plant has a tank and a battery and may postpone flexible work.
    grid : str or None
        Name in `grid.GRIDS`; None for that of the climate.
    seed : int
        Of weather, load, grid and faults.
    epw : Path or None
        A weather file whose weather takes the place of the climate's.
    faults : bool
        Whether its scenario has faults that are drawn; `trivium.plants.data_center.faults.draw_year`.

    Raises
    ------
    InvalidValueError
        Naming the part that there is not.
    """

    climate: str
    size: str
    load: str = "mixed"
    storage: bool = False
    grid: str | None = None
    seed: int = 0
    epw: Path | None = None
    faults: bool = False

    def __post_init__(self) -> None:
        climate(self.climate)
        nominal_load(self.size)
        load.profile(self.load)
        if self.grid is not None:
            grid.grid(self.grid)
        if self.seed < 0:
            raise InvalidValueError(f"seed must not be negative, but is {self.seed}", "seed")

    @property
    def name(self) -> str:
        """Its name; see `parse`."""
        parts = [f"{self.climate}-{self.size}-{self.load}", "+storage" if self.storage else ""]
        parts += ["+faults" if self.faults else ""]
        return "".join((*parts, f"@{self.grid}" if self.grid else "", f"#{self.seed}" if self.seed else ""))

    @property
    def start_values(self) -> dict[str, float]:
        """Parameters of the plant: its size, the air pressure of the place, its storage."""
        flexible = {"shi.fra2": load.profile(self.load).flexible} if self.storage else {}
        pressure = round(weather.standard_pressure(self._site[1]))
        size = {"PItNom": nominal_load(self.size), "pAtm": float(pressure)}
        return {**size, **(STORAGE if self.storage else {}), **flexible}

    @cached_property
    def _site(self) -> tuple[weather.Weather, float, float]:
        """Weather of the year, elevation [m], and offset of the standard time from UTC [h]."""
        if self.epw is not None:
            return read_epw(self.epw)
        place = climate(self.climate)
        return weather.draw(place, self.seed), place.elevation, place.offset

    @property
    def offset(self) -> float:
        """Offset of its standard time from UTC [h]."""
        return self._site[2]

    def boundary(self) -> tuple[bytes, bytes]:
        """Return the boundary data, and prices with emissions, as CSV."""
        times = INTERVAL * np.arange(round(DAYS * DAY / INTERVAL) + 1, dtype=np.float64)
        year, *_ = self._site
        work = 0.5 * nominal_load(self.size) * load.draw(load.profile(self.load), times, self.seed)
        outside = np.column_stack(year.at(times))
        signals = grid.draw(grid.grid(self.grid or climate(self.climate).grid), year.wet_bulb, self.seed)
        return _disturbances(times, work, outside), _signals(signals)


def parse(name: str) -> Member:
    """Return the member of a name.

    Raises
    ------
    InvalidValueError
        When the name is none, or a part of it does not exist.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise InvalidValueError(
            f"there is no member {name!r}: a name is climate-size-load, with +storage, +faults, @grid or #seed behind "
            "it, like 5A-5MW-mixed",
            "member",
        )
    parts = match.groupdict()
    storage, seed = parts["storage"] is not None, int(parts["seed"] or 0)
    faults = parts["faults"] is not None
    return Member(parts["climate"], parts["size"], parts["load"], storage, parts["grid"], seed, faults=faults)


def make(member: Member, folder: Path) -> Path:
    """Write the test case of a member into a folder; files of that name are replaced.

    Returns
    -------
    Path
        The folder, for ``trivium serve --resources`` and all that takes a test case.

    Raises
    ------
    TriviumError
        When something is missing, or the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    disturbances, signals = member.boundary()
    faults = draw_year(member.seed) if member.faults else []
    digest = hashlib.sha256(disturbances + signals + (repr(faults).encode() if faults else b"")).hexdigest()
    replace_file(folder / "Disturbance.csv", disturbances)
    replace_file(folder / "Signals.csv", signals)
    if not fmu().parent.samefile(folder):  # the shipped test case is a member, too
        shutil.copyfile(fmu(), folder / fmu().name)
    replace_file(folder / "version.txt", f"{VERSION} ({digest[:12]})\n".encode())
    toml = testcase_toml(f"DataCenter-{member.name}-v{VERSION}", member.start_values, member.offset, faults)
    replace_file(folder / "testcase.toml", toml.encode())
    return folder


def folder_of(member: Member, state_dir: Path) -> Path:
    """Return the folder of a member's test case in the state directory, made where it is not there yet."""
    key = hashlib.sha256(f"{member!r} v{VERSION} {hashlib.sha256(fmu().read_bytes()).hexdigest()}".encode()).hexdigest()
    folder = state_dir / "members" / f"{member.name}-{key[:12]}"
    with locked(folder.with_suffix(".lock")):
        if not (folder / "testcase.toml").is_file():
            make(member, folder)
    return folder


def fmu() -> Path:
    """Return the FMU of the plant."""
    return Path(__file__).parents[1] / "testcase" / "DataCenterCooling.fmu"


def _disturbances(times: FloatArray, work: FloatArray, outside: FloatArray) -> bytes:
    healthy = ",1" * len(CONDITIONS)
    lines = [",".join(("time", *DISTURBANCES, *CONDITIONS))]
    rows = zip(times.tolist(), np.round(work, -1).tolist(), np.round(outside, 2).tolist(), strict=True)
    lines += [f"{time:.0f},{one:.0f},{two:.0f},{dry:.2f},{wet:.2f}{healthy}" for time, (one, two), (dry, wet) in rows]
    return ("\n".join(lines) + "\n").encode()


def _signals(signals: FloatArray) -> bytes:
    lines = [",".join(("time", *grid.NAMES))]
    lines += [
        f"{HOUR * hour:.0f}," + ",".join(f"{value:.5f}" for value in row)
        for hour, row in enumerate((*signals.tolist(), signals[0].tolist()))
    ]
    return ("\n".join(lines) + "\n").encode()
