"""Sessions in processes of their own: what was acknowledged stays, whatever dies."""

from __future__ import annotations

import os
import select
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests import processes
from tests.processes import PATIENCE, gone
from tests.small_plant import FAILING, temperature
from tests.trap_fmu import PLANT_TRAP, Trap, expected
from tests.unit.session.tools import ALL, advance, children, kill, message_of, pid, results, same
from trivium.errors import (
    BusyError,
    ConflictError,
    InvalidValueError,
    ModelError,
    ResourcesError,
    StorageError,
    UnknownSessionError,
)
from trivium.process import process_start
from trivium.session.folder import Folder, runtime_dir
from trivium.session.local import open_testcase
from trivium.storage import acquire


def test_a_session_answers_as_the_test_case_itself(manage, small_resources, tmp_path):
    manager = manage()
    case = open_testcase(small_resources, tmp_path / "here")
    try:
        session = manager.session(None)
        for name in ("version", "name", "step", "scenario"):
            assert getattr(session, name) == getattr(case, name)
        for name in ("inputs", "measurements", "parameters", "forecast_points", "kpi_points"):
            assert dict(getattr(session, name)) == dict(getattr(case, name))
        for method, arguments in [
            ("initialize", (600,)), ("set_step", (600,)), ("advance", ({"CHI02": 1},)),
            ("advance", ({"CHI02": "0", "Tchws_set_HEX": None},)), ("look_ahead", ({"CHI02": 1},)), ("kpis", ()),
        ]:  # fmt: skip
            there, here = getattr(session, method)(*arguments), getattr(case, method)(*arguments)
            assert {**there, "time_rat": 0} == {**here, "time_rat": 0} if method == "kpis" else there == here
            assert getattr(there, "__dict__", None) == getattr(here, "__dict__", None)
        clamped = session.advance({"Tchws_set_HEX": 400.0}, clamp=True).clamped
        assert clamped == case.advance({"Tchws_set_HEX": 400.0}, clamp=True).clamped != ()
        assert same(results(manager), case.results(ALL, 0, 1e9))
    finally:
        case.close()


def test_errors_come_through_with_what_they_carry(manage):
    manager = manage()
    with pytest.raises(InvalidValueError, match="has no input nonsense") as caught:
        advance(manager, nonsense=1)
    assert (caught.value.field, caught.value.status) == ("nonsense", 400)
    with pytest.raises(InvalidValueError, match="nan"):  # JSON has no word for it, so it must not become None
        advance(manager, CHI01=float("nan"))
    with pytest.raises(ModelError, match="step"):
        advance(manager, **{FAILING: 1})
    assert advance(manager)["Tchw_supply"] == pytest.approx(temperature(300), abs=1e-5)


def test_no_test_case_no_session(manage, tmp_path):
    with pytest.raises(ResourcesError, match="does not exist"):
        manage(tmp_path / "nowhere")


def test_a_session_is_owned_by_one_other_process_of_one_thread(manage):
    manager, other = manage(), manage()
    number = pid(manager)
    assert number != os.getpid()
    assert pid(other) == number
    assert len(os.listdir(f"/proc/{number}/task")) == 1
    work = Path(os.readlink(f"/proc/{number}/cwd"))
    assert (work.name, list(work.iterdir())) == ("work", []), "what an FMU writes stays with its session"
    advance(manager)
    assert message_of(advance(other)) == "Advanced simulation successfully from 300.0s to 600.0s."


def test_killing_the_host_loses_nothing_and_the_next_step_is_the_same_to_the_bit(manage, small_resources, tmp_path):
    manager = manage()
    case = open_testcase(small_resources, tmp_path / "here")
    try:
        for k in range(12):
            inputs = {"CHI02": k % 2, "Tchws_set_HEX": 285 + 0.1 * k}
            assert advance(manager, **inputs) == case.advance(inputs)
            if k % 3 == 2:
                kill(manager)
                assert same(results(manager), case.results(ALL, 0, 1e9))
                assert manager.restored(None) == "exact"
        manager.session(None).set_step(900)
        case.set_step(900)
        kill(manager)
        assert advance(manager) == case.advance({})
        assert manager.session(None).initialize(3000) == case.initialize(3000)
        kill(manager)
        assert advance(manager, CHI02=1) == case.advance({"CHI02": 1})
        assert same(results(manager), case.results(ALL, 0, 1e9))
    finally:
        case.close()


def test_a_restart_of_everything_goes_on(manage):
    manager = manage()
    advance(manager, steps=5)
    number, zygote = pid(manager), zygote_of(manager)
    processes.kill(number, zygote)
    manager.close()
    again = manage()
    assert advance(again)["Tchw_supply"] == pytest.approx(temperature(1800), abs=1e-5)
    assert list(results(again)["time"]) == [300.0 * k for k in range(7)]


def zygote_of(manager):
    return next(
        child for child in children(os.getpid())
        if str(manager._state_dir) in Path(f"/proc/{child}/cmdline").read_text()
    )  # fmt: skip


def test_a_killed_zygote_is_replaced(manage):
    manager = manage()
    advance(manager)
    processes.kill(zygote_of(manager))
    advance(manager)  # the host goes on without
    manager.session(manager.select(manager.testcases()[0])).host_state()  # while the other lives, there is a new zygote
    kill(manager)
    assert message_of(advance(manager)) == "Advanced simulation successfully from 600.0s to 900.0s."


@pytest.mark.slow
def test_hosts_and_zygote_end_when_nobody_needs_them(manage_apart):
    manager = manage_apart()
    watched = [os.pidfd_open(number) for number in (pid(manager), zygote_of(manager))]
    manager.close()
    for handle in watched:
        assert select.select([handle], [], [], PATIENCE)[0]
        os.close(handle)


@pytest.mark.parametrize(
    ("trap", "said"),
    [
        (Trap.SEGMENTATION_FAULT, r"killed by signal 11 \(SIGSEGV\)"),
        (Trap.ABORT, r"killed by signal 6 \(SIGABRT\)"),
        (Trap.EXIT, "ended with exit code 64"),
        pytest.param(Trap.HANG, "took longer than 1 s", marks=pytest.mark.slow),
        (Trap.NOT_A_NUMBER, "not finite numbers: Tchw_supply"),
        (Trap.ERROR, "failed to step"),
    ],
)
@pytest.mark.parametrize("restore", ["exact", "none"])
def test_what_the_fmu_dies_of_is_told_and_the_session_stands_where_it_stood(
    manage, trap_resources, trap, said, restore
):
    resources = trap_resources(restore=restore, brittle=True)
    manager = manage(resources)
    # the limit is for the trap only: no other request is ended because the machine is busy
    trapped = manage(resources, TRIVIUM_STEP_TIMEOUT="1") if trap is Trap.HANG else manager
    advance(manager, steps=3, Tchws_set_HEX=286)
    before = results(manager)
    for _ in range(2):
        with pytest.raises(ModelError, match=said):
            advance(trapped, **{PLANT_TRAP: int(trap)})
        assert same(results(manager), before)
    reply = advance(manager, **{PLANT_TRAP: 0})
    assert message_of(reply) == "Advanced simulation successfully from 900.0s to 1200.0s."
    assert reply["Tchw_supply"] == pytest.approx(expected(1200, 286), rel=1e-9)


@pytest.mark.slow
def test_a_leaking_fmu_gets_a_fresh_process_before_the_limit(manage, trap_resources):
    manager = manage(trap_resources(), TRIVIUM_SESSION_MEMORY="700")
    advance(manager, Tchws_set_HEX=286)
    first = pid(manager)
    for k in range(2, 14):  # 64 MiB each
        reply = advance(manager, **{PLANT_TRAP: int(Trap.LEAK)})
        assert reply["Tchw_supply"] == pytest.approx(expected(300 * k, 286), rel=1e-9)
    assert pid(manager) != first
    assert manager.session(None).host_state().memory < 700 * 2**20


def test_an_inexact_fmu_keeps_the_acknowledged_rows_and_says_so(manage, trap_resources):
    manager = manage(trap_resources(restore="inexact"))
    advance(manager, Tchws_set_HEX=286, steps=4)
    snapshot = manager.session(None).snapshot()
    advance(manager, steps=3)
    manager.session(None).restore(snapshot)
    advance(manager, steps=2)
    before = results(manager)
    kill(manager)
    assert same(results(manager), before)
    assert manager.restored(None) == "inexact"
    assert advance(manager).restored == "inexact"
    kill(manager)
    after = results(manager)
    assert all(np.array_equal(after[name][: len(before[name])], before[name], equal_nan=True) for name in before)


def test_an_fmu_that_cannot_serialize_is_replayed(manage, trap_resources):
    manager = manage(trap_resources(restore="none"))
    advance(manager, Tchws_set_HEX=286, steps=4)
    before = results(manager)
    kill(manager)
    assert same(results(manager), before)
    assert manager.restored(None) == "replayed"
    assert advance(manager)["Tchw_supply"] == pytest.approx(expected(1500, 286), rel=1e-9)


def test_an_fmu_that_dies_of_a_restore_is_found_out_before_and_replayed(manage, trap_resources):
    manager = manage(trap_resources(restore="crash"))
    advance(manager, Tchws_set_HEX=286, steps=2)
    with pytest.raises(ModelError):
        advance(manager, **{PLANT_TRAP: int(Trap.ERROR)})
    kill(manager)
    reply = advance(manager, **{PLANT_TRAP: 0})
    assert reply["Tchw_supply"] == pytest.approx(expected(900, 286), rel=1e-9)
    assert reply.restored == "replayed"


def test_snapshot_restore_and_fork(manage):
    manager = manage()
    advance(manager, steps=3, CHI02=1)
    snapshot, before = manager.session(None).snapshot(), results(manager)
    after = advance(manager, Tchws_set_HEX=285)
    advance(manager, steps=2)
    twin = manager.fork(None, snapshot)
    manager.session(None).initialize(0)
    assert manager.session(None).restore(snapshot) == 900.0
    kill(manager)  # the tail that was discarded does not come back
    assert same(results(manager), before)
    assert advance(manager, Tchws_set_HEX=285) == after
    assert same(results(manager, twin), before)
    assert advance(manager, twin, Tchws_set_HEX=285) == after
    now = manager.fork(twin)
    assert advance(manager, now) == advance(manager, twin)
    with pytest.raises(InvalidValueError, match="Invalid snapshot"):
        manager.session(None).restore("../about")


def test_sessions_are_apart_limited_listed_and_stopped(manage):
    manager = manage(TRIVIUM_MAX_SESSIONS="2", TRIVIUM_RECLAIM_AFTER="1000")
    (name,) = manager.testcases()
    first, second = manager.select(name), manager.select(name)
    with pytest.raises(BusyError) as caught:
        manager.select(name)
    assert (caught.value.status, caught.value.position) == (503, 1)
    assert caught.value.retry_after > 0
    advance(manager, first, steps=2)
    assert message_of(advance(manager, second)) == "Advanced simulation successfully from 0.0s to 300.0s."
    told = {session["testid"]: session for session in manager.sessions()}
    assert (told[first]["time"], told[second]["time"]) == (600.0, 300.0)
    number = pid(manager, first)
    manager.stop(first)
    assert not process_start(number)
    with pytest.raises(UnknownSessionError, match=f"Invalid testid: {first}"):
        advance(manager, first)
    with pytest.raises(UnknownSessionError):
        manager.stop(first)
    third = manager.select(name)
    assert {session["testid"] for session in manager.sessions()} == {second, third}
    assert manager.stop_all() == 2
    assert manager.sessions() == []
    with pytest.raises(InvalidValueError, match="Invalid testcase"):
        manager.select("other")
    with pytest.raises(UnknownSessionError):
        manager.status("../default")


def test_who_waits_and_asks_no_more_gives_up_the_place(manage, monkeypatch):
    one = {"TRIVIUM_MAX_SESSIONS": "1", "TRIVIUM_RECLAIM_AFTER": "1000"}
    manager, other = manage(**one), manage(**one)
    (name,) = manager.testcases()
    running = manager.select(name)
    gone, waiting = manager.select(name, wait=True), other.select(name, wait=True)
    assert [manager.status(testid) for testid in (running, gone, waiting)] == ["Running", "Queued", "Queued"]
    assert {session["state"] for session in manager.sessions() if session["testid"] in (gone, waiting)} == {"queued"}
    long_ago = time.time() - 1000
    os.utime(manage.state_dir / "sessions" / gone / "queued", (long_ago, long_ago))
    with pytest.raises(BusyError) as caught:
        advance(other, waiting)
    assert caught.value.position == 1
    with pytest.raises(UnknownSessionError):
        manager.status(gone)
    other.stop(running)
    assert message_of(advance(manager, waiting)) == "Advanced simulation successfully from 0.0s to 300.0s."
    assert other.status(waiting) == "Running"


def test_what_another_worker_stopped_is_gone_here_too(manage):
    manager, other = manage(), manage()
    (name,) = manager.testcases()
    testid = manager.select(name)
    advance(manager, steps=2)
    advance(manager, testid, steps=2)
    assert other.stop_all() == 2
    with pytest.raises(UnknownSessionError, match=testid):
        advance(manager, testid)
    with pytest.raises(UnknownSessionError, match=testid):
        advance(manager, testid)
    assert message_of(advance(manager)) == "Advanced simulation successfully from 0.0s to 300.0s."


def test_idle_sessions_sleep_and_wake(manage):
    manager = manage(TRIVIUM_IDLE_TIMEOUT="1")
    advance(manager)
    gone(pid(manager))
    assert [session["state"] for session in manager.sessions()] == ["hibernated"]
    revision, indicators = manager.indicators(None)  # without waking it
    assert revision == manager.summary(None)["revision"]
    assert message_of(advance(manager)) == "Advanced simulation successfully from 300.0s to 600.0s."
    of_the_clients_speed = {"time_rat": None}
    assert indicators | of_the_clients_speed == manager.session(None).kpis(None, 0.0, 300.0) | of_the_clients_speed


def test_hosts_are_recycled_unseen(manage):
    manager = manage(TRIVIUM_RECYCLE_STEPS="3")
    seen = set()
    for k in range(1, 11):
        assert advance(manager)["Tchw_supply"] == pytest.approx(temperature(300 * k), abs=1e-5)
        seen.add(pid(manager))
    assert len(seen) == 4


def test_a_repeated_key_gets_the_stored_reply_also_after_a_crash(manage):
    manager = manage()
    first = manager.session(None, key="a").advance({"CHI02": 1})
    assert manager.session(None, key="a").advance({"CHI02": 1}) == first
    kill(manager)
    assert manager.session(None, key="a").advance({"CHI02": 1}) == first
    with pytest.raises(ConflictError, match="Idempotency-Key"):
        manager.session(None, key="a").advance({"CHI02": 0})
    started = manager.session(None, key="b").initialize(600)
    advance(manager)
    kill(manager)
    assert manager.session(None, key="b").initialize(600) == started
    assert manager.session(None, key="a").advance({"CHI02": 1}) == first
    assert manager.session(None).host_state().time == 900.0


def test_a_client_that_is_mistaken_about_the_clock_is_told(manage):
    manager = manage()
    manager.session(None, clock=0.0).advance({})
    with pytest.raises(ConflictError, match=r"stands at 300\.0s, not at 0\.0s"):
        manager.session(None, clock=0.0).advance({})
    manager.session(None, clock=300.0).advance({})


def test_clients_at_once_take_turns_also_while_the_host_is_killed(manage):
    managers = [manage() for _ in range(4)]
    managers[0].open_default()

    def client(manager):
        return [message_of(advance(manager)) for _ in range(25)]

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(client, manager) for manager in managers]
        for _ in range(4):
            time.sleep(0.1)
            status = Folder(managers[0]._state_dir, managers[0]._default).serving()
            if status is not None:
                os.kill(status.pid, signal.SIGKILL)
        messages, failed = [], 0
        for future in running:
            error = future.exception()
            assert error is None or (isinstance(error, ModelError) and "signal 9" in str(error))
            failed += error is not None
            messages += [] if error else future.result()
    assert len(set(messages)) == len(messages)
    times = results(managers[0])["time"]
    assert np.array_equal(times, 300.0 * np.arange(len(times)))
    if not failed:
        assert len(times) == 101


def test_a_step_that_cannot_be_recorded_did_not_happen(manage, monkeypatch):
    manager = manage()
    advance(manager, steps=2)
    journal = manage.state_dir / "sessions" / manager._default / "journal"
    (journal / "lock").write_text("99")  # as if another host had taken over
    with pytest.raises(StorageError, match="another writer"):
        advance(manager)
    kill(manager)
    assert message_of(advance(manager)) == "Advanced simulation successfully from 600.0s to 900.0s."


def test_long_paths_have_sockets_too(tmp_path):
    folder = runtime_dir(tmp_path / ("x" * 100))
    assert len(str(folder)) < 80
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "state").resolve() == (tmp_path / ("x" * 100)).resolve()


def test_folders_of_sockets_go_after_their_state_directories(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    deleted, used, kept = (tmp_path / (name * 100) for name in "duk")
    folders = [runtime_dir(state_dir) for state_dir in (deleted, used, kept)]
    lock = acquire(folders[1] / "zygote.lock")  # as a server that goes on without its state directory
    deleted.rmdir()
    used.rmdir()
    new = runtime_dir(tmp_path / ("n" * 100))
    assert [folder.exists() for folder in (*folders, new)] == [False, True, True, True]
    lock.release()


def test_a_session_is_linearized_as_the_test_case_itself(manage, own_fmu, tmp_path):
    fmu = own_fmu("coupled", "2.0")
    session = manage(fmu).session(None)
    case = open_testcase(fmu, tmp_path / "here")
    try:
        for each in (session, case):
            each.advance({"u": 2.0})
        for kind in ("continuous", "discrete"):
            there, here = session.linearize(kind), case.linearize(kind)
            assert repr(there) == repr(here)
            for name, array in here.arrays.items():
                np.testing.assert_array_equal(array, there.arrays[name])
            assert there.groups["disturbances"] == here.groups["disturbances"]
        assert session.advance() == case.advance()
    finally:
        case.close()
