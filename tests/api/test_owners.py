"""Over HTTP, who comes with a token sees and changes what is its own."""

from __future__ import annotations

import pytest

from tests.server import Server
from trivium.client import Client
from trivium.errors import BusyError, ForbiddenError, NotFoundError, RequestError, UnknownSessionError
from trivium.server.tokens import create


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    path = tmp_path_factory.mktemp("tokens") / "tokens.json"
    made = create(path)
    scopes = {"anna": ["control", "jobs"], "bert": ["control", "jobs"], "root": ["admin"], "grafana": ["read"]}
    limits = {"anna": {"sessions": 2, "jobs": 1}}
    return path, {name: made.add(name, scopes[name], **limits.get(name, {})) for name in scopes}


@pytest.fixture(scope="module")
def server(small_resources, tmp_path_factory, tokens):
    with Server(small_resources, tmp_path_factory.mktemp("owners"), TRIVIUM_TOKENS=str(tokens[0])) as running:
        yield running


@pytest.fixture
def clients(server, tokens):
    made = {name: Client(server.url, token=text, patience=0) for name, text in tokens[1].items()}
    yield made
    made["root"].stop_all()
    for client in made.values():
        client.close()


def test_sessions_and_snapshots(clients):
    anna, bert, root = clients["anna"], clients["bert"], clients["root"]
    hers = anna.select()
    hers.advance()
    snapshot = hers.snapshot()
    assert [each["snapshot"] for each in hers.snapshots()] == [snapshot]
    foreign = bert.session(hers.testid)
    for refused in (foreign.advance, foreign.snapshots, foreign.fork, lambda: foreign.remove_snapshot(snapshot),
                    lambda: foreign.restore(snapshot), lambda: foreign.results(["time"])):  # fmt: skip
        with pytest.raises(UnknownSessionError):
            refused()
    foreign.close()  # which says nothing of a session that is not there
    assert hers.time == 300
    seen = {name: {each["testid"] for each in client.sessions()} for name, client in clients.items()}
    assert hers.testid in seen["anna"] & seen["root"]
    assert hers.testid not in seen["bert"] | seen["grafana"]
    hers.fork()
    with pytest.raises(BusyError, match="2 sessions"):
        hers.fork()
    hers.remove_snapshot(snapshot)
    assert hers.snapshots() == []
    with pytest.raises(RequestError, match="Invalid snapshot"):
        hers.restore(snapshot)
    with pytest.raises(ForbiddenError, match="scope admin"):
        anna.stop_all()
    root.session(hers.testid).close()
    with pytest.raises(UnknownSessionError):
        hers.advance()


def test_keys(server, tokens):
    def select(name, key="key"):
        headers = {"Authorization": f"Bearer {tokens[1][name]}", "Idempotency-Key": key}
        (case,) = server.request("GET", "/testcases", headers=headers)[1]
        reply = server.request("POST", f"/testcases/{case['testcaseid']}/select", headers=headers)
        assert reply[0] == 200
        return reply[1]["testid"]

    hers, his = select("anna"), select("bert")
    assert hers != his
    assert (select("anna"), select("bert")) == (hers, his)


def test_jobs(clients):
    anna, bert, root = clients["anna"], clients["bert"], clients["root"]
    job = anna.submit("step", {"end_time": 300})
    assert job.status()["owner"] == "anna"
    with pytest.raises(BusyError, match="1 jobs of the token anna"):
        anna.submit("step", {"end_time": 300})
    foreign = bert.job(job.task_id)
    for refused in (foreign.status, foreign.cancel):
        with pytest.raises(NotFoundError):
            refused()
    assert [each["task_id"] for each in root.jobs()] == [job.task_id]
    assert bert.jobs() == []
    root.job(job.task_id).cancel()
    assert job.status()["status"] == "Cancelled"
