"""Builds the test models once a session and drives them through FMPy."""

import ctypes

import fmpy
import pytest
from fmpy.fmi2 import FMU2Model, FMU2Slave, fmi2CallbackFunctions, fmi2CallbackLoggerTYPE

from tests.shared import once, root


class Built:
    """A built FMU, unzipped, with its description."""

    def __init__(self, path, folder):
        self.path, self.folder = path, folder
        fmpy.extract(str(path), str(folder))
        self.description = fmpy.read_model_description(str(folder))
        self.vr = {v.name: v.valueReference for v in self.description.modelVariables}


class Instance:
    """An FMU instance with variables by name and its messages in a list."""

    def __init__(self, built, kind=FMU2Slave, guid=None):
        self.built, self.messages = built, []
        # FMPy's type ends in `...`, which ctypes cannot express: the format and no further argument arrive
        callbacks = fmi2CallbackFunctions()
        callbacks.logger = fmi2CallbackLoggerTYPE(self._log)
        self.fmu = kind(
            guid=guid or built.description.guid,
            unzipDirectory=str(built.folder),
            modelIdentifier=built.description.modelName,
            instanceName="test",
        )
        self.fmu.instantiate(callbacks=callbacks, loggingOn=True)
        self.time = 0.0

    def _log(self, _environment, _name, _status, _category, message):
        self.messages.append(message.decode())

    def begin(self, tolerance=None, values=None, start=0.0, stop=None):
        self.fmu.setupExperiment(tolerance=tolerance, startTime=start, stopTime=stop)
        self.time = start
        self.fmu.enterInitializationMode()
        if values:
            self.set(**values)
        self.fmu.exitInitializationMode()
        return self

    def set(self, **values):
        self.fmu.setReal([self.built.vr[name] for name in values], list(values.values()))

    def get(self, *names):
        return self.fmu.getReal([self.built.vr[name] for name in names])

    def step(self, length):
        self.fmu.doStep(self.time, length)
        self.time += length

    def snapshot(self):
        """Serialize the state."""
        state = self.fmu.getFMUstate()
        data = self.fmu.serializeFMUstate(state)
        self.fmu.freeFMUstate(state)
        return data

    def restore(self, data):
        state = self.fmu.deSerializeFMUstate(data)
        self.fmu.setFMUstate(state)
        self.fmu.freeFMUstate(state)

    def call(self, name, *arguments):
        """Call a C function and return its status without FMPy's check."""
        function = getattr(ctypes.CDLL(self.fmu.dll._name), name)
        return function(ctypes.c_void_p(self.fmu.component), *arguments)

    def close(self):
        self.fmu.freeInstance()


@pytest.fixture(scope="session")
def fmus(tmp_path_factory):
    """Build a model of `plants` for linux64 on first use: fmus("linear")."""
    pytest.importorskip("casadi", reason="CasADi generates the equations")
    pytest.importorskip("ziglang", reason="ziglang compiles the FMU")
    from tests.unit.workshop.fmi import plants
    from workshop.fmi.build import build

    folder = tmp_path_factory.mktemp("fmus")
    shared = root(tmp_path_factory) / "fmus"
    built = {}

    def get(name):
        if name not in built:
            make = getattr(plants, name)
            path = once(shared / f"{name}.fmu", lambda unfinished: build(make(), unfinished, ["linux64"]))
            built[name] = Built(path, folder / name)
        return built[name]

    return get


@pytest.fixture
def instances(fmus):
    """Make instances that are freed at the end: instances("linear")."""
    made = []

    def make(name, kind=FMU2Slave):
        made.append(Instance(fmus(name), kind))
        return made[-1]

    yield make
    for instance in made:
        instance.close()


@pytest.fixture
def model_exchange(instances):
    """Make model exchange instances."""
    return lambda name: instances(name, FMU2Model)
