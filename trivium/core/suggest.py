"""Suggestions for names that are spelt wrongly."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: object, names: Iterable[str]) -> str:
    """Return a question to put behind a refusal, with a space before it; empty where no name is close.

    Parameters
    ----------
    name : object
        The name that does not exist.
    names : iterable of str
        Those that do.

    Examples
    --------
    >>> did_you_mean("gian", ["gain", "offset"])
    ' Did you mean gain?'
    >>> did_you_mean("pressure", ["gain", "offset"])
    ''
    """
    spelt = {candidate.lower(): candidate for candidate in names}
    close = difflib.get_close_matches(str(name).lower(), spelt, n=1)
    return f" Did you mean {spelt[close[0]]}?" if close else ""
