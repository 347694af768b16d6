import os
import signal
import time
from types import SimpleNamespace

import psutil
import pytest

pytest.importorskip("distributed", reason="the extra sweep is not installed")

import dask

from trivium.engine import Engine, cluster, reporter
from trivium.errors import EngineError


def double(number):
    return 2 * number


def die(_):
    os._exit(1)


def fail(_):
    raise ValueError("no such thing")


def say_and_die(key):
    reporter()(key, "last words")
    time.sleep(3)
    os._exit(1)


def large():
    return bytes(2**20)


def pid_of_worker():
    return os.getpid()


def collect(engine, count):
    found = []
    while len(found) < count:
        ended = engine.next(60)
        assert ended is not None
        found.append(ended)
    return found


def test_tasks_come_back_with_what_became_of_them():
    me = psutil.Process()
    before = set(me.children(recursive=True))  # such as a browser, of other tests
    with Engine(workers=2) as engine:
        assert engine.workers == 2
        assert engine.next(0.01) is None
        for process in (me, *set(me.children(recursive=True)) - before):
            ports = [c.laddr for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN]
            assert {address.ip for address in ports} <= {"127.0.0.1"}, process  # nothing is open to other machines
        for number in range(20):
            engine.submit(double, f"item {number}", number)
        assert engine.in_flight == 20
        assert {e.item: e.result for e in collect(engine, 20)} == {f"item {n}": 2 * n for n in range(20)}
        assert engine.in_flight == 0

        engine.submit(fail, "failing", 1)
        (ended,) = collect(engine, 1)
        assert (ended.lost, str(ended.error)) == (False, "no such thing")

        engine.submit(die, "dying", 1)
        (ended,) = collect(engine, 1)
        assert ended.lost
        engine.submit(say_and_die, "speaking", "key")
        (ended,) = collect(engine, 1)
        assert ended.lost
        assert engine.reported("key") == "last words"
        assert engine.reported("key") is None

        engine.submit(double, "after", 4)  # new processes took the place of those that died
        assert collect(engine, 1)[0].result == 8


@pytest.mark.slow
def test_an_address_without_a_scheduler():
    with pytest.raises(EngineError, match="no Dask scheduler with workers at tcp://127.0.0.1:9"):
        Engine("tcp://127.0.0.1:9", wait=1.0)


@pytest.mark.slow
def test_a_scheduler_that_is_reached_anew_counts_as_one_worker():
    engine = object.__new__(Engine)
    engine._cluster = None
    engine._client = SimpleNamespace(scheduler_info=lambda n_workers: {})  # what distributed knows then
    assert engine.workers == 1


def test_workers_that_stay_away_are_replaced(monkeypatch):
    """Dask's own watch over a worker is taken away with its nanny, so that nobody else starts a new one."""
    monkeypatch.setattr(cluster, "_AWAY", 0.5)
    with Engine(workers=1) as engine:
        engine.submit(pid_of_worker, "first")
        first = collect(engine, 1)[0].result
        nanny = engine._cluster.dask.workers[0]
        nanny.auto_restart = False
        engine._cluster.dask.sync(nanny.close)
        engine.submit(pid_of_worker, "second")
        while (ended := engine.next(0.1)) is None:
            pass
        assert ended.result != first
    assert not psutil.pid_exists(ended.result)


def test_a_worker_that_was_stopped_is_ended_and_its_task_comes_back_as_lost(monkeypatch):
    monkeypatch.setattr(cluster, "_STOPPED", 0.5)
    with Engine(workers=1) as engine:
        engine.submit(pid_of_worker, "before")
        worker = collect(engine, 1)[0].result
        engine.submit(time.sleep, "stopped", 600)
        os.kill(worker, signal.SIGSTOP)
        while (ended := engine.next(0.1)) is None:
            pass
        assert (ended.item, ended.lost) == ("stopped", True)
        assert not psutil.pid_exists(worker)
        engine.submit(pid_of_worker, "after")
        assert collect(engine, 1)[0].result != worker


def test_a_result_that_a_stopped_worker_holds_is_computed_again(monkeypatch):
    monkeypatch.setattr(cluster, "_STOPPED", 0.5)
    monkeypatch.setattr("trivium.engine._LOOK", 0.1)
    with Engine(workers=1) as engine:
        engine.submit(large, "held")
        (future, _), *_ = engine._flying.values()
        while not future.done():
            time.sleep(0.01)
        os.kill(engine._cluster.dask.workers[0].pid, signal.SIGSTOP)
        (ended,) = collect(engine, 1)
        assert ended.lost or len(ended.result) == 2**20


def test_a_cancelled_task_is_a_lost_task():
    with Engine(workers=1) as engine:
        engine.submit(time.sleep, "cancelled", 60)
        (future, _), *_ = engine._flying.values()
        future.cancel()
        while (ended := engine.next(1.0)) is None:
            pass
        assert (ended.item, ended.lost) == ("cancelled", True)


def test_the_settings_of_dask_hold_for_the_life_of_a_cluster():
    before = dask.config.get("distributed.scheduler.allowed-failures")
    with Engine(workers=1):
        assert {name: dask.config.get(name) for name in cluster.SETTINGS} == cluster.SETTINGS
    assert dask.config.get("distributed.scheduler.allowed-failures") == before
