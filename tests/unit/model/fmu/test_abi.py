"""The rule of which PyFMI goes with which Assimulo, on the pairs whose fate is known."""

from __future__ import annotations

import pytest

from trivium.model.fmu.abi import explain_import_error, pyfmi_problem


def problem(pyfmi, assimulo, numpy="2.2.6"):
    return pyfmi_problem({"pyfmi": pyfmi, "assimulo": assimulo, "numpy": numpy}.get)


@pytest.mark.parametrize(
    ("pyfmi", "assimulo", "numpy"),
    [
        ("2.21.0", "3.8.0", "2.2.6"),
        ("2.13.0", "3.5.1", "1.26.4"),
        ("2.11.0", "3.4.3", "1.26.4"),
        ("2.12.0", "3.2", None),
        ("2.21.0", "3.9.0b2", "2.3.5"),  # PyPI's Assimulo
        ("3.0.dev0", "3.9.0b2", "2.3.5"),
        ("3.0.0", "3.9.0", "2.3.5"),
        ("unknown", "3.8.0", "2.2.6"),  # no metadata: the import decides
        ("2.11.0", "unknown", "2.2.6"),
    ],
)
def test_pairs_that_work(pyfmi, assimulo, numpy):
    assert problem(pyfmi, assimulo, numpy) is None


@pytest.mark.parametrize(
    ("pyfmi", "assimulo", "said"),
    [
        ("2.11.0", "3.5.1", ["PyFMI 2.11.0", "Assimulo 3.5.1", "32 bytes"]),
        ("2.12.0", "3.8.0", ["PyFMI 2.12.0", "Assimulo 3.8.0"]),
        ("2.21.0", "3.4.3", ["PyFMI 2.21.0", "Assimulo 3.4.3", "24 bytes"]),
        ("2.11.0", "3.4.3", ["compiled against NumPy 1"]),
        ("2.5", "3.9.0b2", ["PyFMI 2.5", "Assimulo 3.9.0b2", "32 bytes"]),  # each the only one of PyPI
        (None, "3.8.0", ["PyFMI is not installed"]),
        ("2.21.0", None, ["Assimulo is not installed", "[assimulo]"]),
        (None, None, ["PyFMI is not installed"]),
    ],
)
def test_pairs_that_do_not_are_named_with_the_pins_that_mend_them(pyfmi, assimulo, said):
    text = problem(pyfmi, assimulo)
    for part in (*said, "pyfmi=2.21.0 assimulo=3.8.0"):
        assert part in text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("assimulo.problem.cProblem size changed. Expected 32 from C header, got 24"), "different versions"),
        (KeyError("__reduce_cython__"), "different versions"),
        (ValueError("numpy.dtype size changed, may indicate binary incompatibility"), "another NumPy"),
        (ImportError("libfmilib_shared.so: cannot open shared object file"), "libfmilib_shared.so"),
    ],
)
def test_import_errors_are_explained(error, said):
    assert said in explain_import_error(error)
