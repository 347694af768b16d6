"""The session's own thread."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from adcc.errors import InvalidValueError, ResourcesError
from adcc.session.local import LocalSession, open_testcase


def test_all_calls_come_from_one_thread_and_one_at_a_time(small_resources, state_dir, monkeypatch):
    seen = []

    def opener():
        seen.append(threading.get_ident())
        case = open_testcase(small_resources, state_dir)
        advance = case.advance

        def watched(u):
            seen.append(threading.get_ident())
            return advance(u)

        monkeypatch.setattr(case, "advance", watched)
        return case

    session = LocalSession(opener)
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: session.call("advance", {}), range(40)))
    session.close()
    assert len({reply.message for reply in replies}) == 40
    assert len(seen) == 41
    assert set(seen) == {seen[0]}
    assert seen[0] != threading.get_ident()


def test_errors_reach_the_caller(small_resources, state_dir, tmp_path):
    session = LocalSession(lambda: open_testcase(small_resources, state_dir))
    with pytest.raises(InvalidValueError, match="nonsense"):
        session.call("advance", {"nonsense": 1})
    session.close()
    with pytest.raises(ResourcesError, match="does not exist"):
        LocalSession(lambda: open_testcase(tmp_path / "nowhere", state_dir))
