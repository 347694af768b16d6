"""What experiments import when they load a model: a process imports this module before it has one to load."""

from __future__ import annotations

import fmpy.fmi2  # noqa: F401

import trivium.experiment.fmu
import trivium.experiment.testcase
import trivium.model.fmu.fmpy_  # noqa: F401
from trivium.simulation.plant import plants

list(plants())
