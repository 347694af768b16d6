"""`trivium.Coupling` brings functions to where they agree, and says where they do not."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest

import trivium
from trivium.errors import ComponentError, InvalidValueError


def energy(price=1.0):
    return {"demand": 10 - 2 * price}


def economy(demand):
    return {"price": 1 + 0.3 * demand}


@pytest.fixture
def coupling():
    return trivium.Coupling({"energy": energy, "economy": economy})


@pytest.mark.parametrize("method", ["constant", "aitken", "anderson", "iqn-ils"])
@pytest.mark.parametrize("scheme", ["gauss-seidel", "jacobi"])
def test_every_method_finds_the_fixed_point(coupling, method, scheme):
    result = coupling.converge(1e-9, method, scheme=scheme)
    assert result
    assert result.converged
    assert result.outcome == "converged"
    assert result.values == {"demand": pytest.approx(5.0, rel=1e-7), "price": pytest.approx(2.5, rel=1e-7)}


def test_the_history_has_a_row_an_iteration(coupling):
    history = coupling.converge(1e-9, alpha=0.5).history
    assert history.index.tolist() == list(range(1, len(history) + 1))
    prices = history["energy.price"].tolist()
    assert prices[0] == 1.0
    for before, after in zip(prices, prices[1:], strict=False):
        assert after == pytest.approx(before + 0.5 * (1 + 0.3 * (10 - 2 * before) - before))
    assert history["delta"].iloc[-1] <= 1e-9


def test_a_function_may_feed_itself():
    result = trivium.Coupling({"cosine": lambda x=1.0: {"x": math.cos(x)}}).converge(1e-10)
    assert result.values["x"] == pytest.approx(0.7390851332151607, rel=1e-9)


def test_values_may_be_arrays():
    matrix = np.array([[0.2, 0.3], [0.1, 0.4]])
    result = trivium.Coupling({"f": lambda v, b: {"v": matrix @ v + b}}, initial={"v": [0, 0], "b": [1, 2]}).converge(
        1e-10
    )
    assert result.values["v"] == pytest.approx(np.linalg.solve(np.eye(2) - matrix, [1, 2]), rel=1e-8)
    assert list(result.history.columns[:2]) == ["f.v[0]", "f.v[1]"]


def test_connections_say_otherwise():
    functions = {"a": lambda load=1.0: {"y": 4 - load}, "b": lambda y: {"y": y / 3}}
    with pytest.raises(InvalidValueError, match="load|both"):
        trivium.Coupling({**functions, "c": lambda y: {"z": y}})
    result = trivium.Coupling(functions, [("b.y", "a.load")]).converge(1e-10)
    assert result.values == {"a.y": pytest.approx(3.0), "b.y": pytest.approx(1.0)}


def test_without_a_cycle_once_is_enough():
    result = trivium.Coupling({"a": lambda x=2.0: {"y": x + 1}, "b": lambda y: {"z": 2 * y}}).converge()
    assert result.values == {"y": 3.0, "z": 6.0}
    assert len(result.history) == 1


@pytest.mark.parametrize(
    ("function", "outcome"),
    [
        (lambda x=1.0: {"x": 3 * x + 1}, "diverged"),
        (lambda x=1.0: {"x": -x + 1}, "oscillating"),
        (lambda x=1.0: {"x": x + 1}, "drifting"),
    ],
)
def test_what_does_not_converge_says_how(function, outcome):
    result = trivium.Coupling({"f": function}).converge(1e-9, "constant")
    assert not result
    assert result.outcome == outcome
    assert repr(result).startswith(f"Convergence({outcome} after {len(result.history)} iterations: x=")
    assert result.reason


def test_too_few_iterations(coupling):
    result = coupling.converge(1e-12, alpha=0.1, max_iterations=3)
    assert result.outcome == "out of iterations"
    assert len(result.history) == 3


def test_what_a_function_raises_is_the_cause():
    calls = []

    def fragile(x=1.0):
        calls.append(x)
        if len(calls) > 2:
            raise RuntimeError("no more fuel")
        return {"x": x / 2 + 1}

    made = trivium.Coupling({"fragile": fragile})
    with pytest.raises(ComponentError, match="fragile: RuntimeError: no more fuel") as caught:
        made.converge(1e-9)
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_a_value_that_is_not_finite_fails():
    with pytest.raises(ComponentError, match="output x is nan, which is no finite number"):
        trivium.Coupling({"f": lambda x=1.0: {"x": math.nan if x > 1 else x + 1}}).converge()


def test_an_fmu_may_be_in_it(own_fmu):
    """x after 5 s under a constant input u, which is half of x: the fixed point is zero, from where it decays."""
    path = own_fmu("linear", "2.0")

    def plant(u=0.5):
        frame = trivium.simulate(path, stop_time=5, step=1, inputs={"u": u}, outputs=["x"])
        return {"x": frame["x"].iloc[-1]}

    result = trivium.Coupling({"plant": plant, "half": lambda x: {"u": x / 2}}).converge(1e-8)
    share = math.exp(-0.5)
    assert result.values["x"] == pytest.approx(share / (1 - (1 - share) / 2), rel=1e-3)


def test_functions_are_called_one_at_a_time():
    busy, most = [], []

    def slow(name):
        def function(x=1.0):
            busy.append(name)
            most.append(len(busy))
            threading.Event().wait(0.01)
            busy.remove(name)
            return {name: x}

        return function

    trivium.Coupling({name: slow(name) for name in "abcd"}).converge()
    assert max(most) == 1


def test_a_coupling_may_be_made_in_a_thread(coupling):
    found = []
    thread = threading.Thread(target=lambda: found.append(coupling.converge()))
    thread.start()
    thread.join()
    assert found[0].converged


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (({},), InvalidValueError, "at least one"),
        (("nope",), InvalidValueError, r"functions must be a dictionary by name, as \{.*not 'nope'"),
        (([energy, economy],), InvalidValueError, "functions must be a dictionary by name"),
        (({"e": energy}, 3), InvalidValueError, "connections must be a list of pairs, .* not 3"),
        (({"e": energy}, [3]), InvalidValueError, "a connection is a pair"),
        (({"a": 3},), InvalidValueError, "a must be a function, not int"),
        (({"a": lambda *x: {}},), InvalidValueError, r"a has the argument \*x"),
        (({"a": lambda x: {"y": x}, "b": lambda y: {"x": y}},), InvalidValueError, r"a\.x needs a value to begin with"),
        (({"a": lambda x=1.0: 3},), ComponentError, r'return its outputs by name, as {"price": 2.0}, not int'),
        (({"a": lambda x=1.0: {"y": "much"}},), ComponentError, "a returned what is no number"),
        (({"a": lambda x=1.0: {"y": 1 / 0}},), ComponentError, "a: ZeroDivisionError"),
        (({"a": lambda x="q": {"y": 1}},), InvalidValueError, r"initial: a\.x is no number"),
        (({"a": lambda x=math.inf: {"y": 1}},), InvalidValueError, r"initial: a\.x must be finite"),
        (({"e": energy, "g": economy}, [("e.demnd", "g.demand")]), InvalidValueError, r"e returns demand\. Did you mean demand"),
        (({"e": energy, "g": economy}, [("e.demand", "g.dmand")]), InvalidValueError, r"no input g\.dmand\. Did you mean g\.demand"),
        (({"e": energy, "g": economy}, [("f.demand", "g.demand")]), InvalidValueError, "there is no function f"),
        (({"e": energy, "g": economy}, ["e.demand"]), InvalidValueError, "a connection is a pair"),
        (({"e": energy, "g": economy}, [("e.demand", "g.demand")] * 2), InvalidValueError, "connected twice"),
    ],
)  # fmt: skip
def test_a_slip_is_refused_when_the_coupling_is_made(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        trivium.Coupling(*arguments)


def test_initial_values_without_names_are_refused():
    with pytest.raises(InvalidValueError, match="initial must be a dictionary by name"):
        trivium.Coupling({"e": energy, "g": economy}, initial=[1.0])


def test_initial_values_of_nobody_are_refused():
    with pytest.raises(InvalidValueError, match=r"no function has an input prise\. Did you mean price\?"):
        trivium.Coupling({"energy": energy, "economy": economy}, initial={"prise": 2})


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"tolerance": 0}, "^tolerance: .*greater than 0"),
        ({"method": "newton"}, "^method: .*'constant'.*newton"),
        ({"alpha": 2}, "^alpha: .*1"),
        ({"max_iterations": 0}, "^max_iterations: .*1"),
        ({"scheme": "seidel"}, "^scheme: .*'gauss-seidel' or 'jacobi'"),
    ],
)
def test_a_setting_out_of_range_is_refused(coupling, options, sentence):
    with pytest.raises(InvalidValueError, match=sentence):
        coupling.converge(**options)
