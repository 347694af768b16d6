"""Co-simulation through FMPy, of FMI 1.0, 2.0 and 3.0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from trivium.model.contract import FloatArray, StartValues
from trivium.model.fmu.description import FmuDescription
from trivium.model.fmu.fmpy_calls import Calls, translated
from trivium.model.fmu.fmpy_fmi1 import Fmi1
from trivium.model.fmu.fmpy_fmi2 import Fmi2
from trivium.model.fmu.fmpy_fmi3 import Fmi3
from trivium.model.fmu.fmu_model import Adapter, Solving
from trivium.model.fmu.scalars import FmuVariable

_VERSIONS: dict[str, type[Calls]] = {"1.0": Fmi1, "2.0": Fmi2, "3.0": Fmi3}


class FmpyModel(Adapter):
    """A co-simulation FMU, called through FMPy; see the base class."""

    engine: ClassVar[str] = "fmpy"
    _translated = staticmethod(translated)

    def __init__(self, description: FmuDescription, solving: Solving | None = None) -> None:
        super().__init__(description, solving)
        self._fmu = _VERSIONS[description.version](description)

    def _start(self, time: float, inputs: FloatArray | None) -> None:
        self._fmu.start(time, self.told_tolerance, self.start_values, inputs, self.solving.stop)

    def _step(self, time: float, duration: float, inputs: FloatArray) -> FloatArray:
        with translated("step"):
            return self._fmu.do_step(time, duration, inputs)

    def _ramp(self, time: float, duration: float, inputs: FloatArray, slopes: FloatArray) -> FloatArray:
        with translated("step"):
            return self._fmu.do_step(time, duration, inputs, slopes)

    def _hold(self, inputs: FloatArray) -> None:
        self._fmu.hold(inputs)

    def _directional(self, unknowns: Sequence[int], known: int, seed: Sequence[float], length: int) -> FloatArray:
        return self._fmu.directional(unknowns, known, seed, length)

    def _get(self) -> FloatArray:
        return self._fmu.outputs.get()

    def _get_texts(self) -> dict[str, str]:
        return self._fmu.texts()

    def _set_tunables(self, values: StartValues) -> None:
        self._fmu.change(values)

    def _values(self, variables: Sequence[FmuVariable]) -> FloatArray:
        return self._fmu.values(variables)

    def _get_state(self) -> bytes:
        return self._fmu.get_state()

    def _set_state(self, data: bytes) -> None:
        self._fmu.set_state(data)

    def _discard(self) -> None:
        self._fmu.free()
