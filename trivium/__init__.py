"""Trivium serves a simulation model and runs it three ways: step it, sweep it, converge it with others."""

__version__ = "0.1.0"
#: What the product is, in one sentence: the help of the command, the package summary, README and docs repeat it.
SUMMARY = "Trivium serves a simulation model and runs it three ways: step it, sweep it, converge it with others."
