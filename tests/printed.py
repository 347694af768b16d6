"""Compare what a program prints with what a page or a docstring shows: words exactly, numbers at 1e-4."""

from __future__ import annotations

import doctest
import math
import re

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?(?![\w.])")


def same(shown: str, printed: str) -> bool:
    """Whether two texts differ in white space only, and in numbers by at most 1e-4 of them."""
    texts = [" ".join(_NUMBER.sub("#", text).split()) for text in (shown, printed)]
    numbers = [[float(number) for number in _NUMBER.findall(text)] for text in (shown, printed)]
    return (
        texts[0] == texts[1]
        and len(numbers[0]) == len(numbers[1])
        and all(math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-9) for a, b in zip(*numbers, strict=True))
    )


class Checker(doctest.OutputChecker):
    """The same for doctest."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        """Compare the output of an example."""
        return same(want, got) or super().check_output(want, got, optionflags)
