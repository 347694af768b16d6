"""Compare what a program prints with what a page or a docstring shows: words exactly, numbers at 1e-4."""

from __future__ import annotations

import doctest
import math
import re

_NUMBER = r"(?<![\w.])[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?(?![\w.])"
_PIECE = re.compile(rf"(\s*\.\.\.\s*|{_NUMBER}|\s+)")


def same(shown: str, printed: str) -> bool:
    """Whether two texts differ in white space only, and in numbers by at most 1e-4 of them; "..." in the first is any text."""
    pieces = [piece for piece in _PIECE.split(shown.strip()) if piece]
    match = re.fullmatch("".join(map(_pattern, pieces)), printed.strip(), re.DOTALL)
    if match is None:
        return False
    numbers = [float(piece) for piece in pieces if re.fullmatch(_NUMBER, piece)]
    return all(
        math.isclose(a, float(b), rel_tol=1e-4, abs_tol=1e-9) for a, b in zip(numbers, match.groups(), strict=True)
    )


def _pattern(piece: str) -> str:
    if piece.strip() == "...":
        return ".*?"
    if re.fullmatch(_NUMBER, piece):
        return f"({_NUMBER})"
    return r"\s+" if piece.isspace() else re.escape(piece)


class Checker(doctest.OutputChecker):
    """The same for doctest."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        """Compare the output of an example."""
        return same(want, got) or super().check_output(want, got, optionflags)
