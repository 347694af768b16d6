"""Traps over HTTP: whatever an FMU does with its state, its sessions give the right numbers."""

from __future__ import annotations

import shutil

import pytest

from tests import own_fmus
from tests.server import Server
from tests.trap_fmu import Trap, expected

#: How each variant brings a session back.
VARIANTS = {
    "heap": ({"restore": "heap"}, "replayed"),
    "later": ({"restore": "later"}, "replayed"),
    "address": ({"restore": "address"}, "replayed"),
    "memory": ({"static_memory": True}, "replayed"),
    "freed": ({"dies_when_freed": True, "restore": "none"}, "replayed"),
    "once": ({"one_instance": True, "second_hangs": True}, None),
    "lean": ({"optional": False}, None),
    "ends": ({"ends": 3.0}, None),
    "fixed": ({"fixed_step": 0.5}, None),
}


@pytest.fixture(scope="module")
def server(trap_fmu, tmp_path_factory):
    """A server whose default FMU dies after a restore, with the other variants as test cases."""
    folder = tmp_path_factory.mktemp("testcases")
    for name, (variant, _) in VARIANTS.items():
        shutil.copy(trap_fmu(**variant), folder / f"{name}.fmu")
    for version in ("1.0", "3.0"):
        own_fmus.build(own_fmus.LINEAR, folder / f"ends{version[0]}.fmu", version, ends=2.0)
    toml = 'step = 1\n[fmu]\nstate = "replay"\n'
    for name, settings in (("asked", toml), ("insists", toml.replace("replay", "restore"))):
        (folder / name).mkdir()
        shutil.copy(trap_fmu(restore="inexact" if name == "asked" else "heap"), folder / name)
        (folder / name / "testcase.toml").write_text(settings)
    with Server(trap_fmu(restore="later"), tmp_path_factory.mktemp("state"), TRIVIUM_TESTCASES=str(folder)) as running:
        yield running


def ask(server, method, path, body=None, status=200):
    found, reply, headers = server.request(method, path, body)
    assert found == status, reply
    return reply, headers


def begin(server, name):
    """Register a test case and select it; return the test id."""
    file = name if name in ("asked", "insists") else f"{name}.fmu"
    ask(server, "POST", "/testcases", {"file": file})
    reply, _ = ask(server, "POST", f"/testcases/{name}/select")
    return reply["testid"]


def stop(server, testid):
    connection = server.connect(60.0)
    connection.request("PUT", f"/stop/{testid}")
    assert connection.getresponse().read() == b"OK"
    connection.close()


def step(server, testid, u=280.0, status=200, **inputs):
    reply, headers = ask(server, "POST", f"/advance/{testid}", {"u": u, "trap": 0, **inputs}, status)
    return reply["payload"], headers


#: A variant of each way back: by a restore, by the steps, in a process of its own.
QUICK = ("lean", "once")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow)
        for name in VARIANTS
        if name not in ("ends", "fixed")
    ],
)
def test_steps_failures_forks_and_new_starts_give_the_right_numbers(server, name):
    testid, told = begin(server, name), VARIANTS[name][1]
    for _ in range(2):  # from its start, twice alike
        ask(server, "PUT", f"/initialize/{testid}", {"start_time": 0, "warmup_period": 0})
        for k in range(1, 4):
            assert step(server, testid)[0]["y"] == pytest.approx(expected(k, 280.0), rel=1e-12)
    step(server, testid, status=500, trap=int(Trap.ERROR))
    fork, _ = ask(server, "POST", f"/fork/{testid}")
    for each in (testid, fork["payload"]["testid"]):
        payload, headers = step(server, each)
        assert payload["y"] == pytest.approx(expected(4, 280.0), rel=1e-12)
    assert headers.get("Session-Restored") == told
    stop(server, fork["payload"]["testid"])
    stop(server, testid)


def test_what_was_found_can_be_asked_for(server):
    found = ask(server, "GET", "/fmu")[0]["payload"]["qualification"]
    assert (found["verdict"], found["isolated"], found["restores"], found["decided"]) == ("replay", False, False, True)
    assert "SIGSEGV" in found["reason"]
    assert found["jumps"] == ["calls"]


def test_health_harms_no_session(server):
    for k in range(1, 4):
        reply, _ = ask(server, "POST", "/advance", {"u": 280.0})
        assert reply["payload"]["y"] == pytest.approx(expected(k, 280.0), rel=1e-12)
        assert ask(server, "GET", "/health")[0]["payload"]["restore"] == "none"
    assert ask(server, "GET", "/health/ready")


@pytest.mark.parametrize(("name", "last"), [("ends", 3), ("ends1", 2), ("ends3", 4)])
def test_the_end_of_an_fmu_is_the_end_of_the_simulation(server, name, last):
    testid = begin(server, name)
    for _ in range(last):
        reply, _ = ask(server, "POST", f"/advance/{testid}", {"u": 1.0})
        assert reply["payload"]
    reply, _ = ask(server, "POST", f"/advance/{testid}", {"u": 1.0})
    assert not reply["payload"]
    ask(server, "PUT", f"/initialize/{testid}", {"start_time": 0, "warmup_period": 0})
    assert ask(server, "POST", f"/advance/{testid}", {"u": 1.0})[0]["payload"]
    stop(server, testid)


def test_steps_are_multiples_of_a_fixed_step(server):
    testid = begin(server, "fixed")
    reply, _ = ask(server, "PUT", f"/step/{testid}", {"step": 0.75}, 400)
    assert "multiple of 0.5" in str(reply)
    ask(server, "PUT", f"/step/{testid}", {"step": 1.5})
    assert step(server, testid)[0]["y"] == pytest.approx(expected(1.5, 280.0), rel=1e-12)
    stop(server, testid)


def test_a_test_case_chooses_how_it_is_brought_back(server):
    testid = begin(server, "asked")
    first = [step(server, testid)[0]["y"] for _ in range(3)]
    fork, _ = ask(server, "POST", f"/fork/{testid}")
    payload, headers = step(server, fork["payload"]["testid"])
    assert first == pytest.approx([expected(k, 280.0) for k in (1, 2, 3)], rel=1e-12)
    assert payload["y"] == pytest.approx(expected(4, 280.0), rel=1e-12), "the FMU's own restore is inexact"
    assert headers["Session-Restored"] == "replayed"
    reply, _ = ask(server, "POST", "/testcases", {"file": "insists"}, 400)
    assert 'fmu.state is "restore", but of trap' in reply["message"]
