"""Test cases beside the default one: registered from a folder, selected, there again after a restart."""

from __future__ import annotations

import shutil

import pytest

from tests.small_plant import temperature
from tests.trap_fmu import expected
from trivium.errors import DamagedError, InvalidValueError, StateError, UnknownSessionError


@pytest.fixture
def folder(tmp_path, small_resources):
    """The folder that TRIVIUM_TESTCASES names."""
    path = tmp_path / "cases"
    shutil.copytree(small_resources, path / "other")
    return path


@pytest.fixture
def serve(folder, manage):
    """Make a manager that registers test cases."""
    return lambda **variables: manage(**{"TRIVIUM_TESTCASES": str(folder), **variables})


def test_a_registered_test_case_is_listed_selected_and_there_after_a_restart(serve, folder, trap_resources):
    shutil.copytree(trap_resources(restore="none"), folder / "trap")
    manager, worker = serve(), serve()
    (default,) = manager.testcases()
    assert manager.trials.add("trap") == "trap"
    assert manager.trials.add("trap") == "trap"
    assert manager.trials.add("other", "my-plant") == "my-plant"
    assert worker.testcases() == [default, "trap", "my-plant"]
    assert manager.sessions() == []  # the trial left nothing behind
    trap, plain = worker.select("trap"), worker.select(default)
    manager.close()
    again = serve()
    assert again.testcases() == [default, "trap", "my-plant"]
    reply = again.session(trap).advance({"Tchws_set_HEX": 286})
    assert reply["Tchw_supply"] == pytest.approx(expected(300, 286), rel=1e-9)
    fork = again.fork(trap)
    assert again.session(fork).advance({})["Tchw_supply"] == pytest.approx(expected(600, 286), rel=1e-9)
    assert again.session(plain).advance({})["Tchw_supply"] == pytest.approx(temperature(300), abs=1e-5)
    told = {session["testid"]: session["testcaseid"] for session in again.sessions()}
    assert told == {trap: "trap", fork: "trap", plain: default}


def test_an_fmu_alone_is_a_test_case(serve, folder, trap_fmu):
    shutil.copy(trap_fmu(restore="exact"), folder / "lonely.fmu")
    manager = serve()
    testid = manager.select(manager.trials.add("lonely.fmu"))
    manager.session(testid).set_step(300)
    payload = manager.session(testid).advance({"u": 286.0})
    assert payload["y"] == pytest.approx(expected(300, 286), rel=1e-9)
    manager.session(testid).restore(manager.session(testid).snapshot())
    fork = manager.fork(testid)
    assert manager.session(fork).advance({})["y"] == pytest.approx(expected(600, 286), rel=1e-9)


@pytest.mark.parametrize("file", ["../Resources", "/etc", "", ".", "..", "nowhere", "a/b", "link", "other\0"])
def test_only_what_lies_in_the_folder_can_be_registered(serve, folder, file, small_resources):
    (folder / "link").symlink_to(small_resources)
    with pytest.raises(InvalidValueError) as caught:
        serve().trials.add(file, "chosen")
    assert caught.value.field == "file"


@pytest.mark.parametrize("testcaseid", ["", "a/b", ".hidden", "x" * 101, "Ä"])
def test_an_id_must_do_in_an_address(serve, testcaseid):
    with pytest.raises(InvalidValueError) as caught:
        serve().trials.add("other", testcaseid)
    assert caught.value.field == "testcaseid"


def test_an_id_stands_for_one_test_case(serve, folder, small_resources):
    manager = serve()
    shutil.copytree(small_resources, folder / "third")
    manager.trials.add("other", "mine")
    for taken in ("mine", manager.testcases()[0]):
        with pytest.raises(InvalidValueError, match="stands for another"):
            manager.trials.add("third", taken)


def test_what_cannot_be_stepped_is_not_registered(serve, folder, trap_resources):
    shutil.rmtree(folder / "other")
    shutil.copytree(trap_resources(missing_library=True), folder / "other")
    manager = serve()
    with pytest.raises(InvalidValueError, match="The test case other cannot be used") as caught:
        manager.trials.add("other")
    assert caught.value.field == "file"
    assert "other" not in manager.testcases()
    assert manager.sessions() == []
    with pytest.raises(InvalidValueError, match="Invalid testcase: other"):
        manager.select("other")


def test_without_a_folder_there_is_the_default_only(serve):
    with pytest.raises(InvalidValueError, match="TRIVIUM_TESTCASES is not set"):
        serve(TRIVIUM_TESTCASES="").trials.add("other")


def test_a_session_whose_test_case_is_gone_says_so(serve, folder):
    manager = serve()
    testid = manager.select(manager.trials.add("other"))
    manager.close()
    folder.rename(folder.with_name("moved"))
    again = serve()
    assert len(again.testcases()) == 1
    with pytest.raises(StateError, match="of the test case other"):
        again.session(testid).set_step(300)


def test_the_engine_of_the_settings_is_that_of_the_hosts(serve, folder):
    """The default says auto; pyfmi may be absent here, and then says so."""
    from trivium.errors import ResourcesError
    from trivium.model.fmu.abi import pyfmi_problem

    manager = serve(TRIVIUM_ENGINE="pyfmi")
    if pyfmi_problem() is None:
        assert manager.session(None).advance({})["Tchw_supply"] == pytest.approx(temperature(300), abs=1e-5)
    else:
        with pytest.raises(ResourcesError, match="pyfmi"):
            manager.session(None).advance({})


def test_a_test_case_that_is_removed_takes_its_sessions_along(serve, folder, trap_fmu):
    manager, worker = serve(), serve()
    (default,) = manager.testcases()
    manager.trials.add("other")
    with trap_fmu(restore="exact").open("rb") as content:
        manager.trials.upload("brought", content)
    kept, gone = manager.select(default), [manager.select("other"), worker.select("brought")]
    assert worker.remove_testcase("other") == 1
    assert (folder / "other").exists()  # the operator's own
    assert manager.remove_testcase("brought") == 1
    assert not (folder / "brought.fmu").exists()
    assert manager.testcases() == worker.testcases() == [default]
    assert {session["testid"] for session in manager.sessions()} == {kept}
    for testid in gone:
        with pytest.raises(UnknownSessionError):
            manager.status(testid)
    with trap_fmu(restore="exact").open("rb") as content:
        assert manager.trials.upload("brought", content) == "brought"  # the id is free again


@pytest.mark.parametrize("content", ["", "[]", "null", '{"a": 1}', '{"a', "\xff"])
def test_a_damaged_list_of_test_cases_leaves_the_default_one(serve, folder, trap_fmu, content):
    shutil.copy(trap_fmu(), folder / "one.fmu")
    manager = serve()
    manager.trials.add("one.fmu")
    (manager._state_dir / "testcases.json").write_bytes(content.encode("latin-1"))
    (default,) = manager.testcases()
    assert manager.select(default)
    for refused in (lambda: manager.select("one"), lambda: manager.trials.add("one.fmu", "two")):
        with pytest.raises(DamagedError, match=r"testcases\.json"):
            refused()
    assert (manager._state_dir / "testcases.json").read_bytes() == content.encode("latin-1")  # nothing is overwritten
