"""Linear models over HTTP and through the client: those of the simulation in process, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

import trivium
from tests.server import Server
from trivium.client import Client
from trivium.errors import InvalidValueError, RequestError


@pytest.fixture(scope="module")
def fmu(own_fmu):
    return own_fmu("coupled", "3.0")


@pytest.fixture(scope="module")
def server(fmu, tmp_path_factory):
    with Server(fmu, tmp_path_factory.mktemp("state")) as server:
        yield server


def same(one, other):
    assert repr(one) == repr(other)
    assert (one.misfit, one.time, one.step) == (other.misfit, other.time, other.step)
    for group, variables in one.groups.items():
        assert [(v.name, v.unit, v.description) for v in variables.values()] == [
            (v.name, v.unit, v.description) for v in other.groups[group].values()
        ]
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name], err_msg=name)
        assert array.shape == other.arrays[name].shape


@pytest.mark.parametrize("options", [
    {}, {"kind": "discrete"}, {"kind": "discrete", "steps": 4, "perturbation": 0.1, "point_names": ["z"]},
    {"input_names": ["v"], "point_names": ["y"], "action": {"u": 2.0}}, {"input_names": [], "point_names": []},
])  # fmt: skip
def test_the_same_matrices_as_in_process(fmu, server, options):
    with Client(server.url) as client, client.select() as session, trivium.open(fmu) as simulation:
        for each in (session, simulation):
            each.advance({"u": 3.0}, steps=2)
        same(session.linearize(**options), simulation.linearize(**options))
        assert session.advance() == simulation.advance()


def test_the_reply(server):
    testid = server.request("POST", "/testcases/coupled-3.0-both/select")[1]["testid"]
    for path in ("/linearize", f"/linearize/{testid}"):
        status, reply, _ = server.request("GET", path)
        assert (status, reply["message"]) == (200, "Linearized the simulation successfully at 0.0s.")
        assert server.request("POST", path, {})[:2] == (200, reply)
        payload = reply["payload"]
        assert payload["states"] == {"x1": {"Unit": "K", "Description": ""}, "x2": {"Unit": "1", "Description": ""}}
        assert (payload["kind"], payload["method"], payload["step"]) == ("continuous", "directional", None)
        np.testing.assert_allclose(payload["A"], [[-0.5, 0.2], [0.1, -0.8]])
        discrete = server.request("GET", f"{path}?kind=discrete&steps=5&perturbation=0.1")[1]["payload"]
        assert (discrete["kind"], len(discrete["free"])) == ("discrete", 5)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"input_names": ["n"]}, "It is a count, and has no derivative"),
        ({"input_names": ["label"]}, "It is text, and has no derivative"),
        ({"input_names": "nothing"}, "has no input nothing"),
        ({"point_names": ["counted"]}, "It is a count"),
        ({"kind": "both"}, "for parameter kind. Value must be continuous or discrete."),
        ({"steps": 0}, "steps"),
        ({"steps": 10**9}, "must be at most"),
        ({"kind": "discrete", "perturbation": 2}, "greater than 0 and at most 1"),
        ({"action": {"u": 100}}, "above the maximum 10"),
        ({"horizon": 3}, "horizon"),
    ],
)
def test_what_cannot_be_is_refused_by_name(server, body, sentence):
    status, reply, _ = server.request("POST", "/linearize", body)
    assert status == 400
    assert sentence in str(reply)
    assert server.request("GET", "/linearize")[1]["payload"]["time"] == 0.0


def test_a_client_is_refused_as_a_simulation_is(server):
    with Client(server.url) as client, client.select() as session:
        with pytest.raises(InvalidValueError, match="must be a list"):
            session.linearize(input_names="u")
        with pytest.raises(RequestError, match="It is a count"):
            session.linearize(input_names=["n"])
