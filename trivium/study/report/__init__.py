"""A page about the results of a sweep, for people who would rather look; docs/sweep.md tells what is on it."""

from trivium.study.report.page import write_report

__all__ = ["write_report"]
