"""Sessions that were ended and can come back for a while."""

from __future__ import annotations

import pytest

from tests.unit.session.tools import advance, message_of
from trivium.errors import ConflictError, UnknownSessionError


@pytest.fixture
def manager(manage, caller):
    return manage(present=caller)


def test_a_session_comes_back_as_it_was(manager):
    testid = manager.select(manager.testcases()[0])
    advance(manager, testid, steps=2)
    name = manager.set_aside(testid)
    with pytest.raises(UnknownSessionError):
        advance(manager, testid)
    manager.aside.bring_back(name, testid)
    assert message_of(advance(manager, testid)) == "Advanced simulation successfully from 600.0s to 900.0s."


def test_only_its_owner_brings_a_session_back(manager, caller):
    caller.be("anna")
    testid = manager.select(manager.testcases()[0])
    name = manager.set_aside(testid)
    caller.be("bert")
    with pytest.raises(UnknownSessionError):
        manager.aside.bring_back(name, testid)
    caller.be("anna")
    manager.aside.bring_back(name, testid)
    assert [each["testid"] for each in manager.sessions() if not each["default"]] == [testid]


@pytest.mark.parametrize("name", ["..", ".stopped-x", "{testid}", "../{name}"])
def test_no_other_folder_is_brought_back(manager, name):
    testid = manager.select(manager.testcases()[0])
    aside = manager.set_aside(testid)
    with pytest.raises(UnknownSessionError):
        manager.aside.bring_back(name.format(testid=testid, name=aside), testid)


def test_a_session_that_was_begun_since_is_not_replaced(manager):
    advance(manager, steps=2)
    (default,) = (each["testid"] for each in manager.sessions())
    name = manager.set_aside(default)
    assert message_of(advance(manager)) == "Advanced simulation successfully from 0.0s to 300.0s."
    with pytest.raises(ConflictError, match="There is a session"):
        manager.aside.bring_back(name, default)
    assert message_of(advance(manager)) == "Advanced simulation successfully from 300.0s to 600.0s."


def test_what_is_forgotten_does_not_come_back(manager):
    testid = manager.select(manager.testcases()[0])
    name = manager.set_aside(testid)
    manager.aside.forget(name)
    with pytest.raises(UnknownSessionError):
        manager.aside.bring_back(name, testid)
