"""``trivium sweep report``, ``export`` and ``cache``; ``trivium sweep run`` is in tests/e2e."""

import pandas
import pytest
from scipy.io import loadmat

import trivium.study
from trivium.cli import main
from trivium.errors import InvalidValueError, SettingsError
from trivium.study import export
from trivium.study.choose import parse_wanted


@pytest.fixture
def folder(write_study, run_here):
    return run_here(write_study(metrics={"a=b": {"variable": "x", "method": "final"}}))


def test_runs_are_exported(folder, tmp_path, capsys):
    out = tmp_path / "chosen.csv"
    assert main(["sweep", "export", str(folder), str(out), "--select", "tau=5:10", "--select", "gain=3"]) == 0
    assert capsys.readouterr().out.startswith(f"2 of 6 runs in {out}, ")
    assert pandas.read_csv(out)["run"].tolist() == [1, 3]
    study = str(folder.with_suffix(".json"))
    assert main(["sweep", "export", study, str(out), "--select", "a=b=0.1:", "--trajectories"]) == 0
    assert pandas.read_csv(out).groupby("run").size().to_dict() == {2: 41, 3: 41, 4: 41, 5: 41}  # exp(-20/5) < 0.1
    assert main(["sweep", "export", str(folder / "results.h5"), str(tmp_path / "c.mat"), "--select", "tau=5,20"]) == 0
    assert loadmat(tmp_path / "c.mat")["run"].ravel().tolist() == [0, 1, 4, 5]


@pytest.mark.parametrize(
    ("chosen", "said"),
    [("tow=1", "no parameter or metric tow"), ("tau=x", "'x' for parameter tau"), ("tau", "Write name=value")],
)
def test_a_wrong_choice_is_named(folder, tmp_path, capsys, chosen, said):
    assert main(["sweep", "export", str(folder), str(tmp_path / "a.csv"), "--select", chosen]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "a.csv").exists()


def test_a_page_is_made(folder, tmp_path, capsys):
    assert main(["sweep", "report", str(folder)]) == 0
    assert "report.html, " in capsys.readouterr().out
    assert (folder / "report.html").read_text().startswith("<!doctype html>")
    assert main(["sweep", "report", str(folder), "--out", str(tmp_path / "a.html")]) == 0
    assert (tmp_path / "a.html").read_bytes() == (folder / "report.html").read_bytes()
    assert main(["sweep", "report", str(tmp_path / "nothing")]) == 1
    assert "there is no folder" in capsys.readouterr().err


def test_a_matlab_file_has_an_end(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "_MOST_MAT", 8 * 500)
    with trivium.study.open(folder) as results:
        results.select(tau=5).export(tmp_path / "few.mat")  # 2 runs of 2 variables at 41 times
        with pytest.raises(SettingsError, match="choose fewer of the 6 runs"):
            results.select().export(tmp_path / "all.mat")
    assert not (tmp_path / "all.mat").exists()


def test_what_is_wanted_is_read():
    assert parse_wanted("a", " 1.5 ") == 1.5
    assert parse_wanted("a", "1,2,5e0") == [1, 2, 5]
    assert parse_wanted("a", "1:2") == (1, 2)
    assert parse_wanted("a", ":-3") == (float("-inf"), -3)
    for text in ("", "nan", "1,", "1:2:3", "a:b"):
        with pytest.raises(InvalidValueError, match="for parameter a"):
            parse_wanted("a", text)


def test_the_cache_is_counted_and_cleared(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TRIVIUM_STATE_DIR", str(tmp_path))
    for command in ("info", "clear"):
        assert main(["sweep", "cache", command]) == 0
        assert capsys.readouterr().out.startswith("0 runs, ")
