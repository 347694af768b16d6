"""The shipped equations for CasADi: those of the workshop, and over a step what the FMU computes."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

import trivium
from trivium.environment import ROOT
from trivium.errors import InvalidValueError, ResourcesError
from trivium.plants import cooling, data_center
from trivium.plants.data_center.family.member import parse

pytest.importorskip("casadi", reason="CasADi holds the equations")

#: Random steps that are compared: so many parts of runs, of so many steps each.
RUNS, STEPS = 20, 10


def exact(folder, tmp_path):
    """Return the test case of a folder with an integrator that is exact beside what is compared."""
    for path in folder.iterdir():
        if path.name != "testcase.toml":
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / "testcase.toml").write_text((folder / "testcase.toml").read_text() + "\n[fmu]\ntolerance = 1e-8\n")
    return tmp_path


def random_steps(simulation, seed, last, share):
    """Yield states before a step, inputs, boundary data, states after; of random commands at random times."""
    random = np.random.default_rng(seed)
    names = [*simulation.inputs, *simulation.linearize(point_names=[]).disturbances]
    for _ in range(RUNS):
        simulation.initialize(300.0 * int(random.integers(last)))
        simulation.advance()
        for _ in range(STEPS):
            command = {
                name: float(random.uniform(variable.minimum, variable.maximum))
                for name, variable in simulation.inputs.items()
                if random.random() < share
            }
            before = simulation.linearize(input_names=[], point_names=[]).x
            simulation.advance(command)
            rows = simulation.results(names)
            values = {name: rows[name][-1] for name in names}
            yield before, values, simulation.linearize(input_names=[], point_names=[]).x


def errors(plant, folder, step, last, share):
    """Return the largest error of each random step, in kelvins or as a share of the states' sizes where that is more."""
    sizes = np.array([variable.scale(0.0) for variable in plant.states.values()])
    largest = []
    with trivium.open(folder) as simulation:
        assert list(simulation.inputs) == list(plant.inputs)
        assert list(simulation.linearize(input_names=[], point_names=[]).states) == list(plant.states)
        for before, values, after in random_steps(simulation, 1, last, share):
            u, d = ([values[name] for name in group] for group in (plant.inputs, plant.disturbances))
            error = np.abs(np.array(step(before, u, d)[0]).ravel() - after)
            largest.append((error / np.maximum(1.0, np.maximum(sizes, np.abs(after)) / 300.0)).max())
    return np.array(largest)


@pytest.fixture(params=[pytest.param("cooling", marks=pytest.mark.slow), "data_center"])
def plant(request, resources, tmp_path):
    """A plant, its test case with an exact integrator, and the last interval at which runs may begin."""
    if request.param == "cooling":
        return cooling.casadi(), exact(resources, tmp_path), 90_000
    folder = ROOT / "trivium" / "plants" / "data_center" / "testcase"
    return data_center.casadi(parse("5A-5MW-mixed").start_values), exact(folder, tmp_path), 100_000


@pytest.mark.slow
def test_a_step_is_that_of_the_fmu(plant):
    """Over 200 random steps in which a fifth of all commands jump anywhere: within a thousandth."""
    equations, folder, last = plant
    step = errors(equations, folder, equations.step(300.0), last, 0.2)
    assert len(step) == RUNS * STEPS
    assert step.max() < 1e-3


@pytest.mark.slow
def test_a_step_of_fixed_parts_is_close_where_little_jumps(plant):
    """Where two in a hundred commands jump: four of five within a thousandth."""
    equations, folder, last = plant
    step = errors(equations, folder, equations.step(300.0, parts=32), last, 0.02)
    assert np.nanquantile(step, 0.8) < 1e-3


@pytest.mark.parametrize("name", ["cooling_plant", "data_center"])
def test_the_file_has_the_equations_of_the_workshop(name, tmp_path):
    from importlib import import_module

    from workshop.fmi.symbolic import write

    shipped = {"cooling_plant": cooling, "data_center": data_center}[name].__file__
    write(import_module(f"workshop.{name}.plant").model(), tmp_path / "equations.json.gz")
    written, expected = (
        json.loads(gzip.decompress((folder / "equations.json.gz").read_bytes()))
        for folder in (tmp_path, ROOT / "trivium" / "plants" / shipped.split("/")[-2])
    )
    assert written.keys() == expected.keys()
    for key in written:
        assert written[key] == expected[key], f"{key}: run the commands of `make fmu` or `make data-center`"


def test_rates_are_the_derivatives_that_the_fmu_has(resources):
    plant = cooling.casadi()
    with trivium.open(resources) as simulation:
        simulation.initialize(300_000)
        simulation.advance()
        linear = simulation.linearize()
        d = dict(zip(linear.disturbances, linear.d, strict=True))
        computed = plant.all_inputs(linear.x, linear.u, [d[name] for name in plant.disturbances])
        head = [variable.name for variable in simulation.stepper.model.inputs].index("Head_required")
        assert float(computed[head]) == pytest.approx(d["Head_required"], abs=1e-3)  # surrogates have single precision
        dx, y = (
            np.array(each).ravel() for each in plant.rates()(linear.x, linear.u, [d[n] for n in plant.disturbances])
        )
        np.testing.assert_allclose(dx, linear.dx, rtol=1e-4, atol=1e-5)  # the surrogates' numbers are single
        np.testing.assert_allclose(y, linear.y, rtol=1e-4, atol=1e-5)


def test_a_step_is_differentiated_exactly(resources):
    import casadi as ca

    plant = cooling.casadi()
    step = plant.step(300.0, parts=8)
    x, u, d = (ca.MX.sym(name, step.numel_in(i)) for i, name in enumerate("xud"))
    row, column = list(plant.outputs).index("Tchw_supply"), list(plant.inputs).index("Tchws_set_CHI")
    seed = ca.DM.zeros(len(plant.inputs))
    seed[column] = 1.0
    slope = ca.Function("slope", [x, u, d], [ca.jtimes(step(x, u, d)[1], u, seed)])
    with trivium.open(resources) as simulation:
        simulation.initialize(300_000)
        simulation.advance({"Tchws_set_CHI": 286.4})
        linear = simulation.linearize()
    data = dict(zip(linear.disturbances, linear.d, strict=True))
    d = [data[name] for name in plant.disturbances]
    ends = [float(step(linear.x, linear.u + half * np.array(seed).ravel(), d)[1][row]) for half in (-1e-4, 1e-4)]
    assert float(slope(linear.x, linear.u, d)[row]) == pytest.approx((ends[1] - ends[0]) / 2e-4, rel=1e-4)


def test_what_cannot_be_is_refused_by_name():
    with pytest.raises(InvalidValueError, match="no parameter PItNominal") as refusal:
        data_center.casadi({"PItNominal": 1.0})
    assert refusal.value.field == "PItNominal"
    with pytest.raises(InvalidValueError, match="PItNom"):
        data_center.casadi({"PItNom": -1.0})
    plant = data_center.casadi()
    with pytest.raises(InvalidValueError, match="seconds. Value must be positive"):
        plant.step(0.0)
    with pytest.raises(InvalidValueError, match="parts. Value must be at least 1"):
        plant.step(parts=0)


def test_a_damaged_file_is_named(tmp_path):
    from trivium.plants.symbolic import SymbolicPlant

    file = tmp_path / "equations.json.gz"
    for content in (b"nothing", gzip.compress(b"{}"), gzip.compress(b'{"format": "another"}')):
        file.write_bytes(content)
        with pytest.raises(ResourcesError, match=r"equations\.json\.gz"):
            SymbolicPlant(file, ())
