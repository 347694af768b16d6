"""Do the installed PyFMI and Assimulo fit together? Decided from their versions, before anything compiled is imported.

The versions are those of the modules that would be imported: PyPI's ``assimulo-testing`` is Assimulo.

Assimulo 3.5.0 took the cpdef methods out of its ``cProblem``, whose C struct so shrank from 32 to 24 bytes. A PyFMI
that was compiled against one cannot import the other (``cProblem size changed, may indicate binary incompatibility``,
and at the second attempt ``KeyError: '__reduce_cython__'``). conda-forge's recipes ask for ``assimulo >=3.0`` only, so
its solver may pick a pair that is broken.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from trivium.extras import command, version_of

#: The pair that environment.yml pins.
PINS = "python=3.11 pyfmi=2.21.0 assimulo=3.8.0 numpy>=2,<3"
#: The last pair with the old struct.
OLD_PINS = "python=3.10 pyfmi=2.11.0 assimulo=3.4.3 numpy<2"
#: How the refusal of an engine begins whose packages are there and cannot be imported.
BROKEN = "the engine pyfmi cannot be imported"
Version = tuple[int, ...]


def pyfmi_problem(version_of: Callable[[str], str | None] = version_of) -> str | None:
    """Say why PyFMI cannot be used; None when nothing speaks against it.

    Parameters
    ----------
    version_of : callable
        Name of a module -> version or None.

    Returns
    -------
    str or None
        The pair that does not fit, and the pins that mend it.
    """
    pyfmi, assimulo, numpy = map(version_of, ("pyfmi", "assimulo", "numpy"))
    if pyfmi is None:
        return (
            f"PyFMI is not installed; conda-forge has it ({PINS}), PyPI only version 2.5 of 2018; "
            "docs/engines.md says how to build a newer one"
        )
    if assimulo is None:
        return f"Assimulo is not installed; conda-forge has it ({PINS}), or install it with: {command('assimulo')}"
    if not (_numbers(pyfmi) and _numbers(assimulo)):  # their import decides
        return None
    mend = f"pin {PINS}"
    new_struct = _numbers(assimulo) >= (3, 5)
    if _numbers(pyfmi) < (2, 13) and new_struct:
        return (
            f"PyFMI {pyfmi} was compiled against Assimulo 3.2 to 3.4.3, whose cProblem has 32 bytes; "
            f"Assimulo {assimulo} is installed, whose cProblem has 24: {mend} (or the old pair: {OLD_PINS})"
        )
    if _numbers(pyfmi) >= (2, 13) and not new_struct:
        return (
            f"PyFMI {pyfmi} was compiled against Assimulo 3.5.0 or newer, whose cProblem has 24 bytes; "
            f"Assimulo {assimulo} is installed, whose cProblem has 32: {mend}"
        )
    if _numbers(pyfmi) < (2, 13) and numpy is not None and _numbers(numpy) >= (2,):
        return f"PyFMI {pyfmi} was compiled against NumPy 1; NumPy {numpy} is installed: {mend} (or {OLD_PINS})"
    return None


def explain_import_error(error: BaseException) -> str:
    """Say what an import error of PyFMI means, for a pair whose versions look right but whose builds differ."""
    text = str(error)
    if "cProblem" in text or "__reduce_cython__" in text:
        return f"PyFMI and Assimulo were compiled against different versions of each other ({text}): pin {PINS}"
    if "numpy.dtype" in text or "numpy.ndarray" in text:
        return f"PyFMI or Assimulo was compiled against another NumPy ({text}): pin {PINS}"
    return f"{type(error).__name__}: {text}"


def _numbers(version: str) -> Version:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
