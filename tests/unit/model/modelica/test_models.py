"""Modelica models of our own, whose solutions are known, by co-simulation and by Model Exchange."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import solve_ivp

pytest.importorskip("rumoca", reason="the extra modelica is not installed")
pytest.importorskip("ziglang", reason="ziglang compiles the FMU")

import trivium
from trivium.environment import child_environment
from trivium.errors import ModelError, ResourcesError
from trivium.model.modelica.build import build_fmu

Simulate = Callable[..., dict[str, pd.DataFrame]]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return the FMU of a model: make("model M ... end M;"), its name is M."""
    folder = tmp_path_factory.mktemp("modelica")
    made: dict[str, Path] = {}

    def make(text: str, model: str = "M") -> Path:
        if text + model not in made:
            place = Path(tempfile.mkdtemp(dir=folder))
            (place / "M.mo").write_text(text)
            build_fmu(place / "M.mo", model, place / "M.fmu", folder / "fmu")
            made[text + model] = place / "M.fmu"
        return made[text + model]

    return make


@pytest.fixture
def simulate(make: Callable[..., Path]) -> Simulate:
    """Return what a model computes by both interfaces."""

    def simulate(text: str, stop: float, step: float, outputs: list[str], **more: Any) -> dict[str, pd.DataFrame]:
        options = {"tolerance": 1e-9, **more}
        fmu = make(text, options.pop("model", "M"))
        return {
            interface: trivium.simulate(fmu, stop_time=stop, step=step, outputs=outputs, interface=interface, **options)
            for interface in ("cs", "me")
        }

    return simulate


def check(frames: dict[str, pd.DataFrame], name: str, expected: Any, tolerance: float = 1e-6) -> None:
    for interface, frame in frames.items():
        assert frame[name].to_numpy() == pytest.approx(np.asarray(expected), rel=tolerance, abs=tolerance), interface


BALL = """
model M "a ball that bounces"
  parameter Real e = 0.7;
  parameter Real g(unit = "m/s2", min = 0) = 9.81;
  Real h(start = 1, fixed = true, unit = "m");
  Real v(start = 0, fixed = true);
  discrete Integer bounces(start = 0, fixed = true);
equation
  der(h) = v;
  der(v) = -g;
  when h <= 0 then
    reinit(v, -e * pre(v));
    bounces = pre(bounces) + 1;
  end when;
end M;
"""


def fall(time: float, e: float, g: float) -> tuple[float, int]:
    """Return the height of a ball that falls from 1 m, and how often it has bounced."""
    first = math.sqrt(2 / g)
    if time < first:
        return 1 - g * time**2 / 2, 0
    bounces, speed, begin = 1, e * g * first, first
    while time >= begin + 2 * speed / g:
        begin += 2 * speed / g
        speed *= e
        bounces += 1
    since = time - begin
    return speed * since - g * since**2 / 2, bounces


@pytest.mark.parametrize("e", [0.5, 0.8])
def test_an_event_of_a_state_sets_states_anew(simulate: Simulate, e: float) -> None:
    frames = simulate(BALL, 1.5, 0.1, ["h", "bounces"], start_values={"e": e, "g": 3.0})
    times = frames["cs"].index
    check(frames, "h", [fall(time, e, 3.0)[0] for time in times], 1e-6)
    check(frames, "bounces", [fall(time, e, 3.0)[1] for time in times])


def test_events_of_time_come_when_they_are_due(simulate: Simulate) -> None:
    text = """
model M
  parameter Real at = 0.3;
  parameter Real period = 0.4;
  Real x(start = 0, fixed = true);
  Boolean late;
  Integer count;
  Real saw;
equation
  der(x) = if time < at then 1 else if late then -2 else 0;
  late = time >= 2 * at;
  count = integer(time / period);
  saw = time - period * floor(time / period);
end M;
"""
    frames = simulate(text, 1.0, 0.1, ["x", "late", "count", "saw"], start_values={"at": 0.25})
    times = frames["cs"].index.to_numpy()
    check(frames, "x", [min(t, 0.25) - 2 * max(0.0, t - 0.5) for t in times], 1e-9)
    check(frames, "late", times >= 0.5)
    check(frames, "count", [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2])
    check(frames, "saw", [0, 0.1, 0.2, 0.3, 0, 0.1, 0.2, 0.3, 0, 0.1, 0.2], 1e-9)


@pytest.mark.slow
def test_samples_and_elsewhen(simulate: Simulate) -> None:
    text = """
model M
  Real x(start = 0, fixed = true);
  discrete Real z(start = -1, fixed = true);
  Integer ticks(start = 0, fixed = true);
  Boolean up(start = true, fixed = true);
equation
  der(x) = if up then 1 else -1;
  when sample(0.25, 0.5) then
    z = x;
    ticks = pre(ticks) + 1;
  end when;
  when x > 0.6 then
    up = false;
  elsewhen x < 0.2 then
    up = true;
  end when;
end M;
"""
    frames = simulate(text, 2.0, 0.25, ["x", "z", "ticks"])
    times = frames["cs"].index.to_numpy()

    def height(time: float) -> float:
        return (
            time
            if time <= 0.6
            else (0.6 - (time - 0.6) % 0.8 if (time - 0.6) % 0.8 <= 0.4 else (time - 0.6) % 0.8 - 0.2)
        )

    check(frames, "x", [height(t) for t in times], 1e-6)
    check(frames, "ticks", [0, 1, 1, 2, 2, 3, 3, 4, 4])
    check(frames, "z", [-1, *(height(0.25 + 0.5 * (k // 2)) for k in range(8))], 1e-6)


def test_initial_equations_are_solved(simulate: Simulate) -> None:
    text = """
model M
  parameter Real k = 2;
  input Real u(start = 3);
  Real x(start = 1);
  Real y[2];
  Real z(start = 1) "of a nonlinear initial equation";
  Real s(start = 4);
initial equation
  der(x) = 0;
  y = {1, 2} * k;
  z + exp(z) = k;
equation
  der(x) = u - k * x;
  der(y) = -y;
  der(z) = 1;
  der(s) = 0;
end M;
"""
    frames = simulate(text, 1.0, 0.5, ["x", "y[1]", "y[2]", "z", "s"], start_values={"k": 4.0})
    times = frames["cs"].index.to_numpy()
    check(frames, "x", [0.75] * 3)
    check(frames, "y[1]", 4 * np.exp(-times), 1e-7)
    check(frames, "y[2]", 8 * np.exp(-times), 1e-7)
    assert frames["cs"]["z"].iloc[0] + math.exp(frames["cs"]["z"].iloc[0]) == pytest.approx(4.0, rel=1e-12)
    check(frames, "z", frames["cs"]["z"].iloc[0] + times, 1e-9)
    check(frames, "s", [4.0] * 3)


def test_arrays_functions_and_loops(simulate: Simulate) -> None:
    text = """
package P
  function polynomial
    input Real x[3];
    input Real c;
    output Real y;
  protected
    Real t;
  algorithm
    t := c + x * {1, 2, 3};
    if t > 10 then
      t := 10;
    elseif t < -10 then
      t := -10;
    end if;
    y := t ^ 2;
  end polynomial;
  model M
    parameter Integer n = 3;
    parameter Real A[n, n] = [-1, 0.5, 0; 0, -2, 1; 0.1, 0, -3];
    parameter Real b[n] = fill(0.1, n);
    Real x[n](start = {1, 2, 3}, each fixed = true);
    Real norm, part, product, extreme, nested[2, 2], turned[n];
  equation
    der(x) = A * x + b;
    norm = sqrt(x * x);
    part = sum(x[2:3]) + sum(A[:, 1]);
    product = polynomial(x, 1);
    extreme = max(x) - min(A);
    turned = transpose(A) * x .+ 1;
    for i in 1:2 loop
      for j in 1:2 loop
        nested[i, j] = j * x[i];
      end for;
    end for;
  end M;
end P;
"""
    outputs = ["x[1]", "x[2]", "x[3]", "norm", "part", "product", "extreme", "nested[2,1]", "nested[1,2]", "turned[3]"]
    frames = simulate(text, 2.0, 0.5, outputs, model="P.M", start_values={"b[2]": 0.7, "A[1,2]": 0.25})
    matrix = np.array([[-1, 0.25, 0], [0, -2, 1], [0.1, 0, -3]])
    b = np.array([0.1, 0.7, 0.1])
    times = frames["cs"].index.to_numpy()
    solution = solve_ivp(lambda t, x: matrix @ x + b, (0, 2), [1, 2, 3], t_eval=times, rtol=1e-11, atol=1e-12).y
    for place in range(3):
        check(frames, f"x[{place + 1}]", solution[place], 1e-7)
    check(frames, "norm", np.linalg.norm(solution, axis=0), 1e-7)
    check(frames, "part", solution[1:].sum(axis=0) + matrix[:, 0].sum(), 1e-7)
    check(frames, "product", np.clip(1 + np.array([1, 2, 3]) @ solution, -10, 10) ** 2, 1e-6)
    check(frames, "extreme", solution.max(axis=0) + 3, 1e-7)
    check(frames, "nested[2,1]", solution[1], 1e-7)
    check(frames, "nested[1,2]", 2 * solution[0], 1e-7)
    check(frames, "turned[3]", matrix[:, 2] @ solution + 1, 1e-7)


@pytest.mark.slow
def test_systems_of_equations_are_solved(simulate: Simulate) -> None:
    text = """
model M
  parameter Real k = 2;
  Real a, b, c, x(start = 1, fixed = true);
equation
  a + b = x;
  a - k * b = 1;
  c + exp(c) = x;
  der(x) = a - b;
end M;
"""
    frames = simulate(text, 1.0, 0.25, ["a", "b", "c", "x"])
    times = frames["cs"].index.to_numpy()
    # b = (x - 1) / 3 and a = x - b, so dx/dt = (x + 2) / 3
    x = 3 * np.exp(times / 3) - 2
    check(frames, "x", x, 1e-7)
    check(frames, "a", (2 * x + 1) / 3, 1e-7)
    for frame in frames.values():
        assert (frame["c"] + np.exp(frame["c"])).to_numpy() == pytest.approx(frame["x"].to_numpy(), rel=1e-10)


PENDULUM = """
model M
  Real x(start = 0.6, fixed = true), y(start = -0.8), vx(start = 0, fixed = true), vy, force;
equation
  der(x) = vx;
  der(y) = vy;
  der(vx) = -force * x;
  der(vy) = -force * y - 9.81;
  x ^ 2 + y ^ 2 = 1;
end M;
"""


@pytest.mark.slow
def test_the_index_is_reduced(simulate: Simulate) -> None:
    """A pendulum of length 1 by its Cartesian coordinates, against its angle."""
    frames = simulate(PENDULUM, 0.3, 0.05, ["x", "y"])
    times = frames["cs"].index.to_numpy()
    start = [math.asin(0.6), 0.0]
    angle = solve_ivp(
        lambda t, s: [s[1], -9.81 * math.sin(s[0])], (0, 0.3), start, t_eval=times, rtol=1e-11, atol=1e-12
    ).y[0]
    check(frames, "x", np.sin(angle), 1e-6)
    check(frames, "y", -np.cos(angle), 1e-6)


@pytest.mark.slow
def test_a_model_is_translated_alike_in_every_process(tmp_path: Path) -> None:
    """An order that depends on the hashes of names, which each process draws anew, would make another FMU each time."""
    (tmp_path / "M.mo").write_text(PENDULUM)
    written = []
    for seed in ("1", "2"):
        out = tmp_path / f"{seed}.fmu"
        request = {"package": str(tmp_path / "M.mo"), "model": "M", "roots": [], "out": str(out)}
        subprocess.run(
            [sys.executable, "-m", "trivium.model.modelica.translate"],
            input=json.dumps(request), text=True, check=True, env=child_environment() | {"PYTHONHASHSEED": seed},
        )  # fmt: skip
        with zipfile.ZipFile(out) as archive:
            written.append({name: archive.read(name) for name in archive.namelist()})
    assert written[0] == written[1]


@pytest.mark.slow
def test_a_state_that_an_event_gives_jumps_with_it(simulate: Simulate) -> None:
    """An inventory that is proportional to a pulse is no state, as in a fuel cycle."""
    text = """
model M
  Modelica.Blocks.Sources.Pulse pulse(amplitude = 3, period = 1, width = 40, startTime = 0.25);
  Real inventory, inflow, stock(start = 10, fixed = true);
equation
  inventory / 2 = pulse.y;
  der(inventory) = inflow - inventory / 2;
  der(stock) = -inflow;
end M;
"""
    frames = simulate(text, 3.0, 0.25, ["inventory", "stock"], start_values={"pulse.width": 50})
    times = frames["cs"].index.to_numpy()
    on = [t >= 0.25 and (t - 0.25) % 1 < 0.5 for t in times]
    check(frames, "inventory", [6.0 if each else 0.0 for each in on])
    taken = [3 * (0.5 * ((t - 0.25) // 1) + min((t - 0.25) % 1, 0.5)) if t > 0.25 else 0.0 for t in times]
    check(frames, "stock", 10 - np.array(taken), 1e-9)


@pytest.mark.slow
def test_types_of_parameters_inputs_and_outputs(simulate: Simulate) -> None:
    text = """
model M
  type Mode = enumeration(off, heat, cool);
  parameter Mode mode = Mode.heat;
  parameter Boolean on = true;
  parameter Integer n = 2;
  parameter Real derived = 2 * n;
  input Boolean open(start = false);
  output Boolean warm;
  output Integer steps(start = 0, fixed = true);
  Real x(start = 0, fixed = true);
equation
  der(x) = if on and not open then (if mode == Mode.heat then derived else -derived) else 0;
  warm = x > 1;
  when warm then
    steps = pre(steps) + n;
  end when;
end M;
"""
    frames = simulate(text, 1.0, 0.25, ["x", "warm", "steps", "derived"], start_values={"n": 3})
    check(frames, "x", [0, 1.5, 3, 4.5, 6])
    check(frames, "derived", [6] * 5)
    check(frames, "warm", [0, 1, 1, 1, 1])
    check(frames, "steps", [0, 3, 3, 3, 3])
    check(simulate(text, 1.0, 0.25, ["x"], start_values={"mode": 3}), "x", [0, -1, -2, -3, -4])
    check(simulate(text, 1.0, 0.25, ["x"], start_values={"on": False}), "x", [0] * 5)
    inputs = {"time": [0.0, 0.5, 0.5], "open": [0.0, 0.0, 1.0]}
    check(simulate(text, 1.0, 0.25, ["x"], inputs=inputs), "x", [0, 1, 2, 2, 2])


@pytest.mark.slow
def test_a_model_ends_the_simulation_or_fails_by_its_own_words(make: Callable[..., Path]) -> None:
    text = """
model M
  Real x(start = 1, fixed = true);
  parameter Real most = 10;
equation
  der(x) = -1;
  assert(abs(x) < most, "x is too far away");
  when x < 0.25 then
    terminate("empty");
  end when;
end M;
"""
    fmu = make(text)
    for interface in ("cs", "me"):
        with pytest.warns(UserWarning, match="ended the simulation"):
            frame = trivium.simulate(fmu, stop_time=2, step=0.5, outputs=["x"], interface=interface)
        assert frame["x"].iloc[:2].tolist() == [1.0, 0.5]
        with pytest.raises(ModelError, match=r"an assertion fails: M\.mo:7: x is too far away"):
            trivium.simulate(fmu, stop_time=2, step=0.5, interface=interface, start_values={"most": 0.7})


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("Real x; equation der(x) = y;", r"rumoca says: .*y"),
        ("\nReal x; equation der(x) = delay(x, 1.0);", r"M\.mo: M\.mo:2: delay\(\) is not covered"),
        (
            "Real x; Integer k; algorithm when sample(0, 1) then k := pre(k) + 1; if k > 3 then k := 0; end if; end when;"
            " equation der(x) = k;",
            "M.mo:1: an algorithm with when",
        ),
        ('parameter String s = "a"; Real x; equation der(x) = if s == "a" then 1 else 2;', "a text in an equation"),
        ("Real x, y;\ninput Real u;\nequation\nder(x) = y;\nx = u;", r"M\.mo:5: the derivative of the input u"),
        ("Real x(start = 1), y; initial equation x = 1; der(x) = 2; equation der(x) = -x; y = x;", "gives no state"),
        ("Real x, y; equation der(x) = 1;", "rumoca says"),
        ("Real x", "rumoca says"),
    ],
)
def test_what_is_not_covered_is_named(make: Callable[..., Path], body: str, sentence: str) -> None:
    with pytest.raises(ResourcesError, match=sentence):
        make(f"model M {body} end M;")


def test_a_package_of_several_files(tmp_path: Path) -> None:
    folder = tmp_path / "Plants"
    (folder / "Parts").mkdir(parents=True)
    (folder / "package.mo").write_text("within;\npackage Plants\nend Plants;\n")
    (folder / "Tank.mo").write_text(
        "within Plants;\nmodel Tank\n  Parts.Store store;\n  Real twice = 2 * store.x;\nend Tank;\n"
    )
    (folder / "Parts" / "package.mo").write_text("within Plants;\npackage Parts\nend Parts;\n")
    (folder / "Parts" / "Store.mo").write_text(
        "within Plants.Parts;\nmodel Store\n  Real x(start = 1, fixed = true);\nequation\n  der(x) = -x;\nend Store;\n"
    )
    build_fmu(folder / "package.mo", "Plants.Tank", tmp_path / "tank.fmu", tmp_path / "fmu")
    frame = trivium.simulate(tmp_path / "tank.fmu", stop_time=1, step=1, outputs=["twice"], tolerance=1e-9)
    assert frame["twice"].iloc[-1] == pytest.approx(2 * math.exp(-1), rel=1e-8)
