"""Where the inputs of a model come from: clients, the boundary data, the law of its plant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trivium.errors import ResourcesError
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable
from trivium.simulation.boundary import Disturbances
from trivium.simulation.plant import Law


class Inputs:
    """The inputs of a model.

    Parameters
    ----------
    variables : sequence of Variable
        In the order of the model's arrays.
    disturbances : sequence of str
        Those that follow the boundary data.
    law : Law or None
        Computes some inputs; None leaves all others to the clients.

    Raises
    ------
    ResourcesError
        When the model lacks one of them.
    """

    def __init__(self, variables: Sequence[Variable], disturbances: Sequence[str], law: Law | None) -> None:
        names = [variable.name for variable in variables]
        computed = () if law is None else tuple(law.inputs)
        filled = (*disturbances, *computed)
        missing = [name for name in filled if name not in names]
        if missing:
            raise ResourcesError(f"the FMU has no input {missing[0]}")
        self.law = law
        self._count = len(names)
        #: Positions of those that follow the boundary data.
        self.disturbed = np.array([names.index(name) for name in disturbances], dtype=np.intp)
        #: Positions of the control inputs, those that clients give.
        self.controlled = np.array([i for i, name in enumerate(names) if name not in filled], dtype=np.intp)
        #: Positions of those that the law computes, and their start values.
        self.computed = np.array([names.index(name) for name in computed], dtype=np.intp)
        self.start = np.array([variables[i].start or 0.0 for i in self.computed])

    def at(self, time: float, controls: FloatArray, data: Disturbances) -> FloatArray:
        """Return the inputs at a time [s], before any step, shape (n_inputs,).

        Raises
        ------
        InvalidValueError
            When the boundary data does not cover the time.
        """
        inputs = np.empty(self._count)
        inputs[self.controlled] = controls
        inputs[self.disturbed] = data.at([time], min(time + data.interval, max(time, data.end)))[0]
        inputs[self.computed] = self.start
        return inputs

    def rows(
        self, times: Sequence[float], controls: FloatArray, data: Disturbances, width: int
    ) -> tuple[FloatArray, NDArray[np.intp] | slice]:
        """Return rows of the history with times and inputs of each sub-step in them; refuse what cannot be.

        The inputs that the law computes and the outputs stay open.

        Parameters
        ----------
        times : sequence of float, length n_steps + 1
            The clock now and at the end of each control step [s].
        controls : FloatArray, shape (n_steps, n_controls)
        data : Disturbances
        width : int
            Columns of the history.

        Returns
        -------
        rows : FloatArray, shape (n_sub_steps, width)
        ends : NDArray of int or slice
            Picks the rows at which control steps end.

        Raises
        ------
        InvalidValueError
            When the boundary data does not cover the time, or the law has no answer.
        """
        ends = data.split(times)
        rows = np.empty((len(ends), width))
        rows[:, 0] = ends
        inputs = rows[:, 1 : 1 + self._count]
        picked: NDArray[np.intp] | slice = slice(None)
        if len(ends) > len(controls):
            picked = np.searchsorted(ends, times[1:])
            controls = controls[np.searchsorted(times, ends) - 1]
        inputs[:, self.controlled] = controls
        inputs[:, self.disturbed] = data.at([times[0], *ends[:-1]], times[-1])
        if self.law is not None:
            for row in inputs:
                self.law.check(row)
        return rows, picked
