"""A linear system of known solution as FMUs of several versions of FMI, compiled from tests/csrc/linear*::

    dx/dt = (u - x) / tau        y = gain x, negated when inverted        high = x > 1        echo = label

`x` starts at 1, ``tau`` is 10 s, ``gain`` 2, ``inverted`` false and ``label`` "cooling"; all five may be set before
initialization, and none but x is in the state that the FMU serializes.
"""

from __future__ import annotations

import math
from pathlib import Path

from tests.trap_fmu import pack

FMI2 = """<?xml version="1.0" encoding="UTF-8"?>
<fmiModelDescription fmiVersion="2.0" modelName="linear" guid="linear2" numberOfEventIndicators="0">
<ModelExchange modelIdentifier="linear" canGetAndSetFMUstate="true" canSerializeFMUstate="true"/>
<CoSimulation modelIdentifier="linear" canHandleVariableCommunicationStepSize="true" canGetAndSetFMUstate="true"
 canSerializeFMUstate="true"/>
<UnitDefinitions><Unit name="K"/><Unit name="s"/></UnitDefinitions>
<DefaultExperiment startTime="0" stopTime="100" tolerance="1e-9" stepSize="0.5"/>
<ModelVariables>
<ScalarVariable name="u" valueReference="0" causality="input" variability="continuous"><Real start="0"/></ScalarVariable>
<ScalarVariable name="x" valueReference="1" causality="output" variability="continuous" initial="exact"><Real start="1"/></ScalarVariable>
<ScalarVariable name="y" valueReference="2" causality="output" variability="continuous"><Real unit="K"/></ScalarVariable>
<ScalarVariable name="der(x)" valueReference="3" causality="local" variability="continuous"><Real derivative="2"/></ScalarVariable>
<ScalarVariable name="tau" valueReference="4" causality="parameter" variability="fixed"><Real start="10" min="0.1" unit="s"/></ScalarVariable>
<ScalarVariable name="gain" valueReference="0" causality="parameter" variability="tunable"><Integer start="2" max="100"/></ScalarVariable>
<ScalarVariable name="tenfold" valueReference="1" causality="output" variability="discrete"><Integer/></ScalarVariable>
<ScalarVariable name="inverted" valueReference="0" causality="parameter" variability="fixed"><Boolean start="false"/></ScalarVariable>
<ScalarVariable name="high" valueReference="1" causality="output" variability="discrete"><Boolean/></ScalarVariable>
<ScalarVariable name="label" valueReference="0" causality="parameter" variability="fixed"><String start="cooling"/></ScalarVariable>
<ScalarVariable name="echo" valueReference="1" causality="output" variability="discrete"><String/></ScalarVariable>
</ModelVariables>
<ModelStructure>
<Outputs><Unknown index="2"/><Unknown index="3"/><Unknown index="7"/><Unknown index="9"/><Unknown index="11"/></Outputs>
<Derivatives><Unknown index="4"/></Derivatives>
<InitialUnknowns><Unknown index="3"/><Unknown index="4"/><Unknown index="7"/><Unknown index="9"/><Unknown index="11"/></InitialUnknowns>
</ModelStructure>
</fmiModelDescription>
"""


def state(time: float, u: float = 0.0, *, start: float = 1.0, tau: float = 10.0) -> float:
    """Return x after a time under a constant u."""
    return u + (start - u) * math.exp(-time / tau)


def build_linear(path: Path) -> Path:
    """Compile the FMU of FMI 2.0."""
    return pack(path, "linear", "linux64", FMI2, "linear2.c", {"GUID": '"linear2"'})
