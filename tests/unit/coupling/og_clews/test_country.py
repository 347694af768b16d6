"""Countries' models of OG-Core: shocks by year, searches by halves, the cache of baselines, a model that is solved."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from tests.optional import needs
from trivium.coupling.og_clews import country

#: An invented country: OG-Core's defaults at the reduced size of `trivium.coupling.og_clews.reduce`, with taxes.
COUNTRY = {"M": 2, "I": 2, "tau_c": [[0.1, 0.1]], "cit_rate": [[0.2, 0.2]]}
SOLVE = """
import json, sys
from pathlib import Path
import numpy as np
import ogcore
from ogcore.parameters import Specifications
from trivium.coupling.og_clews import country
from trivium.coupling.og_clews.reduce import defaults
industries = {"capital_share": [0.5, 0.35], "expenditure_share": [0.05, 0.95]}
table = Path(ogcore.__file__).parent / "default_parameters.json"
Specifications.defaults = defaults(table, 40, [[0, 1, 2], [3, 4, 5, 6]], industries)
sys.path.insert(0, sys.argv[1])
given = json.loads(sys.argv[2])
found = country.solve(given["inputs"], given["options"])
Path("found.json").write_text(json.dumps({name: value.tolist() for name, value in found.items()}))
"""
TWO = {"package": "ogland", "channels": ["productivity"], "energy_industry": 0, "energy_good": 0}


@pytest.fixture
def land(tmp_path):
    """The folder in which the invented country is a package."""
    (tmp_path / "ogland").mkdir()
    (tmp_path / "ogland" / "__init__.py").touch()
    (tmp_path / "ogland" / "ogland_default_parameters.json").write_text(json.dumps(COUNTRY))
    (tmp_path / "ogland" / "more.json").write_text(json.dumps({"M": 3}))
    return tmp_path


def solve(folder, land, inputs, options, timeout=600):
    """Solve in a process of its own, as a coupled run does."""
    folder.mkdir()
    argv = [sys.executable, "-c", SOLVE, str(land), json.dumps({"inputs": inputs, "options": options})]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg", "XDG_CACHE_HOME": str(land / "cache")}
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr[-2000:]
    return {name: np.array(value) for name, value in json.loads((folder / "found.json").read_text()).items()}


@pytest.mark.slow
def test_an_invented_country_answers_dear_energy_and_its_baseline_is_solved_once(tmp_path, land):
    """Prices are those of Cobb-Douglas firms (see test_macro.py); fixed shares of expenditure are spent on each good."""
    needs("ogcore", "OG-Core is not installed (extra ogclews)")
    inputs = {"energy_cost_ratio": 1.2, "carbon_tax_rate": 0.1, "public_investment": 0.0}
    found = solve(tmp_path / "first", land, inputs, TWO)
    wage = found["wage_ratio"]
    rental = wage ** (-(1 - 0.35) / 0.35)
    price = 1.2 * rental**0.5 * wage**0.5
    assert found["price_ratio"] == pytest.approx([price, 1.0], rel=1e-6)
    consumed = found["consumption_ratio"]
    assert consumed[0] / consumed[1] == pytest.approx(1 / (price * 1.1), rel=1e-6)
    assert 0.02 < found["interest_rate"] < 0.06
    # what is kept is the baseline, and the only one: made twice as rich, it halves what the next reform is a ratio of
    (kept,) = (land / "cache" / "trivium" / "og-core").iterdir()
    baseline = pickle.loads(kept.read_bytes())
    kept.write_bytes(pickle.dumps(baseline | {"Y": 2 * baseline["Y"]}))
    assert solve(tmp_path / "again", land, inputs, TWO)["gdp_ratio"] == pytest.approx(found["gdp_ratio"] / 2)


@pytest.mark.long
def test_the_path_of_an_invented_country_is_by_year(tmp_path, land):
    """Energy is dear from the third year on: its price moves then; in the end paths are the steady states."""
    needs("ogcore", "OG-Core is not installed (extra ogclews)")
    years = [2025, 2026, 2027, 2028, 2035, 2255]
    inputs = {
        "energy_cost_ratio": [1.0, 1.0, 1.1, 1.1, 1.1, 1.1],
        "carbon_tax_rate": [0.0] * 6,
        "public_investment": [0.0] * 6,
    }
    found = solve(tmp_path / "path", land, inputs, {**TWO, "years": years}, timeout=6000)
    assert found["price_ratio"].shape == found["consumption_ratio"].shape == (2, 6)
    # periods have two years: 2025, 2027
    assert found["price_ratio"][0] == pytest.approx([1.0, 1.05, 1.1, 1.1, 1.1, 1.1], rel=5e-3)
    steady = solve(tmp_path / "steady", land, {**dict.fromkeys(inputs, 0.0), "energy_cost_ratio": 1.1}, TWO)
    for name in ("gdp_ratio", "wage_ratio", "interest_rate"):
        assert found[name][-1] == pytest.approx(steady[name], rel=1e-3)


def specification():
    """Two industries and goods, six periods of one year from 2025 on."""
    return SimpleNamespace(
        T=4,
        S=2,
        M=2,
        I=2,
        start_year=2025,
        starting_age=20,
        ending_age=22,
        Z=np.full((6, 2), 2.0),
        tau_c=np.full((6, 2), 0.25),
        alpha_I=np.full(6, 0.05),
        alpha_T=np.full(6, 0.04),
    )


def shocked(shock, share=1.0, **options):
    chosen = country._complete({**TWO, "years": [2025, 2027], **options})
    base = {
        "p_i": np.array([[1.0, 1.0], [2.0, 1.0]]),
        "C_i": np.array([[1.0, 4.0], [1.0, 4.0]]),
        "Y": np.array([10.0, 10.0]),
    }
    arrays = {name: np.array(value) for name, value in shock.items()}
    return country._shocked(specification(), chosen, arrays, base, share)


def test_costs_are_by_year_and_hold_while_investment_ends():
    found = shocked({"energy_cost_ratio": [1.0, 2.0], "public_investment": [0.01, 0.02]})
    assert found.Z[:, 0] == pytest.approx([2.0, 2 / 1.5, 1.0, 1.0, 1.0, 1.0])
    assert found.Z[:, 1] == pytest.approx(np.full(6, 2.0))
    assert found.alpha_I == pytest.approx([0.06, 0.065, 0.07, 0.05, 0.05, 0.05])
    assert shocked({"energy_cost_ratio": [1.0, 2.0]}, share=0.5).Z[2, 0] == pytest.approx(2 / 1.5)


def test_the_cost_of_energy_in_all_industries_and_in_a_good_that_is_partly_energy():
    """Electricity a half of the good; what the dearer good takes, 0.125 of 0.1 and then 0.2 of GDP, is given back."""
    shock = {"energy_cost_ratio": [1.2, 1.2], "carbon_tax_rate": [0.0, 0.0]}
    channels = ["all-industries", "consumption-tax"]
    found = shocked(shock, channels=channels, energy_share=[0.0, 0.05], good_share=0.5, recycle=True)
    assert found.Z[0] == pytest.approx([2.0, 2 / 1.01])
    assert found.tau_c[3] == pytest.approx([1.1 * 1.25 - 1, 0.25])
    assert found.alpha_T == pytest.approx([0.04 + 0.0125, *[0.04 + 0.025] * 5])
    taxed = shocked({"energy_cost_ratio": [1.0, 1.0], "carbon_tax_rate": [0.4, 0.4]})
    assert taxed.tau_c[0] == pytest.approx([1.25 * 1.4 - 1, 0.25])


def test_a_search_that_fails_goes_by_the_middle():
    tried = []

    def search(specification, start):
        tried.append((start["share"], specification.share))
        if specification.share - start["share"] > 0.3:
            raise RuntimeError("too far")
        return start | {"share": specification.share, "factor": -1.0}

    def specify(share):
        return SimpleNamespace(share=share, Z=np.array([[1.0, 1 + share]]))

    base = {"share": 0.0, "p_m": np.array([1.0, 1.0]), "Z": np.array([1.0, 1.0]), "factor": 7.0, "theta": 0.0}
    assert country.approach(specify, search, base)["share"] == 1.0
    assert tried == [(0, 1), (0, 0.5), (0, 0.25), (0.25, 0.5), (0.5, 1), (0.5, 0.75), (0.75, 1)]
    with pytest.raises(RuntimeError, match="too far"):
        country.approach(specify, search, base, halvings=1)


def test_the_path_of_a_baseline_is_solved_once_and_begins_at_its_steady_state(tmp_path, monkeypatch):
    """The reform starts at the baseline's steady state, not at its path; another key is another baseline."""
    monkeypatch.chdir(tmp_path)
    calls = []

    def search(specification, start):
        calls.append(("steady", None if start is None else start["p_m"].tolist()))
        return {"p_m": np.array([4.0, 1.0]), "Z": np.ones(2), "factor": 1.0, "theta": 0.0}

    def path(specification, of_base):
        calls.append(("path", of_base))
        folder = "base" if of_base else "reform"
        assert pickle.loads((tmp_path / folder / "SS" / "SS_vars.pkl").read_bytes())["factor"] == 1.0
        return {"p_m": np.ones((3, 2))}

    monkeypatch.setattr(country, "_search", search)
    monkeypatch.setattr(country, "_path", path)

    def specify(share):
        return SimpleNamespace(M=2, Z=np.array([[2.0, 1.0]]))

    for key in ({"tax": 1}, {"tax": 1}, {"tax": 2}):
        base = country.baseline(specify, key, transition=True, cache=str(tmp_path / "cache"))
        assert country.reform(specify, base, transition=True)["p_m"].shape == (3, 2)
    first = [("steady", None), ("path", True)]
    again = [("steady", [2.0, 1.0]), ("path", False)]
    assert calls == [*first, *again, *again, *first, *again]


def test_variables_are_those_of_the_countrys_own_files(land, monkeypatch):
    monkeypatch.syspath_prepend(land)
    inputs, outputs, note = country.describe({**TWO, "years": [2026, 2030], "goods": ["energy", "else"]})
    assert [one.name for one in inputs] == ["energy_cost_ratio", "public_investment", "carbon_tax_rate"]
    dims = {one.name: one.dims for one in outputs}
    assert dims["gdp_ratio"] == {"year": [2026, 2030]}
    assert dims["consumption_ratio"] == {"good": ["energy", "else"], "year": [2026, 2030]}
    assert dims["output_ratio"] == {"industry": [0, 1], "year": [2026, 2030]}
    assert "M=2 industries" in note
    _, outputs, _ = country.describe({"package": "ogland", "energy_share": [0, 0, 0], "calibration": ["more.json"]})
    assert {one.name: one.dims for one in outputs}["price_ratio"] == {"industry": [0, 1, 2]}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "package: the country's package must be named"),
        ({"package": "ognowhere", "energy_share": [1]}, "package: ognowhere is not installed"),
        ({**TWO, "speed": 3}, "speed: there is no such option"),
        ({**TWO, "years": [2030, 2025]}, "years must grow"),
        ({**TWO, "channels": ["magic"]}, "channels: magic is none of productivity, consumption-tax, all-industries"),
        ({"package": "ogland"}, "energy_share: the channel all-industries needs it"),
        ({**TWO, "industries": ["all"]}, "industries: the model has 2, not 1"),
    ],
)
def test_what_is_wrong_is_named(options, said, land, monkeypatch):
    monkeypatch.syspath_prepend(land)
    with pytest.raises(ValueError, match=said):
        country.describe(options)
