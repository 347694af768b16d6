"""What is kept of runs that failed: their trajectories until then, and what the FMU said."""

from __future__ import annotations

import json

import numpy as np
import pandas
import pytest

import trivium.study
from tests.trap_fmu import Trap, expected
from trivium.cli import main
from trivium.study.report.page import figures

TIMES = np.arange(0.0, 601.0, 60.0)


@pytest.fixture
def study(write_study, trap_fmu, tmp_path):
    """Three runs towards 280, 290 and 300; a trap is sprung at 300 s, in those whose `calls` begin below 5."""

    def make(trap=Trap.ERROR, output=None, filter="y|calls", **variant):  # noqa: A002 - the study's
        (tmp_path / "in.csv").write_text(f"time,trap\n0,0\n300,{int(trap)}\n900,{int(trap)}\n")
        return write_study(
            fmu=trap_fmu(**variant),
            simulation={"variableFilter": filter, "stop_time": 600, "step_size": 60, "inputs": "in.csv"},
            simulation_parameters={"u": [280, 290, 300]}, output=output or {"runs_per_part": 2},
        )  # fmt: skip

    return make


@pytest.mark.parametrize("trap", [Trap.ERROR, Trap.DISCARD, Trap.NOT_A_NUMBER, Trap.END])
@pytest.mark.parametrize("output", [{"runs_per_part": 2}, {"absolute_error": 0.001}], ids=["float", "quanta"])
@pytest.mark.parametrize("variant", [{}, {"static_memory": True}], ids=["native", "isolated"])
def test_until_it_failed(study, run_here, trap, output, variant):
    with trivium.study.open(run_here(study(trap, output, **variant))) as results:
        assert results.status.tolist() == [2, 2, 2]
        words = {Trap.ERROR: "told to fail", Trap.DISCARD: "discards the step", Trap.END: "end"}.get(trap, "number")
        assert all(words in reason for reason in results.failures.values())
        failed = results.failed(u=(280, 290))
        assert failed.runs.tolist() == [0, 1]
        rows = failed.trajectories("y")
        for row, u in zip(rows, (280, 290), strict=True):
            np.testing.assert_allclose(row[:6], [expected(t, u) for t in TIMES[:6]], atol=0.01)
            assert np.isnan(row[6:]).all()
        frame = results.failed().frame()
        assert frame["u"].tolist() == [280, 290, 300]
        assert frame["reason"].tolist() == list(results.failures.values())
        assert len(results.select()) == 0
        assert "reason" not in results.select().frame()
        drawn = figures(results, "title")["trajectories"]["y"]
        assert list(drawn["failed"]) == [f"run {run}, failed" for run in range(3)]


def test_columns_in_another_order_than_the_loop_writes_them(study, run_here):
    with trivium.study.open(run_here(study(filter="calls|y"))) as results:
        assert np.isfinite(results.failed().trajectories("calls")).sum(axis=1).tolist() == [6, 6, 6]


def test_they_are_exported(study, run_here, tmp_path, monkeypatch):
    folder = run_here(study())
    monkeypatch.setenv("TRIVIUM_STATE_DIR", str(tmp_path / "state"))
    out = tmp_path / "failed.parquet"
    assert main(["sweep", "export", str(folder), str(out), "--failed", "--trajectories", "--select", "u=280"]) == 0
    table = pandas.read_parquet(out)
    assert table["time"].tolist() == TIMES.tolist()
    assert np.isfinite(table["y"]).sum() == 6
    assert main(["sweep", "report", str(folder)]) == 0
    page = (folder / "report.html").read_text()
    assert "run 0, failed" in page


def test_a_process_that_died_leaves_none(study, run_here, write_study, own_fmu):
    path = write_study(simulation={"start_values": {"x": 1e39}}, output={"absolute_error": 1e-3})  # beyond the quanta
    with trivium.study.open(run_here(path)) as results:
        assert "absolute_error is too small" in results.failures[0]
        assert np.isnan(results.failed().trajectories("x")).all()
        json.dumps(figures(results, "title")["reasons"])
