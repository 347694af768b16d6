"""Suggestions for misspelt names."""

import pytest

from trivium.suggestions import did_you_mean, near_or_all


@pytest.mark.parametrize(
    ("name", "names", "expected"),
    [
        ("stat_time", ["start_time", "end_time"], " Did you mean start_time?"),
        ("TCHWS_set_hex", ["Tchws_set_HEX", "Tchws_set_CHI"], " Did you mean Tchws_set_HEX?"),
        ("CHI1", ["CHI01", "CHI11", "HEX01"], " Did you mean CHI11 or CHI01?"),
        ("tua", ["tau", "u", "x"], " Did you mean tau?"),
        ("zebra", ["start_time"], ""),
        ("x", [], ""),
    ],
)
def test_near_names_are_suggested(name, names, expected) -> None:
    assert did_you_mean(name, names) == expected


def test_all_names_are_listed_where_none_is_near() -> None:
    assert near_or_all("pid", ["rules", "hold"]) == " There are: rules, hold."
    assert near_or_all("rule", ["rules", "hold"]) == " Did you mean rules?"
    assert near_or_all("zebra", [f"v{i}" for i in range(15)]).endswith("v11 and 3 more.")
    assert near_or_all("x", []) == " There are none."
