"""The comparison of what is printed sees differences that matter."""

from __future__ import annotations

import pytest

from tests.printed import same


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("a  1.0\n", "a 1.00001"),
        ("x=5, y", "x=5.0, y"),
        ("1e-3 s", "0.001 s"),
        ("FMI 2.0", "FMI 2.0"),
        ("{...}", '{"a": 1}'),
        ("[1, ...]", "[1,2,3]"),
        ("x ...\ny 2.0", "x 1\ny 2.0"),
        ("1 5.0 ...\n2 6.0 ...", "1 5.0 7 8\n2 6.0 7 8"),
        ("id_...", "id_2f0c"),
    ],
)
def test_rounding_and_white_space_do_not_matter(shown, printed):
    assert same(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("1.0", "1.001"),
        ("a 1", "b 1"),
        ("a 1 2", "a 1"),
        ("x1 = 2", "x2 = 2"),
        ("-1", "1"),
        ("0", "0.01"),
        ("a ... c", "a b"),
        ("a ... 2.0", "a b 3.0"),
    ],
)
def test_other_differences_do(shown, printed):
    assert not same(shown, printed)
