"""Callbacks for events of sessions; the web tier counts and logs them."""

from __future__ import annotations

from typing import Any


class Observer:
    """Is notified of events of sessions, in the thread of the request; must be quick and never raise."""

    def called(self, method: str, seconds: float, outcome: Any) -> None:
        """Take note of a request to a session that was answered or failed.

        Parameters
        ----------
        method : str
            Of the test case.
        seconds : float
            Until the answer.
        outcome : Any
            The value that was returned, or the `TriviumError`.
        """

    def host_died(self, testid: str, why: str) -> None:
        """Take note that the process of a session died of a request."""

    def brought_back(self, testid: str, how: str, seconds: float) -> None:
        """Take note that a new process recovered a session.

        Parameters
        ----------
        testid : str
        how : str
            ``exact``, ``inexact`` or ``replayed``.
        seconds : float
            That it took.
        """
