"""Components: programs with files, plants over a horizon, many at the same time, and an end to them."""

from __future__ import annotations

import math
import os
import re
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.small_plant import SET_POINT, temperature
from tests.unit.coupling.cases import pair, put, run
from trivium.coupling.ending import Ending
from trivium.errors import ComponentError
from trivium.experiment.process import read, write
from trivium.experiment.spec import Process
from trivium.experiment.testcase import parts
from trivium.model.variable import Variable
from trivium.recorder import CancelledError

PROGRAM = """#!/bin/sh
set -e
read line < inputs.json
x=$(echo "$line" | sed 's/.*\\[\\(.*\\)\\].*/\\1/')
awk -v x="$x" 'BEGIN { printf "{\\"y\\": [%.17g]}", 0.25 * x + 3 }' > outputs.json
echo solved
"""


def with_program(folder: Path, text: str = PROGRAM) -> dict:
    case = pair([[0.5]], [1.0], [[1.0]], [0.0], tolerance=1e-8)
    put(folder, case)
    (folder / "solve").write_text(text)
    variable = {"dims": {"i": 1}}
    case["components"]["two"] = {
        "kind": "process",
        "argv": ["./solve"],
        "files": ["solve"],
        "inputs": {"x": {**variable, "initial": 0}},
        "outputs": {"y": variable},
    }
    return case


def test_a_program_is_a_component(tmp_path):
    _, result = run(tmp_path, with_program(tmp_path))
    assert result.ending is Ending.CONVERGED
    # y1 = 0.5 y2 + 1, y2 = 0.25 y1 + 3
    assert result.evaluations["one"].outputs["y"][0] == pytest.approx(2.5 / 0.875)
    logs = sorted((tmp_path / "out" / "work").glob("*-two-*/stdout.log"))
    assert logs[-1].read_text() == "solved\n"


def test_a_program_that_changes_is_another_component(tmp_path):
    problem, _ = run(tmp_path, with_program(tmp_path))
    before = problem.components["two"].fingerprint
    (tmp_path / "solve").write_text(PROGRAM + "# changed\n")
    assert problem.components["two"].fingerprint != before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#!/bin/sh\necho infeasible; exit 4\n", "(?s)two: solve ended with exit code 4.*infeasible"),
        ("#!/bin/sh\ntrue\n", "no file 'outputs.json'"),
        ("#!/bin/sh\necho '{' > outputs.json\n", "outputs.json cannot be read"),
        ("#!/bin/sh\necho '[1]' > outputs.json\n", "no JSON object"),
        ("#!/bin/sh\necho '{\"z\": [1]}' > outputs.json\n", "did not answer its output y"),
        ("#!/bin/sh\nln -s /etc/hostname outputs.json\n", "leads out"),
    ],
)
def test_a_program_that_fails_is_told(tmp_path, text, said):
    _, result = run(tmp_path, with_program(tmp_path, text))
    assert result.ending is Ending.FAILED
    assert re.search(said, result.reason)


@pytest.mark.parametrize("name", ["v.json", "v.npz", "v.csv"])
def test_files_bring_every_bit_back(tmp_path, name):
    variable = Variable("v", "m", dims={"sector": ("homes", "industry"), "year": (2020, 2030, 2040)})
    value = np.random.default_rng(0).standard_normal((2, 3)) * 10.0 ** np.arange(-3, 3).reshape(2, 3)
    write(tmp_path / name, {"v": value}, {"v": variable})
    assert read(tmp_path / name, {"v": variable})["v"].tobytes() == value.tobytes()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("year,VALUE\n2020,1\n", "is missing"),
        ("year,VALUE\n2020,1\n2020,2\n2030,1\n", "line 3: .* twice"),
        ("year,VALUE\n2020,1\n2050,2\n", "line 3: year has no 2050"),
        ("year,VALUE\n2020,1\n2030\n", "line 3 has 1 cells"),
        ("region,VALUE\n2020,1\n", "its columns are region"),
        ("year,VALUE\n2020,1\n2030,many\n", "many"),
    ],
)
def test_a_table_that_is_wrong_is_told_by_its_line(tmp_path, text, said):
    (tmp_path / "v.csv").write_text(text)
    with pytest.raises(ValueError, match=said):
        read(tmp_path / "v.csv", {"v": Variable("v", "m", dims={"year": (2020, 2030)})})


@pytest.mark.parametrize(
    ("files", "said"),
    [({"v.txt": ["y"]}, "must end in"), ({"v.csv": ["y", "z"]}, "one variable"), ({"v.json": ["z"]}, "names z")],
)
def test_files_that_cannot_be_are_refused(files, said):
    with pytest.raises(ValueError, match=said):
        Process(kind="process", argv=["x"], outputs={"y": {}}, output_files=files)


def plant_case(resources: Path, **settings) -> dict:
    """Return the small plant, whose supply temperature tends to its set point, and who chooses the set point."""
    return {
        "components": {
            "plant": {
                "kind": "testcase",
                "path": str(resources),
                "end_time": 1200,
                "inputs": {"set_point": {"sets": "Tchws_set_HEX", "unit": "K", "initial": SET_POINT}},
                "outputs": {
                    "last": {"unit": "K", "of": ["Tchw_supply"], "method": "final"},
                    "course": {"unit": "K", "of": ["Tchw_supply"], "method": "series", "dims": {"half": 2}},
                    "both": {"unit": "K", "of": ["Tchw_supply", "Tchw_supply"], "method": "max"},
                },
                **settings,
            }
        }
    }


def test_a_test_case_over_a_horizon_is_its_analytic_solution(tmp_path, small_resources):
    _, result = run(tmp_path, plant_case(small_resources))
    assert result.ending is Ending.CONVERGED, result.reason
    outputs = result.evaluations["plant"].outputs
    course = [temperature(300.0 * k) for k in (1, 2, 3, 4)]
    assert outputs["last"] == pytest.approx(course[-1], abs=1e-3)
    np.testing.assert_allclose(outputs["course"], [np.mean(course[:2]), np.mean(course[2:])], atol=1e-3)
    assert outputs["both"] == pytest.approx(2 * course[0], abs=2e-3)


def test_a_horizon_may_be_one_step(tmp_path, small_resources):
    case = plant_case(small_resources, end_time=300)
    case["components"]["plant"]["outputs"]["course"]["dims"] = {"whole": 1}
    _, result = run(tmp_path, case)
    assert result.ending is Ending.CONVERGED, result.reason
    outputs = result.evaluations["plant"].outputs
    assert outputs["last"] == pytest.approx(temperature(300.0), abs=1e-3)
    np.testing.assert_allclose(outputs["course"], [temperature(300.0)], atol=1e-3)


def test_a_series_of_set_points_is_held_part_by_part(tmp_path, small_resources):
    case = plant_case(small_resources)
    given = case["components"]["plant"]["inputs"]["set_point"]
    given |= {"dims": {"part": 2}, "initial": [284.0, 292.0]}
    _, result = run(tmp_path, case)
    middle = temperature(600.0, 284.0)
    expected = temperature(600.0, 292.0, middle)
    assert result.evaluations["plant"].outputs["last"] == pytest.approx(expected, abs=1e-3)


def test_a_plant_in_a_loop_ends_at_the_analytic_fixed_point(tmp_path, small_resources):
    """The next set point is s = T / 2 + 140 K, and the supply ends at T = s + (290 K - s) e."""
    case = plant_case(small_resources)
    case["components"]["choice"] = {
        "kind": "python",
        "callable": "coupled:linear",
        "process": False,
        "options": {"a": [[0.5]], "b": [140.0], "shape": []},
        "inputs": {"x": {"unit": "K"}},
        "outputs": {"y": {"unit": "K"}},
    }
    case["connections"] = [{"from": "plant.last", "to": "choice.x"}, {"from": "choice.y", "to": "plant.set_point"}]
    case["components"]["plant"]["inputs"]["set_point"] |= {"absolute": 1e-3, "relative": 0.0, "scale": 1.0}
    _, result = run(tmp_path, case)
    assert result.ending is Ending.CONVERGED, result.reason
    decay = math.exp(-1200.0 / 600.0)
    expected = (140.0 + 145.0 * decay) / (0.5 + 0.5 * decay)
    assert result.evaluations["plant"].inputs["set_point"] == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"end_time": 1000}, "whole number of steps"),
        ({"controller": "rules", "inputs": {"x": {"sets": "rules.nothing", "initial": 1}}}, "does not have"),
        ({"inputs": {"x": {"initial": 1}}}, "no control input"),
        ({"outputs": {"nothing": {}}}, "nothing"),
        ({"outputs": {"y": {"of": ["nothing"], "method": "mean"}}}, "nothing"),
        ({"outputs": {"y": {"of": ["Tchw_supply"], "method": "series", "dims": {"part": 3}}}}, "3 equal parts"),
    ],
)
def test_a_plant_that_does_not_fit_is_told(tmp_path, small_resources, change, said):
    _, result = run(tmp_path, plant_case(small_resources, **change))
    assert result.ending is Ending.FAILED
    assert said in result.reason


def test_parts_of_a_horizon_are_equal():
    assert parts(6, 3) == [slice(0, 2), slice(2, 4), slice(4, 6)]
    with pytest.raises(ComponentError, match="7 steps"):
        parts(7, 3)


def test_jacobi_evaluates_at_the_same_time(tmp_path):
    """Each of the two waits until the other has begun: one after the other they would wait for ever."""
    meeting = (
        "import pathlib, time\n"
        "def meet(inputs, options):\n"
        "    place = pathlib.Path(options['place'])\n"
        "    number = len(list(place.iterdir())) // 2\n"
        "    (place / f'{options[\"name\"]}{number}').touch()\n"
        "    while len(list(place.iterdir())) < 2 * (number + 1): time.sleep(0.01)\n"
        "    return {'y': 0.5 * inputs['x'] + 1}\n"
    )
    (tmp_path / "place").mkdir()
    (tmp_path / "meeting.py").write_text(meeting)
    case = pair([[0.5]], [1.0], [[0.5]], [1.0], scheme="jacobi", max_iterations=2, tolerance=1e-12)
    for name, one in case["components"].items():
        options = {"place": str(tmp_path / "place"), "name": name}
        one |= {"callable": "meeting:meet", "process": True, "timeout": 60, "options": options, "deterministic": False}
    _, result = run(tmp_path, case)
    assert result.ending is Ending.OUT_OF_ITERATIONS


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["gauss-seidel", "jacobi"])
def test_an_interruption_ends_all_components(tmp_path, scheme):
    """As SIGTERM to a job does: an exception in the main thread, wherever it is."""
    import signal

    def interrupt(*_):
        raise CancelledError

    case = pair([[0.5]], [1.0], [[0.5]], [1.0], scheme=scheme)
    for one in case["components"].values():
        one |= {"callable": "coupled:wrong", "process": True, "options": {"how": "hang"}}
    old = signal.signal(signal.SIGUSR1, interrupt)
    try:
        threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        with pytest.raises(CancelledError):
            run(tmp_path, case)
    finally:
        signal.signal(signal.SIGUSR1, old)
    place = str(tmp_path / "out" / "work")
    deadline = time.monotonic() + 300
    while (left := working_in(place)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def test_a_component_that_fails_ends_those_that_run_beside_it(tmp_path):
    case = pair([[0.5]], [1.0], [[0.5]], [1.0], scheme="jacobi")
    for name, how in (("one", "hang"), ("two", "exit")):
        case["components"][name] |= {"callable": "coupled:wrong", "process": True, "options": {"how": how}}
    _, result = run(tmp_path, case)
    assert result.ending is Ending.FAILED
    assert "exit code 9" in result.reason
    assert working_in(str(tmp_path / "out" / "work")) == []


def working_in(folder: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if str((entry / "cwd").readlink()).startswith(folder):
                    found.append(entry.name)
            except OSError:
                continue
    return found
