import pytest

import trivium.experiment.filter
from trivium.errors import InvalidValueError
from trivium.experiment.filter import alternatives, matching

NAMES = ["sds.I[1]", "sds.I[2]", "sds.I1", "sdsXI1", "x", "xy", "der(x)", "a|b"]


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("time|sds.I[1]", ["sds.I[1]"]),
        ("sds.I[1]|x", ["sds.I[1]", "x"]),
        ("sds.I[12]", ["sds.I1", "sdsXI1"]),  # no name, so a regular expression
        (r"sds\.I\[.\]", ["sds.I[1]", "sds.I[2]"]),
        ("(x|xy)", ["x", "xy"]),
        ("x.?", ["x", "xy"]),
        ("der(x)", ["der(x)"]),
        (r"a\|b", ["a|b"]),
        ("[a|b]", []),
        (".*", NAMES),
        ("time", []),
    ],
)
def test_a_name_is_itself_before_it_is_an_expression(expression, names):
    assert matching(expression, NAMES) == names


def test_brackets_that_do_not_match_leave_one_alternative():
    assert alternatives("(a|b") == ["(a|b"]
    with pytest.raises(InvalidValueError, match="no regular expression"):
        matching("(", NAMES)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("(" * 5000, "brackets too deep"),
        ("a{99999999999999999999}", "no regular expression"),
        ("x" * 100_000, "100000 characters; the most is"),
        ("x|" * 9_000 + "(" * 1_500 + ")" * 1_500, "brackets too deep"),
        (r"(a|b|ab)*(?!c)c", "takes more than 0.1 s for 1 names"),
    ],
    ids=["deep", "count", "long", "wide", "slow"],
)
def test_a_filter_that_would_take_for_ever_is_refused(expression, reason, monkeypatch):
    monkeypatch.setattr(trivium.experiment.filter, "_PATIENCE", 0.1)
    with pytest.raises(InvalidValueError, match=reason):
        matching(expression, ["ab" * 60 + "c"])
