import csv

import numpy as np
import pandas
import pytest
from scipy.io import loadmat

import trivium.study
from trivium.errors import InvalidValueError, ResourcesError, SettingsError, StorageError
from trivium.study import hdf5
from trivium.study.chunk import run_chunk
from trivium.study.export import names_of
from trivium.study.opening import open_store
from trivium.study.parts import Parts
from trivium.study.prepare import prepare
from trivium.study.spec import load_study


@pytest.fixture(params=["float64", "quanta"])
def results(request, write_study, unpacked, tmp_path):
    """Six runs; the values of gain are 2 and 3."""
    output = {"dtype": "float64"} if request.param == "float64" else {"absolute_error": 1e-6}
    path = write_study(output={**output, "runs_per_part": 4}, metrics={"x end": {"variable": "x", "method": "final"}})
    study = load_study(path)
    plan, job = prepare(study, tmp_path, unpacked)
    store = open_store(tmp_path / "out", plan, job, study)
    parts = Parts(store, plan, job)
    for runs in (np.arange(4), np.arange(4, 6)):
        parts.add(run_chunk(job, runs, plan.rows(int(runs[0]), int(runs[-1]) + 1)))
    hdf5.link(store, job)
    store.close()
    with trivium.study.open(tmp_path / "out" / "results.h5") as opened:
        yield opened


def solution(results, run):
    tau = results.column("tau")[run]
    return np.exp(-results.time / tau)


def test_lazy_and_direct_reading_agree_with_the_solution(results):
    chosen = results.select(gain=3)
    assert chosen.runs.tolist() == [1, 3, 5]
    wanted = [solution(results, run) for run in (1, 3, 5)]
    np.testing.assert_allclose(chosen.trajectories("x"), wanted, atol=2e-6)
    np.testing.assert_allclose(chosen.dataset()["x"].values, wanted, atol=2e-6)
    np.testing.assert_allclose(chosen.dataset()["y"].isel(run=1).values, 3 * wanted[1], atol=2e-6)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_tables(results, tmp_path, ending):
    def read(path):
        return pandas.read_csv(path) if ending == "csv" else pandas.read_parquet(path)

    chosen = results.select(tau=(10, 20))
    chosen.export(tmp_path / f"runs.{ending}")
    runs = read(tmp_path / f"runs.{ending}")
    assert runs.columns.tolist() == ["run", "tau", "gain", "x end"]
    assert runs["run"].tolist() == [2, 3, 4, 5]
    np.testing.assert_allclose(runs["x end"], np.exp(-20 / runs["tau"]), rtol=1e-9)
    chosen.export(tmp_path / f"points.{ending}", trajectories=True)
    points = read(tmp_path / f"points.{ending}")
    assert points.columns.tolist() == ["run", "tau", "gain", "time", "x", "y"]
    assert len(points) == 4 * 41
    np.testing.assert_allclose(points["x"], np.exp(-points["time"] / points["tau"]), atol=2e-6)
    np.testing.assert_allclose(points["y"], points["gain"] * points["x"], atol=5e-6)


def test_matlab(results, tmp_path):
    results.select(tau=5).export(tmp_path / "chosen.mat")
    found = loadmat(tmp_path / "chosen.mat")
    assert found["run"].ravel().tolist() == [0, 1]
    assert found["gain"].ravel().tolist() == [2, 3]
    assert found["x"].shape == (2, 41)
    np.testing.assert_allclose(found["x"][0], solution(results, 0), atol=2e-6)
    assert found["x_end"].ravel() == pytest.approx([np.exp(-4)] * 2)


def test_nothing_chosen(results, tmp_path):
    chosen = results.select(tau=7)
    assert len(chosen) == 0
    assert chosen.trajectories("x").shape == (0, 41)
    assert chosen.dataset()["x"].shape == (0, 41)
    chosen.export(tmp_path / "none.csv", trajectories=True)
    with (tmp_path / "none.csv").open() as file:
        assert list(csv.reader(file)) == [["run", "tau", "gain", "time", "x", "y"]]


def test_what_is_not_there_is_named(results, tmp_path):
    with pytest.raises(InvalidValueError, match="no parameter or metric tow. There are: tau, gain, x end"):
        results.select(tow=1)
    with pytest.raises(InvalidValueError, match="no trajectories of tau. There are: x, y"):
        results.select().trajectories("tau")
    with pytest.raises(SettingsError, match="must end in"):
        results.select().export(tmp_path / "a.xls")
    with pytest.raises(StorageError, match="cannot be written"):
        results.select().export(tmp_path / "absent" / "a.mat")
    with pytest.raises(ResourcesError, match="no results of a sweep"):
        trivium.study.open(tmp_path)


def test_names_that_matlab_takes():
    assert names_of(["a.b", "a_b", "der(x)", "1x", "y" * 80]) == ["a_b", "a_b_2", "der_x_", "v_1x", "y" * 60]
