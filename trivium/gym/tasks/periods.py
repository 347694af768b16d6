"""The days of the year that agents learn on, are chosen by and are judged by; they never change within a version.

Weeks of four take turns: two to train, one to validate, one to test, so that every season is in each. An episode lasts
a day and begins at midnight.
"""

from __future__ import annotations

from trivium.errors import InvalidValueError
from trivium.suggestions import near_or_all

DAY = 86400.0
#: Whole weeks of the year.
_WEEKS = 52
#: Which weeks of four belong to each split.
SPLITS = {"train": (0, 1), "validation": (2,), "test": (3,)}
#: Between two episodes of a test in the order of the seeds [days of the split]: coprime to their number, so that the
#: first ten seeds already lie in all seasons.
_STRIDE = 37


def days(split: str) -> list[int]:
    """Return the days of the year, from 0 on, on which episodes of a split begin; the last of a week is left out.

    Raises
    ------
    InvalidValueError
        When there is no such split.
    """
    if split not in SPLITS:
        raise InvalidValueError(f"there is no split {split!r}.{near_or_all(split, SPLITS)}", "split")
    weeks = [week for week in range(_WEEKS) if week % 4 in SPLITS[split]]
    return [7 * week + day for week in weeks for day in range(6)]


def day_of_seed(split: str, seed: int) -> int:
    """Return the day of the episode of a seed: ten seeds in a row are spread over the year."""
    every = days(split)
    return every[seed * _STRIDE % len(every)]
