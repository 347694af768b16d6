"""What must be refused is refused by name and changes nothing."""

import ctypes
import math

import pytest
from fmpy.fmi1 import FMICallException
from fmpy.fmi2 import FMU2Slave

from tests.unit.workshop.fmi.conftest import Instance

ERROR, DISCARD = 3, 2


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["valve", "T_in"])
def test_numbers_that_are_not_finite(instances, name, value):
    fmu = instances("tanks").begin()
    before = fmu.snapshot()
    with pytest.raises(FMICallException):
        fmu.set(heat=5.0, **{name: value})
    assert name in fmu.messages[-1]
    assert "not finite" in fmu.messages[-1]
    assert fmu.snapshot() == before
    fmu.step(300.0)


@pytest.mark.parametrize(("value", "word"), [(1.1, "above its maximum 1"), (-0.1, "below its minimum 0")])
def test_values_out_of_bounds(instances, value, word):
    fmu = instances("tanks").begin()
    before = fmu.snapshot()
    with pytest.raises(FMICallException):
        fmu.set(T_in=300.0, valve=value)
    assert "valve" in fmu.messages[-1]
    assert word in fmu.messages[-1]
    assert fmu.snapshot() == before


@pytest.mark.parametrize("name", ["T_out", "sensor.T", "der(sensor.T)", "filter.valve.s1"])
def test_computed_variables_cannot_be_set(instances, name):
    fmu = instances("tanks").begin()
    with pytest.raises(FMICallException):
        fmu.set(**{name: 300.0})
    assert name in fmu.messages[-1]


def test_parameters_are_fixed_after_initialization(instances):
    fmu = instances("tanks")
    for value in (math.nan, -1.0):
        with pytest.raises(FMICallException):
            fmu.set(mass=value)
        assert "mass" in fmu.messages[-1]
    fmu.begin(values={"mass": 100.0})
    with pytest.raises(FMICallException):
        fmu.set(mass=120.0)
    assert "mass" in fmu.messages[-1]
    assert fmu.get("mass") == [100.0]


@pytest.mark.parametrize("length", [0.0, -1.0, math.nan, math.inf])
def test_bad_step_sizes(instances, length):
    fmu = instances("tanks").begin()
    before = fmu.snapshot()
    with pytest.raises(FMICallException):
        fmu.step(length)
    assert "communication step size" in fmu.messages[-1]
    assert fmu.snapshot() == before


@pytest.mark.parametrize("at", [math.nan, 100.0, -300.0])
def test_bad_communication_points(instances, at):
    fmu = instances("tanks").begin()
    with pytest.raises(FMICallException):
        fmu.fmu.doStep(at, 300.0)
    assert "communication point" in fmu.messages[-1]
    fmu.step(300.0)


def test_step_past_the_stop_time(instances):
    fmu = instances("tanks").begin(stop=400.0)
    fmu.step(300.0)
    with pytest.raises(FMICallException):
        fmu.step(300.0)
    assert "stop time" in fmu.messages[-1]
    fmu.time = 300.0
    fmu.step(100.0)


def test_failed_step_names_the_state_and_leaves_the_values_before(instances):
    fmu = instances("kinked").begin()
    fmu.step(0.5)
    names = list(fmu.built.vr)
    fmu.set(on=1.0)
    before = fmu.get(*names)
    with pytest.raises(FMICallException):
        fmu.step(3.0)
    assert "growth" in fmu.messages[-1]
    assert fmu.get(*names) == before
    assert fmu.fmu.getRealStatus(2) == 0.5
    assert fmu.fmu.getStatus(0) == ERROR
    for call in (lambda: fmu.step(0.1), lambda: fmu.set(on=0.0)):
        with pytest.raises(FMICallException):
            call()
        assert "a step failed" in fmu.messages[-1]
    fmu.fmu.reset()
    fmu.begin()
    fmu.step(3.0)


def test_output_that_is_not_finite_fails_the_step_by_name(instances):
    fmu = instances("kinked").begin()
    fmu.set(target=-1.0)
    with pytest.raises(FMICallException):
        fmu.step(1.0)
    assert "root" in fmu.messages[-1]


def test_initialization_that_is_not_finite_fails_by_name(instances):
    fmu = instances("kinked")
    with pytest.raises(FMICallException):
        fmu.begin(values={"target": -1.0})
    assert "root" in fmu.messages[-1]
    fmu.set(target=1.0)
    fmu.fmu.exitInitializationMode()
    fmu.step(1.0)


def test_wrong_guid_is_refused(fmus):
    with pytest.raises(Exception, match="instantiate"):
        Instance(fmus("linear"), FMU2Slave, guid="{00000000-0000-0000-0000-000000000000}")


@pytest.mark.parametrize(
    ("tolerance", "start", "stop"), [(0.0, 0.0, None), (math.nan, 0.0, None), (1e-4, math.inf, None), (1e-4, 10.0, 5.0)]
)
def test_bad_experiments(instances, tolerance, start, stop):
    with pytest.raises(FMICallException):
        instances("linear").begin(tolerance, start=start, stop=stop)


def test_calls_out_of_order_are_errors_not_crashes(instances):
    fmu = instances("linear")
    number = ctypes.c_double(0.0)
    for name, arguments in [
        ("fmi2DoStep", (number, ctypes.c_double(1.0), 0)),
        ("fmi2ExitInitializationMode", ()),
        ("fmi2Terminate", ()),
        ("fmi2EnterContinuousTimeMode", ()),
        ("fmi2SetTime", (number,)),
        ("fmi2GetDerivatives", (None, ctypes.c_size_t(5))),
    ]:
        assert fmu.call(name, *arguments) == ERROR
        assert name in fmu.messages[-1]
        assert "instantiated" in fmu.messages[-1]
    fmu.begin()
    assert fmu.call("fmi2EnterInitializationMode") == ERROR
    assert fmu.call("fmi2SetupExperiment", 0, number, number, 0, number) == ERROR
    fmu.step(10.0)
    fmu.fmu.terminate()
    assert fmu.call("fmi2DoStep", number, ctypes.c_double(1.0), 0) == ERROR
    assert "terminated" in fmu.messages[-1]


def test_null_pointers_and_unknown_references_are_errors(instances):
    fmu = instances("linear").begin()
    one, reference = ctypes.c_size_t(1), (ctypes.c_uint * 1)(0)
    value = (ctypes.c_double * 1)(0.5)
    for name in ("fmi2GetReal", "fmi2SetReal"):
        assert fmu.call(name, None, one, value) == ERROR
        assert fmu.call(name, reference, one, None) == ERROR
        assert fmu.call(name, (ctypes.c_uint * 1)(10_000), one, value) == ERROR
        assert fmu.call(name, None, ctypes.c_size_t(0), None) == 0
    for kind in ("Integer", "Boolean", "String"):
        for verb in ("Get", "Set"):
            assert fmu.call(f"fmi2{verb}{kind}", reference, one, (ctypes.c_int * 4)()) == ERROR
            assert fmu.call(f"fmi2{verb}{kind}", None, ctypes.c_size_t(0), None) == 0
    assert fmu.call("fmi2GetFMUstate", None) == ERROR
    assert fmu.call("fmi2SetFMUstate", None) == ERROR
    assert fmu.call("fmi2SerializedFMUstateSize", None, None) == ERROR
    assert fmu.call("fmi2DeSerializeFMUstate", None, one, None) == ERROR
    assert fmu.call("fmi2GetDirectionalDerivative", None, one, None, one, None, None) == ERROR
    for name in ("fmi2Reset", "fmi2Terminate", "fmi2EnterInitializationMode", "fmi2GetFMUstate"):
        assert getattr(ctypes.CDLL(fmu.fmu.dll._name), name)(None, None) == ERROR, name
    fmu.fmu.dll.fmi2FreeInstance(None)


def test_what_is_not_offered_is_answered(instances):
    fmu = instances("linear").begin()
    assert fmu.call("fmi2CancelStep") == ERROR
    assert fmu.call("fmi2GetRealStatus", 0, ctypes.byref(ctypes.c_double())) == DISCARD
    assert fmu.call("fmi2GetBooleanStatus", 3, ctypes.byref(ctypes.c_int())) == 0
    assert fmu.call("fmi2GetIntegerStatus", 0, ctypes.byref(ctypes.c_int())) == DISCARD
    assert fmu.call("fmi2SetRealInputDerivatives", None, ctypes.c_size_t(1), None, None) == ERROR
