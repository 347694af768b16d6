"""Tasks: what is controlled of which data centre, with an id and a version that can be cited.

An id is ``DC-kind-climate-size-v1``: ``DC-SetPoints-5A-5MW-v1``. What a version means never changes: another reward,
another constraint or other boundary data is another version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from trivium.errors import InvalidValueError
from trivium.plants.data_center.family.climates import CLIMATES
from trivium.plants.data_center.family.member import Member
from trivium.plants.data_center.family.sizes import SIZES
from trivium.suggestions import near_or_all

#: Version of the tasks.
VERSION = 1
#: Namespace of the ids in Gymnasium's registry.
NAMESPACE = "trivium"
_ID = re.compile(r"(?:trivium/)?DC-(?P<kind>\w+)-(?P<climate>\w+)-(?P<size>\w+)-v(?P<version>\d+)")


@dataclass(frozen=True)
class Kind:
    """What an agent decides.

    Attributes
    ----------
    name : str
    commands : tuple of str
        Inputs of the plant; the rule book decides on the others.
    choices : tuple of int
        How many whole numbers each of them may be, from 0 on; empty for numbers within bounds.
    step : float
        Control step [s].
    storage : bool
        Whether the plant has a tank, a battery and flexible work.
    """

    name: str
    commands: tuple[str, ...]
    choices: tuple[int, ...]
    step: float
    storage: bool


#: Commands that are whole numbers.
UNITS = ("uChi1", "uChi2", "uChi3", "uChi4", "nPumChiWat", "nPumConWat", "nTow")
_SET_POINTS = ("TChiWatSupSet", "TSupAirSet1", "TSupAirSet2", "TLiqSupSet")
_SPEEDS = ("yPumChiWat", "yPumConWat", "yFanTow", "yValEco", "yFanCra1", "yFanCra2")
_STORAGE = ("yTan", "yBat", "yShi")
#: The kinds of tasks by name.
KINDS = {
    kind.name: kind
    for kind in (
        Kind("Staging", UNITS, (2, 2, 2, 2, 5, 5, 5), 900.0, storage=False),
        Kind("SetPoints", _SET_POINTS, (), 900.0, storage=False),
        Kind("Full", (*UNITS, *_SET_POINTS, *_SPEEDS, *_STORAGE), (), 300.0, storage=True),
    )
}


@dataclass(frozen=True)
class Task:
    """A task.

    Attributes
    ----------
    kind : Kind
    member : Member
        The data centre.
    """

    kind: Kind
    member: Member

    @property
    def name(self) -> str:
        """Its id, without the namespace."""
        return f"DC-{self.kind.name}-{self.member.climate}-{self.member.size}-v{VERSION}"


def parse(name: str) -> Task:
    """Return the task of an id, with or without the namespace.

    Raises
    ------
    InvalidValueError
        Naming the part that does not exist.
    """
    match = _ID.fullmatch(name)
    if match is None:
        raise InvalidValueError(
            f"there is no task {name!r}: an id is DC-kind-climate-size-v{VERSION}, like DC-SetPoints-5A-5MW-v{VERSION}",
            "task",
        )
    kind, version = match["kind"], int(match["version"])
    if kind not in KINDS:
        raise InvalidValueError(f"there is no kind of task {kind!r}.{near_or_all(kind, KINDS)}", "task")
    if version != VERSION:
        raise InvalidValueError(
            f"there is no version {version} of the tasks; this release has version {VERSION}", "task"
        )
    return Task(KINDS[kind], Member(match["climate"], match["size"], storage=KINDS[kind].storage))


def names() -> Iterator[str]:
    """Yield the ids of all tasks, without the namespace."""
    for kind in KINDS.values():
        for climate in CLIMATES:
            for size in SIZES:
                yield Task(kind, Member(climate, size, storage=kind.storage)).name
