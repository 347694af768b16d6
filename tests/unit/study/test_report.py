"""The page about results: what is drawn is compared with what is known of the functions, and with pandas."""

from __future__ import annotations

import json
import math
import re
import shutil
from importlib.resources import files

import numpy as np
import pandas
import pytest

import trivium.study
from trivium.control.palette import HEAT
from trivium.errors import InvalidValueError, StorageError
from trivium.study.prepare import prepare
from trivium.study.report import page, sample, sensitivity, write_report
from trivium.study.report.response import curve, cut, surface
from trivium.study.spec import load_study

pytest.importorskip("SALib", reason="the extra sweep is not installed")

#: First and total order of Ishigami's function, a = 7, b = 0.1 (Homma and Saltelli 1996).
FIRST = {"x1": 0.3139, "x2": 0.4424, "x3": 0.0}
TOTAL = {"x1": 0.5576, "x2": 0.4424, "x3": 0.2437}


@pytest.fixture
def ishigami(write_study, own_fmu):
    def write(sampling, values=f"range:{-math.pi}:{math.pi}", **parameters):
        return write_study(
            fmu=own_fmu("ishigami", "2.0"),
            simulation={"variableFilter": "y", "stop_time": 1.0, "step_size": 1.0},
            simulation_parameters={"x1": values, "x2": values, "x3": values, **parameters},
            metrics={"y end": {"variable": "y", "method": "final"}},
            sampling=sampling, output={"trajectories": False, "runs_per_part": 20},
        )  # fmt: skip

    return write


def drawn(folder):
    with trivium.study.open(folder) as results:
        return page.figures(results, "title")


@pytest.mark.slow
def test_sobol_indices_of_ishigamis_function(ishigami, run_here):
    found = drawn(run_here(ishigami({"method": "saltelli", "runs": 1024 * 5, "seed": 1})))["indices"]["y end"]
    assert found["method"] == "Sobol indices by SALib from Saltelli's design, 1024 base points, 5120 runs."
    for order, known in (("first", FIRST), ("total", TOTAL)):
        for name, (value, half) in found[order].items():
            assert abs(value - known[name]) < max(2 * half, 0.01)
            assert 0 < half < 0.12


@pytest.mark.slow
def test_base_points_of_which_a_run_is_missing_are_left_out(ishigami, run_here):
    path = ishigami({"method": "saltelli", "runs": 512 * 6, "seed": 1}, z=[0])
    found = drawn(run_here(path, range(20, 2000)))
    assert found["runs"] == {"total": 3072, "done": 1980, "failed": 0, "shown": 1980}
    assert found["constants"] == {"z": 0}
    shares = found["indices"]["y end"]
    assert "329 base points, 1974 runs" in shares["method"]  # the points 4 to 332
    assert shares["total"]["z"] == [0, 0]
    for name, known in TOTAL.items():
        assert shares["total"][name][0] == pytest.approx(known, abs=0.1)


def test_fast_has_the_indices_of_ishigamis_function(ishigami, run_here):
    shares = drawn(run_here(ishigami({"method": "fast", "runs": 257 * 3, "seed": 1})))["indices"]["y end"]
    assert shares["method"] == "Sobol indices by SALib's extended FAST, 3 curves of 257 runs, without confidence."
    for order, exact, within in (("first", FIRST, 0.03), ("total", TOTAL, 0.05)):
        for name, value in exact.items():
            assert shares[order][name] == [pytest.approx(value, abs=within), 0]


def test_morris_has_the_effects_of_ishigamis_function(ishigami, run_here):
    """Over the whole range the step, 2/3 of it, is no derivative; all points and steps of the design are few enough."""
    page = drawn(run_here(ishigami({"method": "morris", "runs": 4 * 500, "seed": 1})))
    shares = page["indices"]["y end"]
    assert "500 trajectories, 2000 runs" in shares["method"]
    levels = math.pi * np.array([-1, -1 / 3, 1 / 3, 1])
    x1, x2, x3 = np.meshgrid(levels, levels, levels, indexing="ij")
    y = np.sin(x1) + 7 * np.sin(x2) ** 2 + 0.1 * x3**4 * np.sin(x1)
    for axis, name in enumerate(("x1", "x2", "x3")):
        low, high = (np.take(y, places, axis) for places in ([0, 1], [2, 3]))
        exact = (high - low) / (2 / 3)
        mean, half = shares["first"][name]
        assert abs(mean - np.abs(exact).mean()) < max(2 * half, 1e-4)
        assert shares["total"][name][0] == pytest.approx(exact.std(), rel=0.1)


@pytest.mark.slow
def test_sobol_indices_of_groups(ishigami, run_here):
    """Of the group of x1 and x3 the indices are the rest of those of x2: no interaction leads out of it."""
    groups = {"one and three": ["x1", "x3"]}
    page = drawn(run_here(ishigami({"method": "saltelli", "runs": 512 * 4, "seed": 1, "groups": groups})))
    shares = page["indices"]["y end"]
    assert "512 base points, 2048 runs" in shares["method"]
    for order in ("first", "total"):
        assert set(shares[order]) == {"one and three", "x2"}
        for name, known in (("one and three", 1 - FIRST["x2"]), ("x2", FIRST["x2"])):
            value, half = shares[order][name]
            assert abs(value - known) < 2 * half < 0.3


def test_effects_of_groups(ishigami, run_here):
    """A group of one parameter has its effects; x2 adds to y alone, so the other group does not change them."""
    groups = {"rest": ["x1", "x3"]}
    page = drawn(run_here(ishigami({"method": "morris", "runs": 3 * 300, "seed": 1, "groups": groups})))
    shares = page["indices"]["y end"]
    assert "300 trajectories, 900 runs" in shares["method"]
    assert (set(shares["first"]), shares["total"]) == ({"rest", "x2"}, {})
    low, high = 7 * np.sin(math.pi * np.array([[-1, -1 / 3], [1 / 3, 1]])) ** 2
    mean, half = shares["first"]["x2"]
    assert abs(mean - np.abs((high - low) / (2 / 3)).mean()) < max(2 * half, 1e-4)


@pytest.mark.parametrize(
    ("sampling", "said"),
    [
        ({"method": "sobol", "runs": 8, "groups": {"g": ["x1"]}}, "groups belong to saltelli and morris"),
        ({"method": "morris", "runs": 8, "groups": {"g": ["x1"], "h": ["x1"]}}, "x1 is in two groups"),
        ({"method": "morris", "runs": 8, "groups": {"g": []}}, "sampling.groups.g"),
        ({"method": "morris", "runs": 8, "groups": {"g": ["x4"]}}, r"sampling.groups.g: there is no parameter x4"),
        ({"method": "morris", "runs": 8, "groups": {"x1": ["x2"]}}, r"sampling.groups.x1: is called as a parameter"),
        ({"method": "saltelli", "runs": 5, "groups": {"g": ["x2", "x1"]}}, "needs 4 runs a base point for 2 groups"),
        ({"method": "morris", "runs": 8, "groups": {"g": ["x2", "x1"]}}, "morris needs 3 runs for a trajectory"),
    ],
)
def test_groups_that_are_none(ishigami, unpacked, tmp_path, sampling, said):
    with pytest.raises(InvalidValueError, match=said):
        prepare(load_study(ishigami(sampling)), tmp_path, unpacked)


def test_effects_of_morris_have_the_order_of_the_mean_derivatives(ishigami, run_here):
    """Where the function is monotone, a mean effect is the mean of the derivative times the range."""
    ends = {"x1": (0.2, 1.0), "x2": (0.2, 0.8), "x3": (1.0, 2.0)}
    values = {name: f"range:{low}:{high}" for name, (low, high) in ends.items()}
    page = drawn(run_here(ishigami({"method": "morris", "runs": 4 * 500, "seed": 1}, **values)))
    sizes = {name: size for name, (size, _) in page["indices"]["y end"]["first"].items()}

    def mean(function, name):
        low, high = ends[name]
        return float(np.mean(function(low + (high - low) * (np.arange(10_000) + 0.5) / 10_000)))

    exact = {
        "x1": mean(np.cos, "x1") * (1 + 0.1 * mean(lambda x: x**4, "x3")) * 0.8,
        "x2": mean(lambda x: 7 * np.sin(2 * x), "x2") * 0.6,
        "x3": mean(lambda x: 0.4 * x**3, "x3") * mean(np.sin, "x1"),
    }
    assert sorted(sizes, key=sizes.__getitem__) == sorted(exact, key=exact.__getitem__) == ["x3", "x1", "x2"]
    for name, value in exact.items():
        assert sizes[name] == pytest.approx(value, rel=0.12)


def test_runs_that_are_missing_leave_trajectories_of_morris_and_all_of_fast_out(ishigami, run_here):
    path = ishigami({"method": "morris", "runs": 5 * 40, "seed": 1}, z=[0])
    page = drawn(run_here(path.rename(path.with_name("morris.json")), range(8, 180)))
    shares = page["indices"]["y end"]
    assert "34 trajectories, 170 runs" in shares["method"]  # the trajectories 2 to 35
    assert shares["first"]["z"] == shares["total"]["z"] == [0, 0]
    page = drawn(run_here(ishigami({"method": "fast", "runs": 3 * 65, "seed": 1}), range(180)))
    assert "needs the metric of all runs" in page["indices"]["y end"]["method"]


@pytest.mark.parametrize("method", ["latin_hypercube", pytest.param("sobol", marks=pytest.mark.slow)])
def test_indices_are_estimated_from_other_samples(ishigami, run_here, method):
    found = drawn(run_here(ishigami({"method": method, "runs": 2048, "seed": 4})))["indices"]["y end"]
    assert "polynomial chaos from 2048 runs" in found["method"]
    assert found["total"]["x3"][0] == pytest.approx(0.2437, abs=0.04)
    for name, known in FIRST.items():
        assert found["first"][name][0] == pytest.approx(known, abs=0.04)


def test_a_whole_grid_has_exact_indices(ishigami, run_here):
    values = np.linspace(-3, 3, 7)
    found = drawn(run_here(ishigami({"method": "grid"}, values.tolist())))
    x1, x2, x3 = np.meshgrid(values, values, values, indexing="ij")
    y = np.sin(x1) + 7 * np.sin(x2) ** 2 + 0.1 * x3**4 * np.sin(x1)
    # sin x1 is odd, so the parts are f1(x1) + f2(x2) + f13(x1, x3), and their variances add up
    own = np.var(np.sin(values)) * np.mean(1 + 0.1 * values**4) ** 2
    both = np.var(np.sin(values)) * np.var(0.1 * values**4)
    shares = found["indices"]["y end"]
    assert "exact" in shares["method"]
    assert shares["first"]["x1"] == [pytest.approx(own / y.var(), abs=1e-4), 0]
    assert shares["first"]["x2"] == [pytest.approx(49 * np.var(np.sin(values) ** 2) / y.var(), abs=1e-4), 0]
    assert shares["first"]["x3"] == [0, 0]
    assert shares["total"]["x1"][0] == pytest.approx((own + both) / y.var(), abs=1e-4)
    assert shares["total"]["x3"][0] == pytest.approx(both / y.var(), abs=1e-4)
    lines = found["curves"]["y end"]["x1"]
    np.testing.assert_allclose(lines["mean"], y.mean(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(lines["low"], np.quantile(y.reshape(7, 49), 0.1, axis=1), rtol=1e-5)
    np.testing.assert_allclose(lines["middle"], y[:, 3, 3], rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(found["maps"]["y end"]["x1\nx3"], y.mean(axis=1).T, rtol=1e-5, atol=1e-9)


@pytest.mark.slow
def test_a_grid_with_holes_is_estimated(ishigami, run_here):
    found = drawn(run_here(ishigami({"method": "grid"}, np.linspace(-3, 3, 13).tolist()), range(2180)))
    shares = found["indices"]["y end"]
    assert "polynomial chaos from 2180 runs" in shares["method"]
    assert shares["first"]["x3"][0] == pytest.approx(0, abs=0.05)
    assert shares["first"]["x2"][0] > 0.3


@pytest.mark.parametrize(
    ("sampling", "metric", "said"),
    [
        ("zip", [0, 1, 2, 3], "a zipped study change together"),
        ("grid", [2, 2, 2, 2], "the same in all runs"),
        ("grid", [math.nan, math.nan, math.nan, 1], "nothing varies"),
        ("grid", [math.nan, 1, 2, 3], "3 runs have a value, and 100 are needed"),
        ("saltelli", [0, 1, 2, 3], "0 base points are whole"),
        ("morris", [0, 1, 2, math.nan], "0 trajectories are complete"),
        ("fast", [0, 1, 2, math.nan], "needs the metric of all runs"),
    ],
)
def test_where_there_are_no_indices_it_is_said_why(sampling, metric, said):
    values = {"a": np.array([0.0, 0, 1, 1]), "b": np.array([0.0, 1, 0, 1])}
    axes = {name: cut(column) for name, column in values.items()}
    found = sensitivity.indices(
        values, axes, np.array(metric, float), np.arange(4), sampling, ["a", "b", "c"], 4, ["a", "b", "c"]
    )
    assert said in found.method
    assert not found.first


def test_curves_and_maps_are_those_of_pandas():
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame({"a": rng.integers(0, 5, 3000) / 4, "b": rng.random(3000), "m": rng.random(3000)})
    frame.loc[frame.index % 7 == 0, "m"] = np.nan
    axes = {name: cut(frame[name].to_numpy()) for name in ("a", "b")}
    assert (axes["a"].levels.size, axes["a"].grouped, axes["b"].levels.size, axes["b"].grouped) == (5, False, 20, True)
    groups = frame.groupby("a")["m"]
    found = curve(axes, "a", frame["m"].to_numpy())
    np.testing.assert_allclose(found.mean, groups.mean())
    np.testing.assert_allclose(found.low, groups.quantile(0.1))
    np.testing.assert_allclose(found.high, groups.quantile(0.9))
    assert found.middle is None
    frame["group"] = pandas.qcut(frame["b"], 20, labels=False)
    np.testing.assert_allclose(axes["b"].levels, frame.groupby("group")["b"].mean())
    wanted = frame.pivot_table(values="m", index="group", columns="a")
    np.testing.assert_allclose(surface(axes["a"], axes["b"], frame["m"].to_numpy()), wanted)


def test_the_page_needs_nothing_else_and_shows_names_as_they_are(write_study, run_here, tmp_path):
    name = "</script><img src=x>"
    path = write_study(metrics={name: {"variable": "x", "method": "final"}}, output={"runs_per_part": 2})
    with trivium.study.open(run_here(path, range(4))) as results:
        write_report(results, tmp_path / "page.html", "a study")
        with pytest.raises(StorageError, match="cannot be written"):
            write_report(results, tmp_path / "absent" / "page.html", "a study")
    text = (tmp_path / "page.html").read_text()
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", text.replace(name, ""))
    assert "<img src=x>" not in text
    content = json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)[1])
    assert list(content["curves"]) == [name]
    own = (files("trivium.study.report") / "page.html").read_text(encoding="utf-8")
    assert re.findall(r"colorscale: ([^,]+)", own) == ["data.heat"]
    assert content["heat"] == HEAT
    assert content["runs"] == {"total": 6, "done": 4, "failed": 0, "shown": 4}
    shown = content["trajectories"]["x"]
    assert shown["runs"] == 4
    np.testing.assert_allclose(shown["single"]["run 2"], np.exp(-np.array(shown["time"]) / 10), rtol=1e-4)


def test_a_study_without_metrics_and_without_results(write_study, run_here):
    empty = drawn(run_here(write_study("empty.json"), range(0)))
    assert empty["runs"]["done"] == 0
    assert (empty["trajectories"]["x"]["runs"], empty["trajectories"]["x"]["failed"]) == (0, {})
    found = drawn(run_here(write_study("plain.json")))
    assert found["derived"]
    assert list(found["curves"]) == ["end of x", "minimum of x", "end of y", "minimum of y"]
    np.testing.assert_allclose(
        found["curves"]["end of x"]["tau"]["mean"], np.exp(-20 / np.array([5, 10, 20])), rtol=1e-4
    )


def test_runs_that_do_not_serve_are_marked(small_resources, tmp_path, run_here):
    """A supply at its set point serves; two kelvin beside it, nothing does."""
    folder = tmp_path / "Resources"
    shutil.copytree(small_resources, folder)
    with (folder / "testcase.toml").open("a") as file:
        file.write('\n[kpi.comfort]\ntemperature = "Tchw_supply"\nset_point = 286\nband = 0.5\ncold_band = 0.5\n')
        file.write("\n[kpi.service]\nviolation = 20\n")
    content = {
        "paths": {"package_path": str(folder)},
        "simulation": {"variableFilter": "Tchw_supply", "stop_time": 3000, "step_size": 300},
        "simulation_parameters": {"Tchws_set_HEX": [284.0, 286.0, 288.0]},
        "metrics": {"good": {"variable": "serves", "method": "kpi"}, "off": {"variable": "tdis_tot", "method": "kpi"}},
    }
    path = tmp_path / "study.json"
    path.write_text(json.dumps(content))
    shown = drawn(run_here(path, range(3)))
    assert shown["unserving"] == 2
    single = shown["trajectories"]["Tchw_supply"]["single"]
    assert list(single) == ["run 0, does not serve", "run 1", "run 2, does not serve"]
    del content["metrics"]["good"]
    other = tmp_path / "other.json"
    other.write_text(json.dumps(content))
    assert drawn(run_here(other, range(3)))["unserving"] == 0  # nobody asked


def test_why_runs_failed(write_study, run_here, trap_fmu):
    from tests.trap_fmu import Trap

    path = write_study(
        fmu=trap_fmu(), simulation={"variableFilter": "y", "stop_time": 600, "step_size": 60},
        simulation_parameters={"u": [280, 290, 300], "trap": [0, int(Trap.ERROR)]},
    )  # fmt: skip
    found = drawn(run_here(path))
    ((reason, count, run),) = found["reasons"]
    assert "told to fail" in reason
    assert (count, run) == (3, 1)
    assert found["runs"] == {"total": 6, "done": 3, "failed": 3, "shown": 3}


@pytest.mark.slow
def test_of_too_many_runs_some_are_drawn(ishigami, run_here, monkeypatch):
    monkeypatch.setattr(sample, "MOST_RUNS", 1000)
    monkeypatch.setattr("trivium.study.selection._BLOCK", 8 * 300)
    found = drawn(run_here(ishigami({"method": "latin_hypercube", "runs": 2048, "seed": 4})))
    assert found["runs"]["shown"] == 1000
    for name, known in FIRST.items():
        assert found["indices"]["y end"]["first"][name][0] == pytest.approx(known, abs=0.06)
