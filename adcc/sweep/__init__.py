"""Sweeps: a model run many times with other parameters; docs/sweep.md tells how."""

from adcc.sweep.read import open_results as open  # noqa: A004 - adcc.sweep.open("results")

__all__ = ["open"]
