"""The validation report: its limits on the recorded trajectories, and that it can miss them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from workshop.cooling_plant.validate import exclusions, main, replay, score


def test_report_keeps_the_wanted_limits(trajectories_file: Path, fmu: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--fmu", str(fmu), "--data", str(trajectories_file)]) == 0
    printed = capsys.readouterr().out
    assert "all wanted limits kept" in printed
    assert "MISSED" not in printed


def test_report_misses_limits_on_a_wrong_plant(trajectories_file: Path, fmu: Path) -> None:
    data = pd.read_csv(trajectories_file).query("segment < 30").reset_index(drop=True)
    outputs, _ = replay(fmu, data)
    outputs["Tchw_supply"] += 0.2
    outputs["P_CDWPs_sum"] *= 1.01
    missed = {s.group for s in score(data, outputs) if not s.met}
    assert missed == {"chilled water supply", "condenser pump power"}


def test_few_rows_are_left_out(trajectories_file: Path) -> None:
    data = pd.read_csv(trajectories_file)
    reasons = exclusions(data)
    assert reasons["negative chiller power"].sum() == 2
    assert sum(mask.sum() for mask in reasons.values()) < 0.02 * len(data)


def test_report_says_when_the_trajectories_are_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path / "none.csv.gz")]) == 2
    assert "TRIVIUM_TRAJECTORIES" in capsys.readouterr().err
