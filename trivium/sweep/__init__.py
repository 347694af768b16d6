"""Sweeps: a model run many times with other parameters; docs/sweep.md tells how."""

from trivium.sweep.read import open_results as open  # noqa: A004 - trivium.sweep.open("results")

__all__ = ["open"]
