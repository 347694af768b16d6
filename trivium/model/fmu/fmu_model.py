"""What the adapters of all vendors share: a model made of an FMU."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from trivium.model.contract import FloatArray, Jacobian, Model, StartValues
from trivium.model.fmu.description import FmuDescription, Interface, Recording
from trivium.model.fmu.jacobian import by_directions, can_differentiate
from trivium.model.fmu.library import load
from trivium.model.fmu.scalars import FmuVariable
from trivium.model.fmu.verdict import Qualification
from trivium.model.variable import Variable

#: Solvers of Assimulo for Model Exchange; the first is the default.
SOLVERS = ("Radau5ODE", "CVode", "LSODAR")
#: Relative tolerance where neither the test case nor the FMU says one.
TOLERANCE = 1e-4
#: The same for Model Exchange, where it is a solver here that needs one, and errors add up over a simulation.
EXCHANGE_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Solving:
    """How accurately an FMU is simulated.

    Attributes
    ----------
    tolerance : float or None
        Relative tolerance [1]; None for what the FMU recommends.
    absolute : float or None
        Absolute tolerance of the solver of Model Exchange, as a share of the nominal values [1]; None for what the
        engine chooses.
    restart : bool
        Whether PyFMI makes a new solver for Model Exchange at every step.
    solver : str or None
        Solver of Assimulo for Model Exchange; None for what the engine chooses.
    default : float or None
        Relative tolerance of co-simulations where neither the test case nor the FMU has one [1]; with None, those of
        FMPy get none.
    stop : float or None
        Stop time passed to co-simulations of FMPy [s]; None for none.
    """

    tolerance: float | None = None
    absolute: float | None = None
    restart: bool = False
    solver: str | None = None
    default: float | None = TOLERANCE
    stop: float | None = None


@dataclass(frozen=True)
class Setup:
    """Which FMU is run, and how: all that another process needs to make the same model.

    Attributes
    ----------
    fmu : Path
        The ``.fmu`` file.
    engine : str
        See `trivium.model.fmu.registry`.
    interface : {"cs", "me"} or None
        None for co-simulation where the FMU offers it.
    solving : Solving
    recording : Recording
        What a step returns beside the outputs.
    structural : tuple of (str, int)
        Structural parameters of FMI 3.0 that give sizes of arrays.
    """

    fmu: Path
    engine: str
    interface: Interface | None = None
    solving: Solving = Solving()
    recording: Recording = field(default_factory=Recording)
    structural: tuple[tuple[str, int], ...] = ()


class FmuModel(Model):
    """A model made of an FMU.

    Parameters
    ----------
    description : FmuDescription
    solving : Solving

    Raises
    ------
    ModelError
        When the binary cannot be loaded.
    """

    #: Name of its engine in ``testcase.toml``: the name of the entry point that brings it.
    engine: ClassVar[str]

    def __init__(self, description: FmuDescription, solving: Solving | None = None) -> None:
        read = {v.variable.name for v in (*description.inputs, *description.outputs)}
        rest = [v for v in description.numbers if v.variable.name not in read and v.causality != "independent"]
        self._steady = {v.variable.name: v for v in rest if v.is_steady}
        super().__init__(
            tuple(_switch(v.variable) for v in description.inputs),
            tuple(v.variable for v in description.outputs),
            can_snapshot=description.can_snapshot,
            parameters=[v.variable for v in description.parameters],
            experiment=description.experiment,
            n_strict=description.n_strict,
            n_measured=description.n_measured,
            steady=[v.variable for v in self._steady.values()],
            unrecorded=[v.variable for v in rest if not v.is_steady],
            dimensions=[v.variable.name for v in description.dimensions],
            continuous={v.variable.name for v in description.inputs if v.continuous},
            can_ramp=description.interpolates,
            states=[v.variable for v in description.states],
            can_differentiate=can_differentiate(description),
        )
        load(description)
        self.unit_step = description.unit_step
        self.seamless = description.interface == "me"  # its solver only looks at its solution between
        self.description = description
        self.solving = solving or Solving()
        proposed = self.solving.tolerance or description.experiment.tolerance
        default = EXCHANGE_TOLERANCE if description.interface == "me" else self.solving.default
        self.tolerance = proposed or default or TOLERANCE
        #: The value passed to the FMU; None for none.
        self.told_tolerance = proposed or default
        #: What the FMU really does; by default it is believed.
        self.qualification = Qualification()

    @property
    def setup(self) -> Setup:
        """How to make the same model in another process."""
        description = self.description
        structural = tuple(description.structural.items())
        return Setup(
            description.path, self.engine, description.interface, self.solving, description.recording, structural
        )

    def twin(self, *, apart: bool = False) -> FmuModel:
        """Return a second, fresh model of the same FMU; see the base class."""
        from trivium.model.fmu.isolated import make_model

        apart = apart or self.description.one_instance or self.isolated
        twin = make_model(self.description, self.engine, self.solving, isolate=apart)
        twin.can_snapshot, twin.qualification = self.can_snapshot, self.qualification
        return twin

    @property
    def exact_here(self) -> bool:
        """Whether a restore in this process is exact; see the base class."""
        return self.qualification.exact_here

    @property
    def exact_elsewhere(self) -> bool:
        """Whether a restore in another process is exact; see the base class."""
        return self.qualification.verdict == "exact"


class Adapter(FmuModel):
    """An FMU in this process; a vendor's adapter implements `_step`, `_ramp` and what is abstract here."""

    def _initialize(self, time: float, inputs: FloatArray) -> None:
        with self._translated("initialize"):
            self._start(time, inputs)

    def _read(self) -> FloatArray:
        with self._translated("tell its outputs"):
            return self._get()

    def _texts(self) -> dict[str, str]:
        with self._translated("tell its texts"):
            return self._get_texts()

    def _change(self, values: StartValues) -> None:
        with self._translated(f"change {', '.join(values)}"):
            self._set_tunables(self._complete(values))

    def _complete(self, values: StartValues) -> StartValues:
        """Return values with the present ones of the other elements of their arrays, which are set together."""
        arrays = {(p.type, p.reference) for p in self.description.parameters if p.variable.name in values}
        names = (p.variable.name for p in self.description.parameters if (p.type, p.reference) in arrays)
        return {**{name: self.start_values[name] for name in names if name in self.start_values}, **values}

    def _look(self, names: Sequence[str]) -> FloatArray:
        with self._translated("return parameters"):
            return self._values([self._steady[name] for name in names])

    def _differentiate(self, inputs: FloatArray, outputs: Sequence[int], columns: Sequence[int]) -> Jacobian:
        with self._translated("differentiate"):
            self._hold(inputs)
            description = self.description
            rows = [*description.rates, *(description.outputs[i] for i in outputs)]
            values = self._values([*description.states, *rows])
            if description.directional:
                known = [*description.states, *(description.inputs[i] for i in columns)]
                matrix = by_directions(self._directional, rows, known)
            else:
                matrix = self._by_differences(inputs, columns, rows, values[: len(description.states)])
            states, rates, points = np.split(values, (len(description.states), 2 * len(description.states)))
            return Jacobian(states, rates, points, matrix, description.directional)

    def _serialize(self) -> bytes:
        with self._translated("serialize"):
            return self._get_state()

    def _deserialize(self, time: float, data: bytes) -> None:
        with self._translated("restore"):
            self._start(time, None)
            self._set_state(data)

    @abstractmethod
    def _translated(self, call: str) -> AbstractContextManager[None]:
        """Turn the vendor's errors into ours, with what the FMU said."""

    @abstractmethod
    def _start(self, time: float, inputs: FloatArray | None) -> None:
        """Make an instance and bring it through its initialization; without inputs they keep their start values."""

    @abstractmethod
    def _hold(self, inputs: FloatArray) -> None:
        """Set the inputs without a step; where there are events, at one."""

    @abstractmethod
    def _directional(self, unknowns: Sequence[int], known: int, seed: Sequence[float], length: int) -> FloatArray:
        """Return the derivative of variables along a direction of another one, all by value reference.

        Parameters
        ----------
        unknowns : sequence of int
        known : int
        seed : sequence of float
            The direction, an element of the known variable's array each.
        length : int
            Elements of all unknowns.
        """

    def _by_differences(
        self, inputs: FloatArray, columns: Sequence[int], rows: Sequence[FmuVariable], states: FloatArray
    ) -> FloatArray:
        """Return derivatives of Model Exchange; see `trivium.model.fmu.jacobian.by_differences`."""
        raise NotImplementedError

    @abstractmethod
    def _get(self) -> FloatArray:
        """Return all outputs."""

    @abstractmethod
    def _get_texts(self) -> dict[str, str]:
        """Return the outputs that are text."""

    @abstractmethod
    def _set_tunables(self, values: StartValues) -> None:
        """Set tunable parameters and inputs that are text."""

    @abstractmethod
    def _values(self, variables: Sequence[FmuVariable]) -> FloatArray:
        """Return numbers, which may be others than the outputs."""

    @abstractmethod
    def _get_state(self) -> bytes:
        """Return the FMU's serialized state."""

    @abstractmethod
    def _set_state(self, data: bytes) -> None:
        """Take a serialized state in a new instance."""


def _switch(variable: Variable) -> Variable:
    """Return an input, bounded to 0 and 1 where it is a boolean."""
    return variable.bounded(0.0, 1.0) if variable.kind == "boolean" else variable
