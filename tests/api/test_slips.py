"""Requests that people get wrong, and the sentence that each slip gets: one row each."""

from __future__ import annotations

import pytest

#: Method, path, body, status, message.
SLIPS = [
    ("GET", "/mesurements", None, 404, "Did you mean /measurements?"),
    ("POST", "/advanse", {}, 404, "Did you mean /advance?"),
    ("GET", "/kpi_point/abc", None, 404, "Did you mean /kpi_points/abc"),
    ("GET", "/nonsense", None, 404, "GET / lists the routes."),
    ("GET", "/advance", None, 405, "/advance takes POST, not GET."),
    ("POST", "/initialize", {"start_time": 0}, 405, "/initialize takes PUT, not POST."),
    ("POST", "/step", {"step": 300}, 405, "/step takes GET or PUT, not POST."),
    ("PUT", "/initialize", {"stat_time": 0},
     "Bad input for parameter stat_time. Unknown parameter. Did you mean start_time?"),
    ("PUT", "/initialize", {}, "Bad input for parameter start_time. Missing required parameter in the JSON body."),
    ("PUT", "/initialize", {"start_time": 600, "end_time": 300}, "for parameter end_time"),
    ("PUT", "/step", {"steps": 300}, "Bad input for parameter steps. Unknown parameter. Did you mean step?"),
    ("PUT", "/step", {"step": -300}, "Invalid value -300.0 for parameter step."),
    ("POST", "/advance", {"Tchws_set_HX": 287},
     "Unexpected input variable: Tchws_set_HX. Did you mean Tchws_set_HEX?"),
    ("POST", "/advance", {"CHI1": 1}, "Unexpected input variable: CHI1. Did you mean CHI01"),
    ("POST", "/advance", {"CHI01": "on"}, "Invalid value on for parameter CHI01. Value must be a float, integer, or string"),
    ("POST", "/advance", {"CHI01": float("nan")}, "Invalid value nan for parameter CHI01. Value must be finite."),
    ("POST", "/advance", {"CHI01": 2, "clamp": False}, "Value must be within [0.0, 1.0], but is above the maximum 1.0."),
    ("PUT", "/results", {"point_names": ["Tchw_suply"], "start_time": 0, "final_time": 300},
     "Invalid point name Tchw_suply in parameter point_names. Check lists of available inputs and measurements. "
     "Did you mean Tchw_supply?"),
    ("PUT", "/results", {"point_name": [], "start_time": 0, "final_time": 300}, "Did you mean point_names?"),
    ("PUT", "/results", {"point_names": ["Tchw_supply"], "start_time": 300, "final_time": 0},
     "Invalid value 0.0 for parameter final_time. Value must not be less than start_time."),
    ("POST", "/steps", {"trajectry": []}, "Unknown parameter. Did you mean trajectory?"),
    ("POST", "/api/run/stp", {}, 404, "There is no kind of job stp. Did you mean step?"),
    ("POST", "/api/run/step", {"end_tme": 300}, "Bad input for parameter end_tme. Unknown parameter. Did you mean end_time?"),
    ("GET", "/api/run/status/abc", None, 404, "There is no job abc"),
    ("GET", "/api/run?knd=step", None, "Bad input for parameter knd. Unknown parameter. Did you mean kind?"),
    ("GET", "/api/run?status=runing", None, "Invalid value runing for parameter status."),
]  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: f"{slip[0]} {slip[1]} {slip[2]}")
def test_a_wrong_request(server, slip):
    method, path, body, *status, sentence = slip
    code, reply, _ = server.request(method, path, body)
    assert sentence in reply["message"]
    assert code == reply["status"] == (status[0] if status else 400)


def test_wrong_json_is_located(server):
    code, reply, _ = server.request("POST", "/advance", raw=b'{"CHI01": 1,}')
    assert (code, reply["message"]) == (
        400, "The body is not valid JSON: trailing comma is not allowed: line 1 column 12 (char 11)."
    )  # fmt: skip
