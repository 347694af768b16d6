"""A ramp of the boundary data over HTTP: the integral of it, whatever the control step."""

from __future__ import annotations

import pytest

from tests.server import Server


@pytest.fixture(scope="module", params=["cs", "me"])
def server(request, own_fmu, tmp_path_factory):
    """The integrator, whose input rises from 0 to 10 N in 2 s, stays, and falls to 4 N at 5 s."""
    folder = tmp_path_factory.mktemp("case")
    (folder / "integrator.fmu").symlink_to(own_fmu("integrator", "2.0"))
    (folder / "inputs.csv").write_text('load;"time";"u"\n0;0;0\n0;2;10\n0;5;10\n0;5;4\n0;9;4\n')
    (folder / "testcase.toml").write_text(
        '[boundary]\nfile = "inputs.csv"\ninterpolation = "linear"\nperiod = 8\n'
        f'[fmu]\ninterface = "{request.param}"\n[results]\ninterval = inf\n'
    )
    with Server(folder, tmp_path_factory.mktemp("state")) as running:
        yield running


def ask(server, method, path, body=None):
    status, reply, _ = server.request(method, path, body)
    assert status == 200, reply
    return reply


@pytest.mark.parametrize("step", [0.5, 1.0, 4.5])
def test_the_integral_does_not_depend_on_the_step(server, step):
    ask(server, "PUT", "/initialize", {"start_time": 0})
    ask(server, "PUT", "/step", {"step": step})
    exact = {0.5: 0.625, 1.0: 2.5, 4.5: 35.0, 9.0: 56.0}
    for k in range(round(9 / step)):
        reply = ask(server, "POST", "/advance", {})
        expected = exact.get((k + 1) * step)
        assert expected is None or reply["payload"]["x"] == pytest.approx(expected, abs=1e-6)
    window = {"point_names": ["u"], "start_time": "-inf", "final_time": "inf"}
    rows = ask(server, "PUT", "/results", window)["payload"]
    levels = dict(zip(rows["time"], rows["u"], strict=True))
    assert (levels[2.0], levels[9.0]) == (10.0, 4.0)


def test_clients_hold_what_the_data_does_not_drive(server):
    ask(server, "PUT", "/initialize", {"start_time": 0})
    ask(server, "PUT", "/step", {"step": 1})
    assert ask(server, "POST", "/advance", {"on": False})["payload"]["x"] == 0.0
    assert ask(server, "POST", "/advance", {"on": True})["payload"]["x"] == pytest.approx(7.5, abs=1e-6)


def test_a_forecast_goes_on_after_the_period(server):
    ask(server, "PUT", "/initialize", {"start_time": 0})
    reply = ask(server, "PUT", "/forecast", {"point_names": ["u"], "horizon": 10, "interval": 1})
    assert reply["message"] == "Queried the forecast data successfully."
    assert reply["payload"]["u"] == [0, 5, 10, 10, 10, 4, 4, 4, 0, 5, 10]
