"""Get, set and serialize the FMU's state."""

import ctypes
import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from fmpy.fmi1 import FMICallException

ROOT = Path(__file__).parents[4]


def drive(fmu, first, count):
    """Take steps with inputs that depend on the step's number; returns every variable after each."""
    rows = []
    for k in range(first, first + count):
        if k % 3:
            fmu.set(valve=0.2 + 0.07 * (k % 9), T_in=285.0 + k % 5, heat=1e5 * (k % 4))
        fmu.step(300.0 if k % 2 else 47.0)
        rows.append(fmu.get(*fmu.built.vr))
    return rows


@pytest.mark.parametrize("read_first", [False, True])
def test_restored_run_is_bit_exact(instances, read_first):
    fmu = instances("tanks").begin(values={"mass": 150.0})
    drive(fmu, 0, 4)
    fmu.set(valve=0.9)  # caches are stale when the snapshot is taken
    if read_first:
        fmu.get("T_out")
    data, time = fmu.snapshot(), fmu.time
    expected = drive(fmu, 4, 6)
    fmu.restore(data)
    fmu.time = time
    assert fmu.snapshot() == data
    assert drive(fmu, 4, 6) == expected

    fresh = instances("tanks")  # not even initialized, other parameters
    fresh.set(mass=999.0)
    fresh.restore(data)
    fresh.time = time
    assert drive(fresh, 4, 6) == expected


def test_restored_run_is_bit_exact_in_another_process(instances, tmp_path):
    fmu = instances("tanks").begin(1e-5, {"mass": 150.0})
    drive(fmu, 0, 4)
    (tmp_path / "state").write_bytes(fmu.snapshot())
    time = fmu.time
    expected = drive(fmu, 4, 6)
    script = f"""
import json
from tests.unit.workshop.fmi.conftest import Built, Instance
from tests.unit.workshop.fmi.test_snapshots import drive
fmu = Instance(Built({str(fmu.built.path)!r}, {str(tmp_path / "fmu")!r}))
fmu.begin(1e-3, {{"mass": 900.0, "valve": 0.1}})
fmu.step(1.0)
fmu.restore(open({str(tmp_path / "state")!r}, "rb").read())
fmu.time = {time!r}
print(json.dumps(drive(fmu, 4, 6)))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == expected


def test_snapshot_in_memory_can_be_overwritten_and_freed(instances):
    fmu = instances("tanks").begin()
    state = fmu.fmu.getFMUstate()
    before = fmu.get("T_out", "sensor.T")
    fmu.step(300.0)
    fmu.fmu.setFMUstate(state)
    assert fmu.get("T_out", "sensor.T") == before
    fmu.fmu.freeFMUstate(state)
    assert state.value is None
    fmu.fmu.freeFMUstate(state)


def test_state_of_a_failed_instance_restores(instances):
    fmu = instances("kinked").begin()
    fmu.step(1.0)
    data, time = fmu.snapshot(), fmu.time
    fmu.step(1.0)
    expected = fmu.get("level", "growth")
    fmu.restore(data)
    fmu.time = time
    fmu.set(on=1.0)
    with pytest.raises(FMICallException):
        fmu.step(5.0)  # growth reaches infinity after 1 s
    assert fmu.call("fmi2DoStep", ctypes.c_double(time), ctypes.c_double(1.0), 0) == 3
    fmu.restore(data)
    fmu.step(1.0)
    assert fmu.get("level", "growth") == expected


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"\0" + data[1:], "bad magic"),
        (lambda data: data[:-1], "bytes, expected"),
        (lambda data: data[:20], "bytes, expected"),
        (lambda _: b"", "bad magic"),
        (lambda data: data + b"\0", "bytes, expected"),
        (lambda data: data[:8] + struct.pack("<Q", 99) + data[16:], "version 99"),
        (lambda data: data[:24] + struct.pack("<Q", 1) + data[32:], "GUID"),
        (lambda data: data[:300] + bytes([data[300] ^ 1]) + data[301:], "checksum"),
    ],
)
def test_foreign_or_damaged_bytes_are_refused(instances, damage, message):
    fmu = instances("tanks").begin()
    fmu.step(10.0)
    data = fmu.snapshot()
    with pytest.raises(FMICallException):
        fmu.fmu.deSerializeFMUstate(damage(data))
    assert message in fmu.messages[-1]
    assert fmu.snapshot() == data


def test_state_of_another_model_is_refused(instances):
    fmu, other = instances("tanks").begin(), instances("linear").begin()
    with pytest.raises(FMICallException):
        fmu.restore(other.snapshot())


def test_state_of_model_exchange_is_refused_in_co_simulation(instances, model_exchange):
    exchange = model_exchange("tanks").begin()
    fmu = instances("tanks").begin()
    with pytest.raises(FMICallException):
        fmu.restore(exchange.snapshot())
    assert "model exchange" in fmu.messages[-1]
