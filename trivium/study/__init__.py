"""Sweeps: a model run many times with other parameters; see docs/sweep.md. Needs the extra ``sweep``."""

from trivium.extras import is_installed, missing

for _module in ("distributed", "h5py", "llvmlite", "numba"):  # imported where they are needed: they are slow to import
    if not is_installed(_module):
        raise missing(_module, "sweep")

from trivium.study.read import open_results as open  # noqa: A004, E402 - trivium.study.open("results")

__all__ = ["open"]
