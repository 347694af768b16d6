"""What clients and operators see of a session whose files were damaged while nobody served it."""

from __future__ import annotations

import os

from tests import processes
from trivium.session.folder import Folder

WINDOW = {"point_names": ["Tchw_supply"], "start_time": 0, "final_time": 1e9}


def selected(server):
    """Return the test id of a new session."""
    testcase = server.request("GET", "/testcases")[1][0]["testcaseid"]
    return server.request("POST", f"/testcases/{testcase}/select")[1]["testid"]


def stop(server, testid):
    """End a session."""
    connection = server.connect()
    connection.request("PUT", f"/stop/{testid}")
    assert connection.getresponse().status == 200
    connection.close()


def test_a_session_that_lost_a_step_is_refused_until_a_client_acknowledges_it(server):
    testid = selected(server)
    assert server.request("POST", f"/steps/{testid}", {"steps": 2})[0] == 200
    folder = Folder(server.state_dir, testid)
    (journal,) = folder.journal.glob("journal-*")
    before = journal.stat().st_size
    assert server.request("POST", f"/advance/{testid}", {})[0] == 200
    processes.kill(folder.status().pid)
    os.truncate(journal, before)
    for method, route, body in (("POST", "advance", {}), ("PUT", "results", WINDOW), ("GET", "step", None)):
        status, reply, headers = server.request(method, f"/{route}/{testid}", body)
        assert (status, headers["Session-Restored"]) == (409, "lost")
        assert "The session was at 900.0s and is at 600.0s" in reply["message"]
    (listed,) = (entry for entry in server.request("GET", "/sessions")[1]["payload"] if entry["testid"] == testid)
    assert listed["state"] == "damaged"
    status, reply, _ = server.request("PUT", f"/acknowledge/{testid}")
    assert (status, reply["payload"]) == (200, {"time": 600.0})
    assert server.request("POST", f"/advance/{testid}", {})[0] == 200
    assert server.request("PUT", "/acknowledge")[0] == 200  # nothing is lost of the default session
    stop(server, testid)


def test_a_damaged_row_is_never_in_the_results(server):
    testid = selected(server)
    assert server.request("POST", f"/steps/{testid}", {"steps": 20})[0] == 200
    expected = server.request("PUT", f"/results/{testid}", WINDOW)[1]["payload"]
    folder = Folder(server.state_dir, testid)
    (rows,) = folder.rows.iterdir()
    with rows.open("r+b") as file:
        file.seek(20001)
        byte = file.read(1)[0]
        file.seek(20001)
        file.write(bytes([byte ^ 2]))
    status, reply, headers = server.request("PUT", f"/results/{testid}", WINDOW)
    assert (status, headers["Session-Restored"]) == (409, "damaged")
    assert f"{rows} is damaged: rows " in reply["message"]
    status, reply, headers = server.request("PUT", f"/results/{testid}", WINDOW)  # the journal has these rows as well
    assert (status, headers["Session-Restored"]) == (200, None)
    assert reply["payload"] == expected
    stop(server, testid)


def test_listings_show_a_damaged_session_and_go_on(server):
    testid = selected(server)
    folder = Folder(server.state_dir, testid)
    processes.kill(folder.status().pid)
    about = folder.path / "about.json"
    before = about.read_bytes()
    about.write_text("[]")
    (folder.journal / "lock").write_text("1x")
    (listed,) = (entry for entry in server.request("GET", "/sessions")[1]["payload"] if entry["testid"] == testid)
    assert (listed["state"], listed["testcaseid"]) == ("damaged", None)
    assert "about.json cannot be read" in listed["damage"]
    for path in ("/metrics", "/dashboard/"):
        connection = server.connect()
        connection.request("GET", path)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        assert response.status == 200
        assert path != "/metrics" or 'trivium_sessions{state="damaged"} 1.0' in text
    about.write_bytes(before)
    assert server.request("POST", f"/advance/{testid}", {})[0] == 200  # a damaged lock costs nothing
    stop(server, testid)
