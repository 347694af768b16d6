"""Co-simulation through FMPy, of FMI 1.0, 2.0 and 3.0."""

from __future__ import annotations

from adcc.core.model import FloatArray, Model
from adcc.core.variables import with_plant_bounds
from adcc.errors import ModelError
from adcc.fmu.description import TOLERANCE, FmuDescription
from adcc.fmu.fmpy_calls import Calls, translated
from adcc.fmu.fmpy_fmi1 import Fmi1
from adcc.fmu.fmpy_fmi2 import Fmi2
from adcc.fmu.fmpy_fmi3 import Fmi3

_VERSIONS: dict[str, type[Calls]] = {"1.0": Fmi1, "2.0": Fmi2, "3.0": Fmi3}


class FmpyModel(Model):
    """A co-simulation FMU, called through FMPy.

    Parameters
    ----------
    description : FmuDescription
    tolerance : float or None
        Relative tolerance; None for what the FMU recommends.

    Raises
    ------
    ModelError
        When the binary cannot be loaded.
    """

    def __init__(self, description: FmuDescription, tolerance: float | None = None) -> None:
        super().__init__(
            with_plant_bounds(v.variable for v in description.inputs),
            tuple(v.variable for v in description.outputs),
            can_snapshot=description.can_snapshot,
            parameters=[v.variable for v in description.parameters],
            experiment=description.experiment,
        )
        self._description = description
        self._tolerance = tolerance or description.experiment.tolerance or TOLERANCE
        self._fmu = _VERSIONS[description.version](description)

    def twin(self) -> FmpyModel:
        """Return a second, fresh model of the same FMU; see the base class."""
        if self._description.one_instance:
            raise ModelError(f"the FMU {self._description.name} allows one instance a process")
        return type(self)(self._description, self._tolerance)

    def _initialize(self, time: float, inputs: FloatArray) -> None:
        with translated("initialize"):
            self._start(time, inputs)

    def _step(self, time: float, duration: float, inputs: FloatArray) -> FloatArray:
        with translated("step"):
            self._fmu.do_step(time, duration, inputs)
            return self._fmu.outputs()

    def _serialize(self) -> bytes:
        with translated("serialize"):
            return self._fmu.get_state()

    def _deserialize(self, time: float, data: bytes) -> None:
        with translated("restore"):
            self._start(time, None)
            self._fmu.set_state(data)

    def _texts(self) -> dict[str, str]:
        with translated("tell its texts"):
            return self._fmu.texts()

    def _discard(self) -> None:
        self._fmu.free()

    def _start(self, time: float, inputs: FloatArray | None) -> None:
        """Make an instance and bring it through its initialization."""
        self._fmu.start(time, self._tolerance, self.start_values, inputs)
