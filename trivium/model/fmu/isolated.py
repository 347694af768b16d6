"""A model each of whose lives is a process of its own: for FMUs that cannot be initialized twice in one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from trivium.errors import ModelError
from trivium.forks import shared_template
from trivium.model.contract import FloatArray, Jacobian, Snapshot, StartValues
from trivium.model.fmu.apart import WORK, Life
from trivium.model.fmu.description import FmuDescription
from trivium.model.fmu.fmu_model import FmuModel, Solving
from trivium.model.fmu.registry import adapter


class IsolatedModel(FmuModel):
    """An FMU whose every initialization, restore and replay happens in a new process; see the base class.

    A step costs some hundredths of a millisecond more, an initialization some milliseconds.

    Parameters
    ----------
    description : FmuDescription
    solving : Solving
    engine : str
        What runs the FMU in these processes.
    """

    isolated: ClassVar[bool] = True

    def __init__(self, description: FmuDescription, solving: Solving, engine: str) -> None:
        super().__init__(description, solving)
        self.engine = engine  # type: ignore[misc]  # of each object here
        if description.interface == "me":
            self.can_ramp = not solving.restart
        self._life: Life | None = None

    @property
    def kind(self) -> str:
        """Name of the adapter in these processes."""
        return adapter(self.engine, self.description).__qualname__

    def _begin(self) -> Life:
        self._discard()
        self._life = Life(shared_template(WORK), self.description, self.engine, self.solving)
        return self._life

    def _call(self, method: str, *arguments: object) -> object:
        if self._life is None:
            raise ModelError("the process of the FMU has ended")
        return self._life.call(method, *arguments)

    def _initialize(self, time: float, inputs: FloatArray) -> None:
        self._begin().call("initialize", time, inputs, self.start_values)

    def _step(self, time: float, duration: float, inputs: FloatArray) -> FloatArray:
        return self._call("_step", time, duration, inputs)  # type: ignore[return-value]

    def _ramp(self, time: float, duration: float, inputs: FloatArray, slopes: FloatArray) -> FloatArray:
        return self._call("_ramp", time, duration, inputs, slopes)  # type: ignore[return-value]

    def _differentiate(self, inputs: FloatArray, outputs: Sequence[int], columns: Sequence[int]) -> Jacobian:
        return self._call("_differentiate", inputs, outputs, columns)  # type: ignore[return-value]

    def _read(self) -> FloatArray:
        return self._call("_read")  # type: ignore[return-value]

    def _texts(self) -> dict[str, str]:
        return self._call("_texts")  # type: ignore[return-value]

    def _change(self, values: StartValues) -> None:
        self._call("change", values)

    def _look(self, names: Sequence[str]) -> FloatArray:
        return self._call("_look", names)  # type: ignore[return-value]

    def _serialize(self) -> bytes:
        return self._call("_serialize")  # type: ignore[return-value]

    def _deserialize(self, time: float, data: bytes) -> None:
        self._begin().call("restore", Snapshot(time, data, self.start_values))

    def _discard(self) -> None:
        if self._life is not None:
            self._life.end()
            self._life = None


def make_model(description: FmuDescription, engine: str, solving: Solving, *, isolate: bool) -> FmuModel:
    """Make a model.

    Parameters
    ----------
    description : FmuDescription
    engine : str
    solving : Solving
    isolate : bool
        Whether each initialization gets a process of its own.

    Raises
    ------
    ResourcesError
        When the engine is not installed, or does not run the FMU.
    ModelError
        When the binary cannot be loaded.
    """
    kind = adapter(engine, description)
    return IsolatedModel(description, solving, engine) if isolate else kind(description, solving)
