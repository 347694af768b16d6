"""FMI 1.0 and 3.0: the packages of our own FMUs are valid, and every type and array goes through FMPy unharmed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from fmpy import simulate_fmu
from fmpy.validation import validate_fmu

from tests.own_fmus import EVERY, build, state
from tests.trap_fmu import repacked
from trivium.errors import ModelError, ResourcesError
from trivium.model.fmu.description import read_fmu
from trivium.model.fmu.fmpy_ import FmpyModel
from trivium.model.fmu.fmu_model import Solving
from trivium.model.fmu.registry import adapter

INTEGERS = {f"{sign}Int{bits}": (sign, bits) for sign in ("", "U") for bits in (8, 16, 32, 64)}


@pytest.mark.parametrize(
    ("name", "version", "interface"),
    [(name, version, interface) for name in ("linear", "plant") for version, interface in
     (("1.0", "cs"), ("1.0", "me"), ("2.0", "cs"), ("3.0", "cs"))] + [("every", "3.0", "cs")],
)  # fmt: skip
def test_the_package_is_valid(own_fmu, name, version, interface):
    assert validate_fmu(str(own_fmu(name, version, interface))) == []


@pytest.mark.parametrize("version", ["1.0", "2.0", "3.0"])
def test_fmpys_own_simulation_agrees(own_fmu, tmp_path, version):
    fmu = own_fmu("linear", version)
    chosen = {"stop_time": 8.0, "set_stop_time": False, "output_interval": 2.0, "start_values": {"tau": 4.0}}
    theirs = simulate_fmu(str(fmu), output=["x"], **chosen)
    model = FmpyModel(read_fmu(fmu, tmp_path))
    model.initialize(0.0, np.zeros(1), {"tau": 4.0})
    ours = [model.step(2.0, np.zeros(1))[0] for _ in range(4)]
    model.close()
    assert ours == pytest.approx(theirs["x"][1:], abs=1e-12)
    assert ours[-1] == pytest.approx(state(8.0, tau=4.0))


@pytest.fixture(params=["cs", "me"])
def every(request, own_fmu, tmp_path):
    description = read_fmu(own_fmu("every", "3.0"), tmp_path, request.param)
    model = adapter("fmpy", description)(description, Solving(tolerance=1e-9))
    yield model
    model.close()


def named(model, outputs):
    """Outputs by name."""
    return dict(zip([v.name for v in model.outputs], outputs.tolist(), strict=True))


def given(model, **values):
    """All inputs, at their start values where nothing is said."""
    known = {v.name: v.start for v in model.inputs} | values
    return np.array([known[v.name] for v in model.inputs])


def test_names_of_arrays(every):
    inputs = [v.name for v in every.inputs]
    assert inputs[-3:] == ["v[1]", "v[2]", "v[3]"]
    assert [v.start for v in every.inputs[-3:]] == [1.0, 2.0, 3.0]
    there = {v.name: v for v in every.parameters}
    assert [name for name in there if name[0] == "A"] == ["A[1,1]", "A[1,2]", "A[1,3]", "A[2,1]", "A[2,2]", "A[2,3]"]
    assert [there[name].start for name in ("A[1,1]", "A[2,3]", "k[1]", "k[2]", "z[3]")] == [1.0, 1.0, 7.0, 7.0, 0.0]
    assert [there[f"names[{i}]"].text for i in (1, 2)] == ["north", "south"]
    assert there["blob"].text == "AP8Q"
    assert there["mode"].start == 5.0
    assert "n" not in there, "the variables would change with it"
    assert [v.name for v in every.outputs if v.name[0] in "wz"] == ["w[1]", "w[2]", "z[1]", "z[2]", "z[3]"]


def test_ranges_of_the_types_are_bounds(every):
    bounds = {v.name: (v.minimum, v.maximum) for v in every.inputs}
    assert bounds["in_Int8"] == (-128.0, 127.0)
    assert bounds["in_UInt16"] == (0.0, 65535.0)
    assert bounds["in_Boolean"] == (0.0, 1.0)
    assert bounds["in_Int64"] == bounds["in_Float32"] == (None, None)


@pytest.mark.parametrize("edge", ["least", "greatest"])
def test_every_type_comes_through(every, edge):
    values = {"in_Boolean": 1.0 if edge == "least" else 0.0, "in_Float64": math.pi, "in_Float32": 0.1}
    for type_, (sign, bits) in INTEGERS.items():
        size = min(bits, 53)  # beyond, float64 has not all integers
        least, greatest = (0, 2**size - 1) if sign else (-(2 ** (size - 1)), 2 ** (size - 1) - 1)
        values[f"in_{type_}"] = float(least if edge == "least" else greatest)
    values["in_Enumeration"] = 2.0
    every.initialize(0.0, given(every))
    seen = named(every, every.step(0.5, given(every, **values)))
    expected = {name.replace("in_", "out_"): value for name, value in values.items()}
    expected["out_Float32"] = float(np.float32(0.1))
    assert {name: seen[name] for name in expected} == expected


def test_arrays_and_texts_come_through(every):
    chosen = {"A[2,1]": 0.5, "k[2]": -3.0, "names[2]": "süd", "blob": "3q2+7w==", "z[2]": 10.0, "mode": 6.0}
    v = {"v[1]": 1.5, "v[2]": -2.0, "v[3]": 4.0}
    every.initialize(0.0, given(every, **v), chosen)
    seen = named(every, every.step(1.0, given(every, **v)))
    w = np.array([[1, 0, 0], [0.5, 1, 1]]) @ [1.5, -2.0, 4.0]
    assert [seen["w[1]"], seen["w[2]"]] == pytest.approx(w)
    assert [seen["out_k[1]"], seen["out_k[2]"]] == [7.0, -3.0]
    for i, start in ((1, 0.0), (2, 10.0), (3, 0.0)):
        target = v[f"v[{i}]"]
        assert seen[f"z[{i}]"] == pytest.approx(target + (start - target) * math.exp(-1.0), abs=1e-6)
    assert every.texts() == {"out_names[1]": "north", "out_names[2]": "süd", "out_blob": "3q2+7w=="}


@pytest.mark.parametrize("step", [0.25, 1.0, 3.5])
def test_events_inside_and_between_steps(every, step):
    """A co-simulation returns early at each whole second; what is there then takes over the input."""
    every.initialize(0.0, given(every, in_Int32=7.0))
    for k in range(1, round(7.0 / step) + 1):
        seen = named(every, every.step(step, given(every, in_Int32=float(k))))
        time = k * step
        assert seen["seconds"] == math.floor(time)
        assert seen["z[3]"] == pytest.approx(3.0 * (1.0 - math.exp(-time)), abs=1e-6)
    assert seen["at_event"] == math.ceil(7.0 / step)


def test_an_event_mode_that_is_promised_and_refused(tmp_path):
    pytest.importorskip("ziglang", reason="ziglang compiles the FMU")
    model = FmpyModel(read_fmu(build(EVERY, tmp_path / "every.fmu", "3.0", refuse_events=True), tmp_path / "cache"))
    model.initialize(0.0, given(model))
    assert named(model, model.step(2.5, given(model, in_Int32=8.0)))["seconds"] == 2.0
    model.close()


def test_a_snapshot_holds_events_and_arrays(every):
    every.initialize(0.0, given(every), {"A[1,1]": 3.0})
    every.step(1.75, given(every))
    snapshot = every.snapshot()
    ahead = [every.step(0.5, given(every)) for _ in range(4)]
    every.restore(snapshot)
    assert np.array_equal(ahead, [every.step(0.5, given(every)) for _ in range(4)])
    assert named(every, ahead[-1])["seconds"] == 3.0


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"in_Int8": 128.0}, "in_Int8 cannot be 128: it is of the type Int8"),
        ({"in_UInt32": -1.0}, "in_UInt32"),
        ({"in_Int64": 2.0**63}, "in_Int64"),
        ({"in_Boolean": math.nan}, "in_Boolean"),
        ({"in_Float32": 1e39}, "in_Float32"),
    ],
)
def test_a_number_that_the_type_cannot_hold(every, bad, said):
    every.initialize(0.0, given(every))
    with pytest.raises(ModelError, match=said):
        every.step(0.5, given(every, **bad))


def test_bytes_that_are_no_base64(every):
    with pytest.raises(ModelError, match="base64"):
        every.initialize(0.0, given(every), {"blob": "no!"})


def test_an_input_clock_is_refused_by_name(own_fmu, tmp_path):
    clock = b'<ModelVariables><Clock name="tick" valueReference="99" causality="input" intervalVariability="constant"/>'
    fmu = repacked(
        own_fmu("every", "3.0"), tmp_path / "clock.fmu", lambda _, data: data.replace(b"<ModelVariables>", clock)
    )
    with pytest.raises(ResourcesError, match="input clock tick"):
        read_fmu(fmu, tmp_path / "cache")


def test_start_values_that_do_not_fill_an_array(own_fmu, tmp_path):
    fmu = repacked(
        own_fmu("every", "3.0"), tmp_path / "short.fmu", lambda _, data: data.replace(b'"1 0 0 0 1 1"', b'"1 0"')
    )
    with pytest.raises(ResourcesError, match="A has 6 elements, but 2 start values"):
        read_fmu(fmu, tmp_path / "cache")
    assert EVERY.size(next(v for v in EVERY.variables if v.name == "A")) == 6
