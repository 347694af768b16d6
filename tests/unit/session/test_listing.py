"""A page of the sessions."""

from __future__ import annotations

import pytest

from trivium.errors import InvalidValueError
from trivium.session.folder import Folder
from trivium.session.labels import label
from trivium.session.listing import Listing

NAMES = [f"{place:032x}" for place in range(30)]


@pytest.fixture
def listing(tmp_path):
    for place, name in enumerate(NAMES):
        folder = Folder(tmp_path, name)
        owner = "a" if place % 2 else None
        folder.create({"testcase": f"case{place % 3}", "created": float(place), "owner": owner})
    label(Folder(tmp_path, NAMES[4]), {"name": "Warm supply", "tags": ["16 °C"]})
    return Listing(tmp_path)


def found(listing, sees=lambda _: True, default=NAMES[0], **choice):
    page = listing.page(NAMES, default, sees, **choice)
    return [NAMES.index(each["testid"]) for each in page.sessions], page.total


def test_a_page_in_an_order(listing):
    assert found(listing) == (list(range(30)), 30)
    assert found(listing, sort="-created", offset=5, limit=3) == ([24, 23, 22], 30)
    assert found(listing, sort="-name", limit=1) == ([4], 30)
    assert found(listing, offset=29, limit=10) == ([29], 30)
    assert found(listing, offset=40) == ([], 30)
    with pytest.raises(InvalidValueError, match="testid, created"):
        found(listing, sort="colour")


def test_words_are_found_in_names_tags_and_test_cases(listing, tmp_path):
    assert found(listing, search="warm 16") == ([4], 1)
    assert found(listing, search="CASE1", limit=2) == ([1, 4], 10)
    assert found(listing, search="warm case2") == ([], 0)
    label(Folder(tmp_path, NAMES[7]), {"name": "warm too"})
    assert found(listing, search="warm") == ([4, 7], 2)


def test_an_order_by_an_indicator_of_sessions_that_sleep(listing, tmp_path):
    for place, energy in ((5, 2.0), (9, 3.0), (7, 1.0)):
        Folder(tmp_path, NAMES[place]).note_indicators(1, {"ener_tot": energy, "pue": None})
    assert found(listing, sort="kpi:ener_tot", limit=4) == ([7, 5, 9, 0], 30)
    assert found(listing, sort="-kpi:ener_tot", limit=4) == ([9, 5, 7, 0], 30)
    Folder(tmp_path, NAMES[9]).note_indicators(2, {"ener_tot": 0.5})
    assert found(listing, sort="kpi:ener_tot", offset=0, limit=1) == ([9], 30)
    assert found(listing, sort="kpi:pue", limit=2) == ([0, 1], 30)
    with pytest.raises(InvalidValueError, match="kpi: and the name"):
        found(listing, sort="kpi:no name")


def test_sessions_in_a_state(listing, tmp_path):
    Folder(tmp_path, NAMES[3]).queued.touch()
    assert found(listing, state="queued") == ([3], 1)
    assert found(listing, state="hibernated", search="case0", limit=1) == ([0], 9)
    assert found(listing, state="busy") == ([], 0)


def test_others_are_not_counted(listing):
    assert found(listing, sees=lambda owner: owner == "a", default=NAMES[2], limit=3) == ([1, 2, 3], 16)
