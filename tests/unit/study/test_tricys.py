"""Studies in TRICYS' form, of the linear FMU."""

from __future__ import annotations

import json

import numpy as np
import pytest

import trivium.study
from trivium.errors import ComponentError, InvalidValueError
from trivium.study.cases import functions, post_process, trajectory_table, units, write_cases
from trivium.study.read import open_results
from trivium.study.report.page import figures
from trivium.study.spec import load_study
from trivium.study.study import run_study
from trivium.study.tricys import translate
from trivium.study.where import Where

METRICS = {
    "Lowest": {"source_column": "x", "method": "calculate_startup_inventory"},
    "Turn": {"source_column": "x", "method": "time_of_turning_point"},
    "Last": {"source_column": "x", "method": "final_value"},
    "Needed": {
        "source_column": "x",
        "method": "bisection_search",
        "parameter_to_optimize": "u",
        "search_range": [0, 20],
        "tolerance": 0.01,
        "max_iterations": 10,
        "metric_name": "Doubling_Time",
        "metric_max_value": [10, 15],
    },
}
GRID = {
    "name": "Grid",
    "independent_variable": "tau",
    "independent_variable_sampling": [5, 10],
    "simulation_parameters": {"gain": [2, 3]},
    "dependent_variables": ["Lowest", "Turn", "Last", "Needed"],
    "plot_type": "line",
    "combine_plots": True,
    "sweep_time": ["x"],
}


def sample(method, count, name="Sample"):
    return {
        "name": name,
        "independent_variable": ["tau", "gain"],
        "independent_variable_sampling": {
            "tau": {"bounds": [5, 10], "distribution": "unif"},
            "gain": {"bounds": [2, 3, 0.5], "distribution": "triang"},
        },
        "dependent_variables": ["Lowest"],
        "analyzer": {"method": method, "sample_N": count},
    }


def analysis(*cases, **changes):
    return {
        "sensitivity_analysis": {"enabled": True, "analysis_cases": cases, "metrics_definition": METRICS, **changes}
    }


def test_a_study_in_our_form_is_left_alone(write_study):
    assert translate(write_study()) is None


def test_each_case_is_a_study(write_study, run_here, tmp_path):
    content = analysis(GRID, sample("latin", 5), unit_map={"Last": {"unit": "kg", "conversion_factor": 4}})
    translated = translate(write_study(simulation_parameters={}, **content))
    grid, _, _, drawn = write_cases(translated, tmp_path / "out").values()
    with open_results(run_here(grid / "study.json")) as results:
        assert results.failures == {}
        assert results.metrics == ("Lowest", "Turn", "Last")
        assert len(results) == 4
        shown = figures(results, "", units(grid))["curves"]
        plain = figures(results, "")["curves"]
        expected = [value / 4 for value in plain["Last"]["tau"]["mean"]]
        assert list(shown["Last [kg]"]["tau"]["mean"]) == pytest.approx(expected, rel=1e-4)
    study = load_study(drawn / "study.json")
    assert (study.sampling.method, study.sampling.runs) == ("latin_hypercube", 5)
    assert study.simulation_parameters == {"tau": "range:5.0:10.0", "gain": "triang:2.0:3.0:0.5"}


def test_a_bisection_search_is_a_study_for_each_greatest_value(write_study, tmp_path, unpacked):
    content = analysis({**GRID, "simulation_parameters": {"gain": 2, "u": [1, 2]}})
    translated = translate(write_study(simulation_parameters={}, simulation={"start_values": {"u": 1}}, **content))
    assert list(translated.studies) == ["Grid", "Grid Needed 10", "Grid Needed 15"]
    for latest, folder in zip((10, 15), list(write_cases(translated, tmp_path / "out").values())[1:], strict=True):
        run_study(folder / "study.json", folder, Where(unpacked, None, 0), None, lambda _: None, lambda _: None)
        with open_results(folder) as results:
            found = results.frame()
        left = np.exp(-latest / found["tau"])
        assert found["tau"].tolist() == [5, 10]
        assert found["u"].tolist() == pytest.approx(((2 - left) / (1 - left)).tolist(), abs=0.02)
        post_process([(print, {})], folder)  # there are no trajectories, and it is not called


def test_a_search_goes_by_the_turning_point_within_the_run_where_nothing_else_is_named(write_study):
    search = {**METRICS["Needed"], "metric_name": "Self_Sufficiency_Time", "metric_max_value": None}
    content = analysis(GRID, metrics_definition={**METRICS, "Needed": search})
    study = translate(write_study(simulation_parameters={}, **content)).studies["Grid Needed"]
    assert study["metrics"] == {"Self_Sufficiency_Time": {"variable": "x", "method": "turning_point"}}
    assert study["find"]["so_that"] == "Self_Sufficiency_Time <= 14.0"  # later ones are lower bounds


def test_what_is_varied_is_not_where_it_is_sought(write_study):
    case = {**sample("latin", 5), "independent_variable": ["u", "tau"], "dependent_variables": ["Needed"]}
    case["independent_variable_sampling"] |= {"u": {"bounds": [0, 1]}}
    searched = translate(write_study(simulation_parameters={}, **analysis(case))).studies["Sample Needed 10"]
    assert list(searched["simulation_parameters"]) == ["tau"]
    alone = {**GRID, "independent_variable": "u", "simulation_parameters": {}}
    searched = translate(write_study(simulation_parameters={}, **analysis(alone))).studies["Grid Needed 10"]
    assert searched["simulation_parameters"] == {}


@pytest.mark.parametrize(
    ("method", "sampling", "runs"),
    [
        ("sobol", "saltelli", 8 * 4),
        ("latin", "latin_hypercube", 8),
        ("morris", "morris", 8 * 3),
        ("fast", "fast", 8 * 2),
    ],
)
def test_analyzers(write_study, method, sampling, runs):
    translated = translate(write_study(simulation_parameters={"u": 2}, **analysis(sample(method, 8))))
    document = translated.studies["Sample"]
    assert (document["sampling"]["method"], document["sampling"]["runs"]) == (sampling, runs)


def test_cases_that_are_not_enabled_leave_the_study(write_study):
    translated = translate(write_study(**analysis(GRID, enabled=False)))
    assert list(translated.studies) == [""]
    assert translated.studies[""]["simulation_parameters"] == {"tau": [5, 10, 20], "gain": [2, 3]}


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"co_simulation": {"mode": "replacement"}}, "co_simulation: modules by Aspen"),
        (
            analysis({**GRID, "ai": True}),
            "sensitivity_analysis.analysis_cases.*ai: reports by a language model are out",
        ),
        (analysis(GRID, GRID), "sensitivity_analysis.analysis_cases: .* a name of its own"),
        (
            analysis({**GRID, "dependent_variables": ["Other"]}),
            "dependent_variables: Other is not in metrics_definition",
        ),
        (
            analysis(GRID, metrics_definition={**METRICS, "Needed": {**METRICS["Needed"], "metric_name": "Other"}}),
            "metrics_definition.Needed.metric_name: there is no metric Other",
        ),
        (
            analysis(GRID, metrics_definition={**METRICS, "Needed": {**METRICS["Needed"], "search_range": None}}),
            "bisection_search needs parameter_to_optimize and search_range",
        ),
        (
            analysis(
                GRID,
                metrics_definition={
                    **METRICS,
                    "Needed": {
                        "source_column": "x",
                        "method": "bisection_search",
                        "parameter_to_optimize": "u",
                        "search_range": [0, 1],
                        "metric_name": "Startup_Inventory",
                    },
                },
            ),
            "metric_max_value: Startup_Inventory is no time",
        ),
        (analysis({**GRID, "colour": 1}), "colour: there is no such field"),
        (analysis({**GRID, "analyzer": {"method": "latin", "sample_N": 4}}), "analyzer belongs to several"),
        (
            analysis({**sample("latin", 4), "independent_variable": ["u"]}),
            "independent_variable_sampling: u is missing",
        ),
        (analysis(sample("guess", 4)), "analyzer.method"),
        (analysis(GRID, unit_map={"Lowest": {"unit": "kg", "conversion_factor": 0}}), "conversion_factor"),
        (
            analysis({**sample("latin", 4), "independent_variable_sampling": {"tau": {"bounds": [1]}, "gain": {}}}),
            "independent_variable_sampling.tau: bounds must be 2 numbers",
        ),
        (
            analysis({**sample("morris", 4), "simulation_parameters": {"u": [1, 2]}}),
            "simulation_parameters.u: must be one",
        ),
    ],
)
def test_what_is_refused_names_the_field(write_study, content, field):
    with pytest.raises(InvalidValueError, match=f"(?s){field}"):
        translate(write_study(simulation_parameters={}, **content))


AFTER = """
import json
from pathlib import Path

def write(results_df, output_dir, name, **_):
    Path(output_dir, name).write_text(json.dumps([list(results_df.columns), len(results_df)]))

def fail(results_df, output_dir):
    raise KeyError("x")
"""


def processing(function, module="after_the_sweep", **params):
    return {"post_processing": [{"module": module, "function": function, "params": params}]}


def test_functions_get_all_trajectories(write_study, run_here, tmp_path):
    (tmp_path / "after_the_sweep.py").write_text(AFTER)
    path = write_study(simulation={"variableFilter": "x"}, **processing("write", name="columns.json"))
    translated = translate(path)
    (folder,) = write_cases(translated, tmp_path / "out").values()
    results = run_here(folder / "study.json")
    post_process(functions(translated.processing, tmp_path), results)
    columns, rows = json.loads((results / "post_processing" / "columns.json").read_text())
    assert columns[:2] == ["time", "x&tau=5.0&gain=2.0"]
    assert (len(columns), rows) == (1 + 6, 41)
    with open_results(results) as opened:
        table = trajectory_table(opened)
        assert (
            table["x&tau=20.0&gain=3.0"].tolist()
            == opened.trajectories(opened.select(tau=20, gain=3).runs, "x")[0].tolist()
        )
    path = write_study(simulation_parameters={}, metrics={}, simulation={"variableFilter": "x"})
    with open_results(run_here(path.rename(tmp_path / "one.json"))) as opened:
        assert trajectory_table(opened).columns.tolist() == ["time", "x"]
    failing = translate(write_study(**processing("fail")))
    with pytest.raises(ComponentError, match=r"after_the_sweep.fail failed: KeyError"):
        post_process(functions(failing.processing, tmp_path), results)


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (processing("none"), "post_processing.0.function: after_the_sweep has no function none"),
        (processing("write", module="not.there"), "post_processing.0.module: not.there cannot be imported"),
        (processing("write", ai=True), "post_processing.0.params.ai: reports by a language model are out of scope"),
    ],
)
def test_functions_that_are_refused(write_study, tmp_path, content, field):
    (tmp_path / "after_the_sweep.py").write_text(AFTER)
    with pytest.raises(InvalidValueError, match=field):
        functions(translate(write_study(**content)).processing, tmp_path)


AUDITOR = {
    "enabled": True,
    "warn_threshold_g": 0.01,
    "kill_threshold_g": 0.1,
    "patterns": {"inventory": ["x*"], "leak": ["?"]},
}


def test_a_balance_of_mass_warns_and_stops(write_study, run_here):
    """An inventory that leaks x / tau, of which y is the part tau * gain."""
    auditor = {**AUDITOR, "patterns": {"inventory": ["x"], "leak": ["y*"], "decay": [], "cumulative_burn": []}}
    path = write_study(
        simulation={"variableFilter": "time|x", "stop_time": 2, "step_size": 0.01},
        simulation_parameters={"tau": [0.5, 0.502, 0.51, 1.0], "gain": [2]}, auditor=auditor,
    )  # fmt: skip
    translated = translate(path)
    (document,) = translated.studies.values()
    assert document["metrics"]["mass_balance_error"] == {
        "expression": "final(total('x')) - first(total('x')) + integral(total('y*'))", "warn": 0.01, "stop": 0.1,
    }  # fmt: skip
    (study,) = write_cases(translated, path.parent / "out")
    with trivium.study.open(run_here(study)) as results:
        assert results.status.tolist() == [1, 1, 1, 2]
        error = results.frame()["mass_balance_error"].to_numpy()
        np.testing.assert_allclose(error, [0.0, 0.004, 0.02], atol=5e-4)
        assert "mass_balance_error is beyond 0.01 in 1 runs, at most in run 2" in results.warnings()[0]
        assert "beyond metrics.mass_balance_error.stop, 0.1" in results.failures[3]


def test_an_auditor_that_is_switched_off_or_watches_nothing(write_study):
    off = translate(write_study(auditor={**AUDITOR, "enabled": False}))
    assert "metrics" not in off.studies[""]
    free = translate(write_study(auditor={**AUDITOR, "warn_threshold_g": 0, "kill_threshold_g": 0}))
    assert list(free.studies[""]["metrics"]["mass_balance_error"]) == ["expression"]
    with pytest.raises(InvalidValueError, match="auditor.patterns.inventory"):
        translate(write_study(auditor={**AUDITOR, "patterns": {"inventory": []}}))


@pytest.mark.parametrize("field", ["co_simulation", "foc"])
def test_sections_that_are_out_of_scope(write_study, field):
    with pytest.raises(InvalidValueError, match=f"{field}: .* out of scope; "):
        translate(write_study(**{field: {}}))
