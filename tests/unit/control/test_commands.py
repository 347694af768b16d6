"""Whole tests under a controller, on the default plant."""

from pathlib import Path

import pytest

from trivium.control import commands, comparisons
from trivium.control.drive import controller, drive
from trivium.errors import InvalidValueError, SettingsError, StorageError
from trivium.evaluation.testcase import TestCase
from trivium.session.local import open_testcase
from trivium.simulation.resources import Resources


@pytest.fixture
def case(resources: Path, state_dir: Path):
    case = open_testcase(resources, state_dir)
    yield case
    case.close()


def test_drives_as_a_client_would(case: TestCase) -> None:
    times: list[float] = []
    by = controller("rules", case)
    last = drive(case, by, case.initialize(7200), 7200 + 5 * 300 + 100, times.append)
    assert (case.time, times) == (7200 + 5 * 300, [300.0] * 5)
    case2 = case.twin()
    by.reset(observation := case2.initialize(7200), case2.boundary())
    for _ in range(5):
        observation = case2.advance(by.action(observation, case2.boundary()))
    assert last == observation
    case2.close()


def test_a_run_is_written_and_drawn(case: TestCase, resources: Path, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    pytest.importorskip("plotly")
    said: list[str] = []
    out = tmp_path / "run.parquet"
    kpis = commands.step(case, Resources.load(resources), "rules", (3600, 3600 + 40 * 300), {}, out, said.append)
    frame = pandas.read_parquet(out)
    assert frame.time.tolist()[-41:] == [3600 + 300 * k for k in range(41)]
    power = frame[["P_Chillers_sum", "P_CDWPs_sum", "P_CHWPs_sum", "P_CTfans_sum"]].to_numpy()[-40:].sum()
    assert kpis["ener_tot"] == pytest.approx(power / 12e3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.html", "run.parquet", "run.png"]
    assert all(path.suffix in said[0] for path in tmp_path.iterdir())


def test_what_cannot_be_written_is_told_before_anything_is_simulated(case: TestCase, resources: Path) -> None:
    with pytest.raises(StorageError):
        commands.step(case, Resources.load(resources), "rules", (0, 300), {}, Path("/no/such/folder/a.csv"), print)
    with pytest.raises(SettingsError, match="there is no controller pid"):
        commands.step(case, Resources.load(resources), "pid", (0, 300), {}, None, print)
    assert case.time == 0


@pytest.mark.slow
def test_looking_ahead_saves_energy_without_more_violation(case: TestCase) -> None:
    found = commands.compare(case, ["rules", "look-ahead"], ["peak_heat", "mild"], 0.5, {})
    for period in ("peak_heat", "mild"):
        rules, ahead = found[period]["rules"], found[period]["look-ahead"]
        assert ahead["ener_tot"] < 0.97 * rules["ener_tot"]
        assert ahead["tdis_tot"] <= rules["tdis_tot"] + 1e-9
        assert ahead["heat_tot"] == pytest.approx(rules["heat_tot"], rel=0.02)
    table = commands.table(found)
    assert table.count("look-ahead") == 2
    saved = 100 * (1 - found["mild"]["look-ahead"]["ener_tot"] / found["mild"]["rules"]["ener_tot"])
    assert f"{saved:.1f} %" in table


def test_an_unknown_period_is_refused(case: TestCase) -> None:
    with pytest.raises(InvalidValueError, match="There is no time period summer. There are: winter, mild"):
        commands.compare(case, ["rules"], ["summer"], None, {})


def test_comparisons_are_kept_for_the_leaderboard(case: TestCase, tmp_path: Path) -> None:
    start = case.evaluation.periods["peak_heat"].start
    for cost in (2.0, 1.0):
        comparisons.keep(tmp_path, case, {"peak_heat": {"rules": {"cost_tot": cost, "serves": None}}}, 0.5)
    (tmp_path / "comparisons" / "1.json").write_text("{}")
    newest, _ = comparisons.read(tmp_path)
    assert (newest.controller, newest.start, newest.end) == ("rules", start, start + 43200)
    assert (newest.scenario["time_period"], newest.indicators["cost_tot"]) == ("peak_heat", 1.0)
