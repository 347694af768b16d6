"""A page about the results of a sweep, for people; docs/sweep.md describes it."""

from trivium.study.report.page import write_report

__all__ = ["write_report"]
