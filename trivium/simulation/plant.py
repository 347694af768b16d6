"""How a plant takes part in the simulation of its test cases: bounds, computed inputs, files, a usual controller.

A plant is what is known of one model beyond its FMU. Packages bring plants by the entry point group ``trivium.plants``
(`trivium.entry_points`); a model that no plant recognizes is simulated by what its FMU declares.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from trivium.entry_points import Registry
from trivium.model.contract import FloatArray, Model
from trivium.model.variable import Variable

log = logging.getLogger(__name__)


class Law(Protocol):
    """Computes some inputs of a model from the others and from the outputs of the sub-step before."""

    @property
    def noun(self) -> str:
        """What it computes, for messages: ``the required head``."""

    @property
    def inputs(self) -> Sequence[str]:
        """Names of the inputs that it computes."""

    @property
    def needs_a_step(self) -> bool:
        """Whether it needs outputs that were simulated: a warm-up then begins with the inputs' start values."""

    def check(self, inputs: FloatArray) -> None:
        """Refuse inputs of a sub-step, shape (n_inputs,), for which it has no result.

        Raises
        ------
        InvalidValueError
            Naming the input that is wrong.
        """

    def __call__(self, inputs: FloatArray, outputs: FloatArray, *, stepped: bool) -> float | FloatArray:
        """Return the values of its inputs in the coming sub-step, in order.

        Parameters
        ----------
        inputs : FloatArray, shape (n_inputs,)
            Of the coming sub-step.
        outputs : FloatArray, shape (n_outputs,)
            At the end of the sub-step before; before the first the initial observation.
        stepped : bool
            Whether there was a step since the initialization.

        Raises
        ------
        ModelError
            When there is no result.
        """


@dataclass(frozen=True)
class Folder:
    """How a folder with a test case of a plant is recognized, and its defaults where ``testcase.toml`` has none.

    Attributes
    ----------
    marks : tuple of str
        Keys of files: a folder that has one of them holds a test case of the plant.
    needs : tuple of str
        Keys of the files that such a folder must have.
    name : str
        Name of the test case.
    end_time : float
        Latest end of a simulation [s].
    """

    marks: tuple[str, ...]
    needs: tuple[str, ...]
    name: str
    end_time: float


#: What an element of a drawing may be: a unit is on or off, a pipe's water flows or stands, a fan turns or stands.
STATES = frozenset({"on", "off", "flows", "still", "turns"})


class Deviation(NamedTuple):
    """A value beside its set point, for a bar that shows how far it is from it.

    Attributes
    ----------
    value, set_point : float
    band : float
        How far from its set point the value may be; the bar ends at twice that.
    """

    value: float
    set_point: float
    band: float


class Unit(NamedTuple):
    """A part of a drawing that people choose, to see its trend and to set its inputs by hand.

    Attributes
    ----------
    title : str
    points : tuple of str
        Measurements that belong to it; an alarm about some of them marks it.
    inputs : tuple of str
        Control inputs that belong to it.
    """

    title: str
    points: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class View:
    """A reading of a plant, as people look at it.

    Attributes
    ----------
    sentence : str
        The plant in words, for people who do not see the drawing.
    figures : Mapping[str, str or tuple[float, str]]
        Text of elements of the drawing by id: words, or a value and its unit.
    states : Mapping[str, str]
        State of elements by id, by which they are coloured: one of `STATES`.
    tiles : sequence of (str, str or tuple[float, str], str)
        The chief figures: a title, words or a value with its unit, a remark.
    deviations : Mapping[str, Deviation]
        Values beside their set points, by the id of the bar.
    """

    sentence: str
    figures: Mapping[str, str | tuple[float, str]] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)
    tiles: Sequence[tuple[str, str | tuple[float, str], str]] = ()
    deviations: Mapping[str, Deviation] = field(default_factory=dict)


@dataclass(frozen=True)
class Schematic:
    """A drawing of a plant.

    Attributes
    ----------
    wide, narrow : Path
        SVG files for wide and for narrow screens; their elements with ids follow the readings.
    legend : str
        How the drawing is read.
    points : tuple of str
        Points that it needs.
    view : callable
        Takes the values of all points by name and returns a `View`.
    also : tuple of str
        Points that the view takes where there are any.
    units : Mapping[str, Unit]
        What can be chosen, by the id of its element.
    """

    wide: Path
    narrow: Path
    legend: str
    points: tuple[str, ...]
    view: Callable[[Mapping[str, float]], View]
    also: tuple[str, ...] = ()
    units: Mapping[str, Unit] = field(default_factory=dict)

    def marked(self, points: Sequence[str]) -> list[str]:
        """Return the ids of the units that an alarm about some points is about: those with all, and few others."""
        having = {key: unit for key, unit in self.units.items() if points and {*points} <= {*unit.points}}
        least = min((len(unit.points) for unit in having.values()), default=0)
        return [key for key, unit in having.items() if len(unit.points) == least]


class Plant(ABC):
    """What is known of one plant; the attributes may be overridden."""

    #: Files of its test cases: their keys in ``[files]`` of ``testcase.toml``, and the names that are looked for.
    files: Mapping[str, tuple[str, ...]] = {}
    #: How a folder is recognized; None where ``testcase.toml`` has all.
    folder: Folder | None = None
    #: Name of the controller that drives it where none is named.
    controller: str = "hold"
    #: None for the generic page.
    schematic: Schematic | None = None
    #: Points that charts show at first, the chief ones first.
    charted: tuple[str, ...] = ()
    #: Inputs that are the set points of measurements, by the measurement: charts draw both.
    set_points: Mapping[str, str] = {}

    @abstractmethod
    def recognizes(self, inputs: Set[str], outputs: Set[str]) -> bool:
        """Return whether a model with these inputs and outputs is this plant."""

    def bounds(self, name: str) -> tuple[float, float] | None:  # noqa: ARG002
        """Return the bounds of an input where its FMU declares none, in its unit; None for no bounds."""
        return None

    def law(self, inputs: Sequence[str], outputs: Sequence[str], files: Mapping[str, Path]) -> Law | None:  # noqa: ARG002
        """Return what computes inputs; None where clients give all.

        Parameters
        ----------
        inputs, outputs : sequence of str
            Names of the model's variables, in the order of its arrays.
        files : Mapping[str, Path]
            The plant's files that the test case has, by key.

        Raises
        ------
        ResourcesError
            When a file is wrong, or the model lacks a variable.
        """
        return None

    def bounded(self, variables: Sequence[Variable]) -> tuple[Variable, ...]:
        """Return inputs with the bounds that their FMU leaves open; what it declares is kept."""
        return tuple(v.bounded(*(self.bounds(v.name) or (None, None))) for v in variables)


#: All plants.
PLANTS: Registry[Plant] = Registry("trivium.plants")


def plants() -> Iterator[Plant]:
    """Yield all plants that can be loaded."""
    for _, plant in PLANTS.all():
        yield plant


def plant_of(inputs: Set[str], outputs: Set[str], files: Mapping[str, Path] | None = None) -> Plant | None:
    """Return the plant that a model is; None where none recognizes it.

    Parameters
    ----------
    inputs, outputs : set of str
        Names of the model's variables.
    files : Mapping[str, Path], optional
        Files of a test case that belong to a plant, by key: they decide, whatever the variables.
    """
    for key in files or ():
        for plant in plants():
            if key in plant.files:
                return plant
    for name, plant in PLANTS.all():
        try:
            if plant.recognizes(inputs, outputs):
                return plant
        except Exception:  # a plant of another package may raise anything
            log.exception("the plant %s fails to look at a model; it is left out", name)
    return None


def recognized(model: Model, files: Mapping[str, Path]) -> Plant | None:
    """Return the plant that a model is; see `plant_of`."""
    return plant_of({v.name for v in model.inputs}, {v.name for v in model.outputs}, files)
