"""TRICYS' example configurations, run over our fuel cycle in place of their Modelica model.

``TRIVIUM_TRICYS`` names a checkout of asipp-neutronics/tricys. Of the model only names are translated: the variables and
parameters of theirs that ours has by other names. Horizons are shortened.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import ROOT

pytestmark = pytest.mark.slow

NAMES = {
    "pulseSource.width": "pulse.width", "plasma.nf": "plasma.Fueling_Efficiency", "plasma.fb": "plasma.Burn_Fraction",
    "tep_fep.to_SDS_Fraction[1]": "tep.DIR", "blanket.TBR": "bz.TBR", "i_iss.I[1]": "iss.inventory",
    "o_iss.I[1]": "fcu.inventory", "blanket.I[1]": "bz.inventory", ".I[1]": ".inventory",
}  # fmt: skip
EXAMPLES = {
    "basic/1_basic_configuration/basic_configuration.json": "",
    "basic/2_parameter_sweep/parameter_sweep.json": "",
    "basic/3_post_processing_module/post_processing_module.json": "",
    "basic/4_co_simulation_module/co_simulation_module.json": "co_simulation: modules by Aspen",
    "analysis/1_baseline_condition_analysis/baseline_condition_analysis.json": "",
    "analysis/2_single_parameter_sensitivity_analysis/single_parameter_sensitivity_analysis.json": "",
    "analysis/3_multi_parameter_sensitivity_analysis/multi_parameter_sensitivity_analysis.json": "",
    "analysis/4_sobol_global_sensitivity_analysis/sobol_global_sensitivity_analysis.json": "",
    "analysis/5_latin_uncertainty_analysis/latin_uncertainty_analysis.json": "",
}


@pytest.fixture(scope="module")
def checkout():
    path = os.environ.get("TRIVIUM_TRICYS", "")
    if not path:
        pytest.skip("TRIVIUM_TRICYS does not name a checkout of asipp-neutronics/tricys")
    return Path(path).absolute()


@pytest.mark.parametrize(("example", "refusal"), EXAMPLES.items())
def test_examples(checkout, tmp_path, example, refusal):
    text = (checkout / "example" / example).read_text(encoding="utf-8")
    for theirs, ours in NAMES.items():
        text = text.replace(theirs, ours)
    content = json.loads(text)
    content["paths"]["package_path"] = str(ROOT / "examples" / "fuel_cycle" / "FuelCycle.fmu")
    content["simulation"] |= {"stop_time": 100, "step_size": 1}
    for case in content.get("sensitivity_analysis", {}).get("analysis_cases", []):
        if case["independent_variable"] == "pulse.width":  # theirs counts in per cent
            case["independent_variable_sampling"] = [value / 100 for value in case["independent_variable_sampling"]]
        elif "analyzer" in case:
            case["independent_variable_sampling"]["pulse.width"]["bounds"] = [0.5, 0.9]
            case["analyzer"]["sample_N"] = 16
    for each in content.get("post_processing", []):  # their functions need their own packages
        each["module"] = "functions"
    (tmp_path / "functions.py").write_text(
        "def call(results_df, output_dir, **params):\n    results_df.to_csv(f'{output_dir}/table.csv')\n"
        "analyze_rise_dip = check_thresholds = baseline_analysis = call\n"
    )
    path = tmp_path / "study.json"
    path.write_text(json.dumps(content))
    command = [sys.executable, "-m", "trivium.cli", "sweep", "run", str(path), "--json"]
    environment = {**os.environ, "TRIVIUM_STATE_DIR": str(tmp_path / "state")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=1800)
    if refusal:
        assert done.returncode != 0
        assert refusal in done.stderr
        return
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    for each in outcome.get("cases", {"": outcome}).values():
        assert each["failed"] == 0
        assert each["done"] == each["runs"] > 0
