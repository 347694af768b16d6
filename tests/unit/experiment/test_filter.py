import re

import pytest

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
    with pytest.raises(re.error):
        matching("(", NAMES)
