"""What the lists and tables of pages offer, as it follows from what else is chosen."""

from __future__ import annotations

import pytest

from trivium.application import create_app
from trivium.control.controller import suitable
from trivium.plants.cooling.rules import INPUTS
from trivium.settings import Settings


@pytest.fixture(scope="module")
def client(small_resources, tmp_path_factory):
    folder = tmp_path_factory.mktemp("choices")
    app = create_app(Settings(environ={"TRIVIUM_RESOURCES": str(small_resources), "TRIVIUM_STATE_DIR": str(folder)}))
    yield app.test_client()
    app.extensions["trivium-sessions"].close()


def reply(client, output, **values):
    """Return what a browser gets for an output when the callback is called; values of its inputs by their ids."""
    found = next(
        each
        for each in client.get("/dashboard/_dash-dependencies").json
        if output in each["output"].strip(".").split("...")
    )
    parts = [each.rsplit(".", 1) for each in found["output"].strip(".").split("...")]
    outputs = [{"id": name, "property": kind} for name, kind in parts]

    def given(part):
        return [{**one, "value": values.get(f"{one['id']}.{one['property']}")} for one in found[part]]

    body = {
        "output": found["output"],
        "outputs": outputs if found["output"].startswith("..") else outputs[0],
        "changedPropIds": [],
        "inputs": given("inputs"),
        "state": given("state"),
    }
    return client.post("/dashboard/_dash-update-component", json=body).json["response"]


def test_the_second_axis_of_results_offers_not_the_parameter_of_the_first(client):
    offered = [{"value": name, "label": name} for name in ("a", "b", "c")]

    def second(across, up):
        given = {"across.options": offered, "across.value": across, "up.value": up}
        return reply(client, "up.options", **given)["up"]

    assert [each["value"] for each in second("a", "b")["options"]] == ["-", "b", "c"]
    assert "value" not in second("a", "b")
    assert second("b", "b")["value"] == "-"


def test_a_model_gets_the_controllers_that_can_drive_it():
    assert suitable(["u"]) == ["hold"]
    assert suitable(INPUTS) == ["hold", "rules", "look-ahead"]


def test_the_controllers_of_a_session_are_those_of_its_model(client):
    default = client.get("/sessions").json["payload"][0]["testid"]

    def chosen(value):
        return reply(client, "controller.options", **{"session.value": default, "controller.value": value})[
            "controller"
        ]

    assert [each["value"] for each in chosen(None)["options"]] == suitable(INPUTS)
    assert chosen(None)["value"] == "rules"
    assert "value" not in chosen("look-ahead")
    assert chosen("guideline-36")["value"] == "rules"


def test_the_session_that_is_chosen_is_marked_and_says_so(client):
    default = client.get("/sessions").json["payload"][0]["testid"]
    client.post("/testcases/x/select")

    def rows(value):
        drawn = reply(client, "sessions-table.content", **{"session.value": value})["sessions-table"]["content"]
        (body,) = (part for part in drawn["children"]["children"] if part["tag"] == "tbody")
        return body["children"]

    (marked,) = (row for row in rows(default) if row["props"].get("aria-current"))
    assert marked["key"] == default
    assert "chosen" in str(marked)
    assert "aria-current" not in str(rows(None))


@pytest.mark.parametrize(
    ("start", "stop", "words"),
    [
        ("2020-07-20", "2020-07-20 06:00", "Mon 20 Jul 2020 00:00 to Mon 20 Jul 2020 06:00"),
        ("0", "110 d 06:00", "Wed 1 Apr 2020 00:00 to Mon 20 Jul 2020 06:00"),
        ("86400", "", "Thu 2 Apr 2020 00:00"),
        ("0", "tomorrow", "To must be a date such as 2020-04-01 14:30"),
    ],
)
def test_times_of_a_job_are_dates_days_or_seconds(client, start, stop, words):
    model = {"new-model.value": "testcase:cooling"}
    given = {"new-start.value": start, "new-stop.value": stop, **model}
    assert words in str(reply(client, "new-times.children", **given))
