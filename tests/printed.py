"""Compare what a program prints with what a page or a docstring shows: words exactly, numbers at 1e-4."""

from __future__ import annotations

import doctest
import math
import re

_NUMBER = r"(?<![\w.])[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?(?![\w.])"
_PIECE = re.compile(rf"\s*\.\.\.\s*|{_NUMBER}|\s+|.", re.DOTALL)


def same(shown: str, printed: str) -> bool:
    """Whether two texts differ in white space only, and in numbers by at most 1e-4 of them; "..." in the first is any text."""
    pattern, text = _PIECE.findall(shown.strip()), _PIECE.findall(printed.strip())
    i = j = 0
    retry: tuple[int, int] | None = None  # behind the last "...", and how much of the text it takes
    while j < len(text):
        if i < len(pattern) and pattern[i].strip() == "...":
            i, retry = i + 1, (i + 1, j)
        elif i < len(pattern) and _alike(pattern[i], text[j]):
            i, j = i + 1, j + 1
        elif retry is not None:
            retry = (retry[0], retry[1] + 1)
            i, j = retry
        else:
            return False
    return all(piece.strip() == "..." for piece in pattern[i:])


def _alike(shown: str, printed: str) -> bool:
    if re.fullmatch(_NUMBER, shown) and re.fullmatch(_NUMBER, printed):
        return math.isclose(float(shown), float(printed), rel_tol=1e-4, abs_tol=1e-9)
    return shown == printed or (shown.isspace() and printed.isspace())


class Checker(doctest.OutputChecker):
    """The same for doctest."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        """Compare the output of an example."""
        return same(want, got) or super().check_output(want, got, optionflags)
