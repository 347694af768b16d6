"""Suggestions for names that are misspelt."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

#: Least likeness of a name that is suggested, and how much less likely a second one may be; of 1.
_NEAR, _ALIKE = 0.65, 0.05
#: Most names that a list in a message shows.
_LISTED = 12


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Return the name that is nearest to a misspelt one, with a second that is about as near; perhaps none."""
    folded = name.casefold()
    by_folded = {candidate.casefold(): candidate for candidate in names}
    near = difflib.get_close_matches(folded, by_folded, n=2, cutoff=_NEAR)
    ratios = [difflib.SequenceMatcher(None, candidate, folded).ratio() for candidate in near]
    return [by_folded[candidate] for candidate, ratio in zip(near, ratios, strict=True) if ratio > ratios[0] - _ALIKE]


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return a question that names the nearest names, with a space before it; empty where none is near.

    >>> did_you_mean("stat_time", ["start_time", "end_time"])
    ' Did you mean start_time?'
    """
    near = nearest(name, names)
    return f" Did you mean {' or '.join(near)}?" if near else ""


def near_or_all(name: str, names: Iterable[str]) -> str:
    """Return the nearest names as a question, else the names that there are, with a space before it."""
    listed = list(names)
    if suggestion := did_you_mean(name, listed):
        return suggestion
    rest = f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    return f" There are: {', '.join(listed[:_LISTED])}{rest}." if listed else " There are none."
