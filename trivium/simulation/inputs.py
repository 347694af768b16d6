"""Where the inputs of a model come from: clients, the boundary data, the law of the required head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trivium.errors import ResourcesError
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable
from trivium.plants.cooling.head import RequiredHead
from trivium.simulation.boundary import Disturbances

#: The input that the server computes, where the test case has a law for it.
HEAD = "Head_required"


class Inputs:
    """The inputs of a model.

    Parameters
    ----------
    variables : sequence of Variable
        In the order of the model's arrays.
    disturbances : sequence of str
        Those that follow the boundary data.
    law : RequiredHead or None
        None leaves Head_required to the clients, where the model has such an input at all.

    Raises
    ------
    ResourcesError
        When the model lacks one of them.
    """

    def __init__(self, variables: Sequence[Variable], disturbances: Sequence[str], law: RequiredHead | None) -> None:
        names = [variable.name for variable in variables]
        given = (*disturbances, *(() if law is None else (HEAD,)))
        missing = [name for name in given if name not in names]
        if missing:
            raise ResourcesError(f"the FMU has no input {missing[0]}")
        self.law = law
        self._count = len(names)
        #: Positions of those that follow the boundary data.
        self.disturbed = np.array([names.index(name) for name in disturbances], dtype=np.intp)
        #: Positions of the control inputs, those that clients give.
        self.controlled = np.array([i for i, name in enumerate(names) if name not in given], dtype=np.intp)
        #: Position of Head_required, where there is a law for it.
        self.head = -1 if law is None else names.index(HEAD)
        #: Head_required before any step [m].
        self.start_head = 0.0 if law is None else variables[self.head].start or 0.0

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
        if self.law is not None:
            inputs[self.head] = self.start_head
        return inputs

    def rows(
        self, times: Sequence[float], controls: FloatArray, data: Disturbances, width: int
    ) -> tuple[FloatArray, NDArray[np.intp] | slice]:
        """Return rows of the history with times and inputs of each sub-step in them; refuse what cannot be.

        Head_required and what comes of the step stay open.

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
